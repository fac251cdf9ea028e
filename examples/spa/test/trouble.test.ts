/** What goes wrong, one thing after the other, and what becomes of the session: as a person sees it. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Visitor from "./support/Visitor.js"

const promise = Effect.promise

/** What the browser itself writes when a request fails. It is all that may be written. */
const failedRequests = /^Failed to load resource: (?:net::|the server responded with a status of 40[01])/

const signedIn = Effect.gen(function*() {
  const visitor = yield* Visitor.make()
  yield* Effect.addFinalizer(() => visitor.house.serverRuns(true))
  const tab = yield* visitor.open()
  yield* tab.signIn
  return { visitor, tab }
})

const onlyFailedRequests = ({ complaints }: Visitor.Visitor) => {
  assert.deepStrictEqual(complaints.filter((complaint) => !failedRequests.test(complaint)), [])
}

const refreshes = ({ house }: Visitor.Visitor) =>
  house.authorizationServer.seen.tokenRequests.filter(({ grantType }) => grantType === "refresh_token").length

const aLife = Effect.sleep((Visitor.tokenSeconds + 1) * 1_000)

layer(Visitor.WorldLive, { excludeTestServices: true, timeout: 120_000 })("when something goes wrong", (it) => {
  it.scoped("S66 a token that stops working is renewed once, and every call is answered", () =>
    Effect.gen(function*() {
      const { tab, visitor } = yield* signedIn
      const before = refreshes(visitor)
      yield* tab.click("expire")
      yield* tab.reads("log", "works no more")
      yield* tab.click("call-many")
      yield* tab.reads("answered", "20")
      assert.strictEqual(yield* tab.number("failed"), 0)
      yield* tab.reads("log", "This tab renewed the session: generation 2")
      assert.strictEqual(yield* tab.number("generation"), 2)
      assert.strictEqual(yield* tab.text("fetched-by"), "this tab")
      assert.strictEqual(refreshes(visitor) - before, 1)
      onlyFailedRequests(visitor)
    }))

  it.scoped("a server that is dead for longer than a token lives signs nobody out", () =>
    Effect.gen(function*() {
      const { tab, visitor } = yield* signedIn
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
      onlyFailedRequests(visitor)
    }))

  it.scoped("a device without a network stays signed in, and goes on when it is back", () =>
    Effect.gen(function*() {
      const { tab, visitor } = yield* signedIn
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
      onlyFailedRequests(visitor)
    }))

  it.scoped("S60 a server that revokes ends the session, and one is told so kindly, and can sign in again", () =>
    Effect.gen(function*() {
      const { tab, visitor } = yield* signedIn
      yield* tab.click("revoke")
      yield* tab.reads("log", "takes back all that it granted")
      yield* tab.click("call-once")
      yield* tab.reads("state", "Signed out")
      yield* tab.reads("log", "The server has ended this session")
      yield* tab.reads("log", "The call failed: the session has ended")
      yield* tab.click("sign-in-silent")
      yield* tab.reads("state", "Signed in")
      onlyFailedRequests(visitor)
    }))

  it.scoped("S61 of two tabs one renews, and the other says that it adopted", () =>
    Effect.gen(function*() {
      const { tab: one, visitor } = yield* signedIn
      const other = yield* visitor.open()
      yield* other.reads("state", "Signed in")
      assert.strictEqual(yield* other.number("generation"), 1)
      const before = refreshes(visitor)
      const name = (yield* one.text("me")).trim()
      yield* one.click("expire")
      yield* one.click("call-many")
      yield* one.reads("answered", "20")
      yield* other.reads("log", `${name} renewed the session. This tab adopted generation 2.`)
      yield* other.reads("generation", "2")
      assert.strictEqual(yield* other.text("fetched-by"), name)
      assert.strictEqual(yield* other.number("adoptions"), 1)
      assert.strictEqual(yield* other.number("renewals"), 0)
      yield* other.click("call-once")
      yield* other.reads("answered", "1")
      assert.strictEqual(refreshes(visitor) - before, 1)

      yield* aLife
      yield* Effect.all([one.click("call-many"), other.click("call-many")], { concurrency: 2 })
      yield* one.reads("answered", "40")
      yield* other.reads("answered", "21")
      assert.strictEqual(refreshes(visitor) - before, 2, "one renewal for both")

      yield* other.click("sign-out")
      yield* one.reads("log", "Signed out in another tab")
      yield* one.reads("state", "Signed out")
      onlyFailedRequests(visitor)
    }))
})
