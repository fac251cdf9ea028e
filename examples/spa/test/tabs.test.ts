/** One session in many tabs of the built page. */
import { assert, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { listen } from "../../../support/browser/listen.js"
import * as Renderer from "../../../support/browser/renderer.js"
import * as SharedTabs from "../../../support/browser/tabs.js"
import * as Tabs from "./support/Tabs.js"
import * as Visitor from "./support/Visitor.js"

const promise = Effect.promise

/** In seconds. */
const tokenSeconds = 4

const aLife = Effect.sleep(tokenSeconds * 1_000 + 100)

const withoutWebLocks = ({ context }: Visitor.Visitor) =>
  promise(() => context.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, "locks")))

const lose: Readonly<Record<"is closed" | "crashes", (page: Page) => Promise<unknown>>> = {
  "is closed": (page) => page.close(),
  "crashes": async (page) => {
    const devTools = await page.context().newCDPSession(page)
    const crashed = page.waitForEvent("crash")
    void devTools.send("Page.crash").catch(() => {})
    await crashed
  }
}

/** Two tabs of a session that has to be renewed; the first of them has asked, and will get no answer. */
const renewing = Effect.gen(function*() {
  const visitor = yield* Visitor.make()
  const tabs = Tabs.make(visitor, "indexeddb")
  const [leader, other] = [yield* tabs.open, yield* tabs.open]
  const { browser } = yield* Visitor.World
  const process = yield* Renderer.of(browser, leader.page)
  yield* tabs.signIn(leader)
  yield* other.reads("state", "Signed in")
  yield* aLife
  const arrived = yield* Deferred.make<void>()
  const nowhere = yield* listen(() => Deferred.unsafeDone(arrived, Effect.void))
  const { tokenEndpoint } = visitor.house.authorizationServer
  // That request alone is lost
  yield* promise(() =>
    leader.page.route(tokenEndpoint, (route) => route.continue({ url: nowhere.origin }), { times: 1 })
  )
  yield* leader.click("call-once")
  yield* Deferred.await(arrived)
  return { visitor, tabs, leader, other, process }
})

layer(Visitor.layer(tokenSeconds), { excludeTestServices: true, timeout: 120_000 })("tabs of one page", (it) => {
  for (const locks of ["with Web Locks", "without"] as const) {
    it.scoped(`R01 S61 eight tabs, twenty calls each, ten expiries: ten refreshes, and every call is answered (${locks})`, () =>
      Effect.gen(function*() {
        const visitor = yield* Visitor.make()
        if (locks === "without") yield* withoutWebLocks(visitor)
        const { authorizationServer } = visitor.house
        const [requests, revoked] = [
          authorizationServer.seen.tokenRequests.length,
          authorizationServer.seen.grantsRevoked()
        ]
        const turn = yield* Effect.makeSemaphore(1)
        const expiries = 10
        const rounds = yield* SharedTabs.rounds(Tabs.make(visitor, "indexeddb"), authorizationServer, {
          tabs: 8,
          calls: 20,
          expiries,
          tokenSeconds,
          turn
        })
        const expected = { answered: 160, failed: [], refreshes: 1 }
        assert.deepStrictEqual(rounds, Array.from({ length: expiries }, () => expected))
        assert.deepStrictEqual(
          authorizationServer.seen.tokenRequests.slice(requests + 1),
          Array.from({ length: expiries }, () => ({ grantType: "refresh_token", status: 200 }))
        )
        assert.strictEqual(authorizationServer.seen.grantsRevoked(), revoked)
        assert.deepStrictEqual(visitor.complaints, [])
        assert.deepStrictEqual(yield* Visitor.misplaced(visitor), [])
      }))
  }

  for (const loss of ["is closed", "crashes"] as const) {
    it.scoped(
      `R12 the tab that renews ${loss}: another takes over, and nobody is signed out`,
      () =>
        Effect.gen(function*() {
          const { leader, other, tabs, visitor } = yield* renewing
          yield* promise(() => lose[loss](leader.page))
          assert.deepStrictEqual(yield* tabs.call(other, 20), { answered: 20, failed: [] })
          assert.strictEqual(yield* other.number("generation"), 2)
          yield* other.reads("state", "Signed in")
          assert.deepStrictEqual(Visitor.otherComplaints(visitor), [])
        }),
      { concurrent: true }
    )
  }

  it.scoped("R10 the tab that renews sleeps past its time: another takes over, and both go on", () =>
    Effect.gen(function*() {
      const { leader, other, process, tabs, visitor } = yield* renewing
      yield* process.stop
      assert.deepStrictEqual(yield* tabs.call(other, 20), { answered: 20, failed: [] })
      assert.strictEqual(yield* other.number("generation"), 2)
      yield* process.goOn
      yield* leader.reads("answered", "1")
      yield* leader.reads("state", "Signed in")
      assert.strictEqual(yield* leader.number("failed"), 0)
      assert.deepStrictEqual(Visitor.otherComplaints(visitor), [])
    }))

  for (const store of ["session", "split"] as const) {
    it.scoped(
      `S61 a duplicated tab starts signed out, and the owner's session goes on over every expiry (${store})`,
      () =>
        Effect.gen(function*() {
          const visitor = yield* Visitor.make()
          const tabs = Tabs.make(visitor, store)
          const owner = yield* tabs.open
          yield* tabs.signIn(owner)
          const copy = yield* visitor.openedBy(owner, () => void globalThis.open(location.href))
          yield* copy.reads("state", "Signed out")
          for (const generation of [2, 3, 4]) {
            yield* aLife
            assert.deepStrictEqual(yield* tabs.call(owner, 20), { answered: 20, failed: [] })
            assert.strictEqual(yield* owner.number("generation"), generation)
          }
          yield* copy.reads("state", "Signed out")
          assert.deepStrictEqual(visitor.complaints, [])
        }),
      { concurrent: true }
    )
  }
})
