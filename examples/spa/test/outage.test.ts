/** A server that is dead, and a device without a network, for longer than a token lives. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Visitor from "./support/Visitor.js"

const promise = Effect.promise

/** In seconds. */
const tokenLife = 5

const aLife = Effect.sleep((tokenLife + 1) * 1_000)

layer(Visitor.layer(tokenLife), { excludeTestServices: true, timeout: 120_000 })("an outage", (it) => {
  it.scoped("a server that is dead for longer than a token lives signs nobody out", () =>
    Effect.gen(function*() {
      const { tab, visitor } = yield* Visitor.signedIn
      yield* Effect.addFinalizer(() => visitor.house.serverRuns(true))
      yield* tab.click("server")
      yield* tab.reads("log", "The authorization server is dead")
      yield* tab.click("call-once")
      yield* tab.reads("answered", "1")
      yield* aLife
      yield* tab.click("call-many")
      yield* tab.reads("failed", "20")
      yield* tab.reads("log", "The session is kept")
      yield* tab.reads("state", "Signed in")
      yield* tab.reads("detail", "goes on when the server does")
      yield* tab.click("server")
      yield* tab.reads("log", "The authorization server runs again")
      yield* Effect.sleep("4 seconds")
      yield* tab.click("call-many")
      yield* tab.reads("answered", "21")
      yield* tab.reads("generation", "2")
      assert.strictEqual(yield* tab.number("failed"), 20)
      assert.deepStrictEqual(Visitor.otherComplaints(visitor), [])
      assert.deepStrictEqual(yield* Visitor.misplaced(visitor), [])
    }))

  it.scoped("a device without a network stays signed in, and goes on when it is back", () =>
    Effect.gen(function*() {
      const { tab, visitor } = yield* Visitor.signedIn
      yield* promise(() => visitor.context.setOffline(true))
      yield* tab.reads("log", "This tab has no network")
      yield* tab.click("call-once")
      yield* tab.reads("failed", "1")
      yield* aLife
      yield* tab.reads("state", "Signed in")
      yield* promise(() => visitor.context.setOffline(false))
      // It wakes up by itself
      yield* tab.reads("log", "This tab renewed the session: generation 2")
      yield* tab.click("call-once")
      yield* tab.reads("answered", "1")

      yield* tab.click("network")
      yield* tab.reads("network", "Bring it back")
      yield* tab.click("call-once")
      yield* tab.reads("failed", "2")
      yield* tab.click("network")
      yield* tab.click("call-once")
      yield* tab.reads("answered", "2")
      assert.deepStrictEqual(Visitor.otherComplaints(visitor), [])
      assert.deepStrictEqual(yield* Visitor.misplaced(visitor), [])
    }))
})
