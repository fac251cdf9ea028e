/** Each way in and out of the page as it is built, in a real browser, under a strict policy, against real servers. */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import * as Stores from "../src/Stores.js"
import * as Visitor from "./support/Visitor.js"
import * as Wire from "./support/Wire.js"

const promise = Effect.promise

const signInByPopup = (tab: Visitor.Tab) =>
  Effect.gen(function*() {
    const opened = promise(() => tab.page.waitForEvent("popup"))
    const [window] = yield* Effect.all([opened, tab.click("sign-in-popup")], { concurrency: 2 })
    yield* Visitor.agree(window)
    yield* tab.reads("state", "Signed in")
    yield* gone(window)
  })

const gone = (window: Page) =>
  promise(async () => window.isClosed() || await window.waitForEvent("close", { timeout: 5_000 }))

const signOut = (tab: Visitor.Tab) =>
  Effect.gen(function*() {
    yield* tab.click("sign-out")
    yield* tab.reads("log", "the server has revoked the refresh token")
    yield* tab.reads("state", "Signed out")
  })

const signOutAtServer = (tab: Visitor.Tab) =>
  Effect.gen(function*() {
    yield* tab.click("sign-out-server")
    yield* promise(async () => {
      await tab.page.waitForURL(/session\/end/)
      await tab.page.click("button")
    })
    yield* tab.reads("state", "Signed out")
  })

layer(Visitor.layer(60), { excludeTestServices: true, timeout: 120_000 })("signing in to the page", (it) => {
  it.scoped("S33 by redirect one is back where one was, signed in, calls are answered, and one signs out", () =>
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
      yield* tab.click("call-steadily")
      yield* tab.reads("answered", "22")
      yield* tab.click("call-steadily")
      assert.strictEqual(yield* tab.number("failed"), 0)
      yield* signOut(tab)
      assert.deepStrictEqual(visitor.complaints, [])
    }))

  it.scoped("S87 by a window the page stays as it is, the window closes, and the server forgets one in the end", () =>
    Effect.gen(function*() {
      const visitor = yield* Visitor.make()
      const tab = yield* visitor.open()
      yield* tab.reads("state", "Signed out")
      yield* signInByPopup(tab)
      yield* tab.click("call-once")
      yield* tab.reads("answered", "1")
      yield* signOutAtServer(tab)
      yield* tab.click("sign-in-silent")
      yield* tab.reads("log", "The server does not know you yet")
      assert.deepStrictEqual(visitor.complaints, [])
    }))

  it.scoped("a window that is closed changes nothing, and one is told so", () =>
    Effect.gen(function*() {
      const visitor = yield* Visitor.make()
      const tab = yield* visitor.open()
      yield* tab.reads("state", "Signed out")
      const opened = promise(() => tab.page.waitForEvent("popup"))
      const [window] = yield* Effect.all([opened, tab.click("sign-in-popup")], { concurrency: 2 })
      yield* promise(() => window.waitForURL(/sign-in/))
      yield* promise(() => window.close())
      yield* tab.reads("log", "The window was closed before you had signed in")
      yield* tab.reads("state", "Signed out")
      assert.deepStrictEqual(visitor.complaints, [])
    }))

  describe("and where the session lives", () => {
    for (const store of Stores.names) {
      const outlives = store === "memory" ? "ends with" : "outlives"
      it.scoped(`${store}: it is there after a redirect and after a silent sign-in, and ${outlives} a reload`, () =>
        Effect.gen(function*() {
          const visitor = yield* Visitor.make()
          const tab = yield* visitor.open(`/?store=${store}`)
          yield* tab.signIn
          yield* signOut(tab)
          yield* tab.click("sign-in-silent")
          yield* tab.reads("state", "Signed in")
          yield* tab.click("call-once")
          yield* tab.reads("answered", "1")
          yield* promise(() => tab.page.reload())
          yield* tab.reads("state", store === "memory" ? "Signed out" : "Signed in")
          if (store !== "memory") {
            yield* tab.click("call-once")
            yield* tab.reads("answered", "1")
          }
          assert.deepStrictEqual(visitor.complaints, [])
        }))
    }
  })

  it.scoped("S17 S30 S31 S33 S35 S64 on the wire each credential goes where it has to, once, and nowhere else", () =>
    Effect.gen(function*() {
      const visitor = yield* Visitor.make()
      const { api, authorizationServer, origin } = visitor.house
      const before = authorizationServer.seen.requests.length
      const tab = yield* visitor.open()
      yield* tab.signIn
      yield* tab.click("call-many")
      yield* tab.reads("answered", "20")
      yield* tab.click("expire")
      yield* tab.reads("log", "works no more")
      yield* tab.click("call-many")
      yield* tab.reads("answered", "40")
      yield* signOut(tab)
      yield* tab.click("sign-in-silent")
      yield* tab.reads("state", "Signed in")
      yield* signOutAtServer(tab)
      yield* signInByPopup(tab)
      yield* tab.click("call-once")
      yield* tab.reads("answered", "1")
      yield* signOut(tab)

      const wire = yield* promise(() => Promise.all(visitor.requests))
      assert.deepStrictEqual(yield* Visitor.misplaced(visitor), [])
      const asked = authorizationServer.seen.requests.slice(before)
      assert.isAbove(asked.length, 0)
      assert.notInclude(asked.map(({ method }) => method), "OPTIONS")

      const { codes, tokens } = authorizationServer.seen
      const places = Wire.placesOf(wire, { api: api.origin, page: origin, server: authorizationServer.issuer })
      const mine = (secrets: ReadonlyArray<string>) => secrets.filter((secret) => wire.some(Wire.holds(secret)))
      assert.lengthOf(mine(codes), 3)
      for (const code of mine(codes)) {
        assert.deepStrictEqual(places(code), ["page callback query", "server token body code"])
      }
      const verifiers = wire.flatMap(({ form }) => form.get("code_verifier") ?? [])
      assert.lengthOf(verifiers, 3)
      for (const verifier of verifiers) {
        assert.deepStrictEqual(places(verifier), ["server token body code_verifier"])
      }
      const refreshTokens = wire.flatMap(({ form, path }) =>
        path === "/token"
          ? form.get("refresh_token") ?? []
          : path.endsWith("/revocation")
          ? form.get("token") ?? []
          : []
      )
      assert.lengthOf(refreshTokens, 4)
      for (const token of refreshTokens) {
        assert.lengthOf(places(token), 1)
        assert.match(places(token)[0]!, /^server (?:token body refresh_token|token\/revocation body token)$/)
      }
      const accessTokens = mine(tokens).filter((token) => !refreshTokens.includes(token))
      assert.lengthOf(accessTokens, 3)
      for (const token of accessTokens) {
        assert.deepStrictEqual([...new Set(places(token))], ["api header authorization"])
      }
    }))
})
