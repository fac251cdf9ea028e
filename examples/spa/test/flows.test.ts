/** The page as it is built, in a real browser, under a strict policy, against real servers. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Visitor from "./support/Visitor.js"

const promise = Effect.promise

layer(Visitor.WorldLive, { excludeTestServices: true, timeout: 120_000 })("the page", (it) => {
  it.scoped("S33 one signs in by redirect, calls the API, and signs out", () =>
    Effect.gen(function*() {
      const visitor = yield* Visitor.make()
      const tab = yield* visitor.open("/?store=indexeddb#here")
      yield* tab.reads("state", "Signed out")
      yield* tab.signIn
      assert.strictEqual(tab.page.url(), `${visitor.house.origin}/?store=indexeddb#here`)
      assert.strictEqual(yield* tab.number("generation"), 1)
      yield* tab.click("call-once")
      yield* tab.reads("answered", "1")
      yield* tab.click("call-many")
      yield* tab.reads("answered", "21")
      yield* tab.reads("greeting", "hello to ada")
      assert.strictEqual(yield* tab.number("failed"), 0)
      yield* tab.click("sign-out")
      yield* tab.reads("state", "Signed out")
      yield* tab.reads("log", "the server has revoked the refresh token")
      assert.deepStrictEqual(visitor.complaints, [])
    }))
})
