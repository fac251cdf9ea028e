/** Tokens that are refused, grants that are revoked, and the other tabs: as a person sees it. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Visitor from "./support/Visitor.js"

const refreshes = ({ house }: Visitor.Visitor) =>
  house.authorizationServer.seen.tokenRequests.filter(({ grantType }) => grantType === "refresh_token").length

layer(Visitor.layer(60), { excludeTestServices: true, timeout: 120_000 })("when something goes wrong", (it) => {
  it.scoped("S66 a token that stops working is renewed once, and every call is answered", () =>
    Effect.gen(function*() {
      const { tab, visitor } = yield* Visitor.signedIn
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
      assert.deepStrictEqual(Visitor.otherComplaints(visitor), [])
      assert.deepStrictEqual(yield* Visitor.misplaced(visitor), [])
    }))

  it.scoped("S60 a server that revokes ends the session, and one is told so kindly, and can sign in again", () =>
    Effect.gen(function*() {
      const { tab, visitor } = yield* Visitor.signedIn
      yield* tab.click("revoke")
      yield* tab.reads("log", "takes back all that it granted")
      yield* tab.click("call-once")
      yield* tab.reads("state", "Signed out")
      yield* tab.reads("log", "The server has ended this session")
      yield* tab.reads("log", "The call failed: the session has ended")
      yield* tab.click("sign-in-silent")
      yield* tab.reads("state", "Signed in")
      assert.deepStrictEqual(Visitor.otherComplaints(visitor), [])
      assert.deepStrictEqual(yield* Visitor.misplaced(visitor), [])
    }))

  it.scoped("S61 of two tabs one renews, and the other says that it adopted", () =>
    Effect.gen(function*() {
      const { tab: one, visitor } = yield* Visitor.signedIn
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

      // A second is the shortest time between two renewals that the API asks for
      yield* Effect.sleep("1500 millis")
      yield* one.click("expire")
      yield* one.reads("log", /works no more.*works no more/)
      yield* Effect.all([one.click("call-many"), other.click("call-many")], { concurrency: 2 })
      yield* one.reads("answered", "40")
      yield* other.reads("answered", "21")
      assert.strictEqual(refreshes(visitor) - before, 2, "one renewal for both")

      yield* other.click("sign-out")
      yield* one.reads("log", "Signed out in another tab")
      yield* one.reads("state", "Signed out")
      assert.deepStrictEqual(Visitor.otherComplaints(visitor), [])
      assert.deepStrictEqual(yield* Visitor.misplaced(visitor), [])
    }))
})
