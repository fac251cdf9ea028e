/** The server, the network and the device go away, and come back. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Page as Tab } from "playwright-core"
import { callAll, refreshes, signedIn } from "../../../support/browser/tabs.js"
import type { Page } from "./pages/sessionPage.js"
import * as House from "./support/house.js"
import { promise } from "./support/house.js"
import * as SessionTabs from "./support/sessionTabs.js"

declare const page: Page

const hour = 3_600_000

const keepFresh = (tab: Tab) => promise(() => tab.evaluate(() => void page.keepFresh()))

const isAuthorized = (tab: Tab) => promise(() => tab.evaluate(() => page.isAuthorized()))

/** Calls until it is answered, for so many milliseconds at most. */
const answeredWithin = (driver: SessionTabs.Profile, tab: Tab, millis: number) =>
  Effect.repeat(Effect.delay(driver.call(tab, 1), 200), { until: ({ answered }) => answered === 1 }).pipe(
    Effect.timeoutOption(millis),
    Effect.map(({ _tag }) => _tag === "Some")
  )

layer(House.layer(SessionTabs.site), { excludeTestServices: true, timeout: 60_000 })("away and back", (it) => {
  it.scoped(
    "R22 the server: what is valid is served while it is away, then calls fail and say so, and nobody is signed out",
    () =>
      Effect.gen(function*() {
        const servers = yield* House.servers({ tokenSeconds: 10 })
        const { server } = servers
        // It is to be renewed from the middle of its life on, and the server is away for all of that
        const driver = yield* SessionTabs.make(servers, { custody: "IndexedDB", refreshPolicy: { earlyFraction: 1 } })
        const issued = yield* Effect.repeat(Effect.sleep(5), { until: () => server.seen.tokens.length > 0 }).pipe(
          Effect.map(() => Date.now()),
          Effect.forkScoped
        )
        const tabs = yield* signedIn(driver, 2)
        const runsOutBy = Date.now() + 10_100
        yield* server.stop
        // The server's seconds are whole ones
        const servesUntil = (yield* Fiber.join(issued)) + 8_800
        while (Date.now() < servesUntil) {
          assert.deepStrictEqual(yield* callAll(driver, tabs, 1), { answered: 2, failed: [] })
          yield* Effect.sleep(100)
        }
        assert.include((yield* Effect.forEach(tabs, driver.events)).flat(), "RenewalFailed")
        yield* Effect.sleep(runsOutBy - Date.now())
        const { answered, failed } = yield* callAll(driver, tabs, 1)
        assert.strictEqual(answered, 0)
        for (const failure of failed) assert.match(failure, /^RefreshFailed (?:Attempt|CoolDown)$/)
        for (const tab of tabs) assert.deepStrictEqual(yield* isAuthorized(tab), { value: true })
        assert.strictEqual(refreshes(server), 0)
        yield* server.start
        for (const tab of tabs) assert.isTrue(yield* answeredWithin(driver, tab, 20_000))
        assert.strictEqual(refreshes(server), 1)
        assert.strictEqual(server.seen.grantsRevoked(), 0)
      }),
    { concurrent: true }
  )

  it.scoped(
    "the network: when it is back the tabs look at once, one renews for all, and nobody is signed out",
    () =>
      Effect.gen(function*() {
        const servers = yield* House.servers({ tokenSeconds: 4 })
        const driver = yield* SessionTabs.make(servers, { custody: "IndexedDB" })
        const tabs = yield* signedIn(driver, 3)
        yield* Effect.forEach(tabs, keepFresh)
        yield* promise(() => driver.context.setOffline(true))
        yield* Effect.sleep(4_100)
        assert.strictEqual(refreshes(servers.server), 0)
        yield* promise(() => driver.context.setOffline(false))
        yield* Effect.repeat(Effect.sleep(20), { until: () => refreshes(servers.server) > 0 })
        yield* Effect.sleep(500)
        assert.strictEqual(refreshes(servers.server), 1)
        assert.deepStrictEqual(yield* callAll(driver, tabs, 5), { answered: 15, failed: [] })
        yield* promise(() => driver.context.setOffline(true))
        yield* Effect.sleep(4_100)
        const { answered, failed } = yield* callAll(driver, tabs, 1)
        assert.strictEqual(answered, 0)
        for (const failure of failed) assert.match(failure, /^RefreshFailed (?:Attempt|CoolDown)$/)
        for (const tab of tabs) assert.deepStrictEqual(yield* isAuthorized(tab), { value: true })
        yield* promise(() => driver.context.setOffline(false))
        for (const tab of tabs) assert.isTrue(yield* answeredWithin(driver, tab, 10_000))
        assert.strictEqual(servers.server.seen.grantsRevoked(), 0)
      }),
    { concurrent: true }
  )

  it.scoped(
    "R29 the device sleeps for hours, and clocks are put: on waking up one refresh for all tabs, and no storm",
    () =>
      Effect.gen(function*() {
        const servers = yield* House.servers({ tokenSeconds: 600 })
        const { server } = servers
        const driver = yield* SessionTabs.make(servers, { custody: "IndexedDB" })
        // What `Date` tells, for all tabs; timers stand still meanwhile, as in a device that sleeps
        yield* promise(() => driver.context.clock.install())
        const tabs = yield* signedIn(driver, 4)
        yield* Effect.forEach(tabs, keepFresh)
        let now = Date.now()
        for (const [millis, expected] of [[8 * hour, 1], [hour, 1], [-hour, 0], [24 * hour, 1]] as const) {
          now += millis
          const before = refreshes(server)
          yield* promise(() => driver.context.clock.setSystemTime(now))
          const wake = (tab: Tab) =>
            promise(() => tab.evaluate(() => void document.dispatchEvent(new Event("visibilitychange"))))
          yield* Effect.forEach(tabs, wake, { concurrency: "unbounded" })
          assert.deepStrictEqual(yield* callAll(driver, tabs, 20), { answered: 80, failed: [] })
          yield* Effect.sleep(1_000)
          assert.strictEqual(refreshes(server) - before, expected, `by ${millis / hour} hours`)
        }
        assert.strictEqual(server.seen.grantsRevoked(), 0)
      }),
    { concurrent: true }
  )

  it.scoped(
    "R29 a page that the browser kept, and brings back after hours, renews before its next use",
    () =>
      Effect.gen(function*() {
        const servers = yield* House.servers({ tokenSeconds: 600 })
        const driver = yield* SessionTabs.make(servers, { custody: "IndexedDB" })
        yield* promise(() => driver.context.clock.install())
        const [tab] = yield* signedIn(driver, 1)
        yield* keepFresh(tab!)
        yield* promise(() => driver.context.clock.setSystemTime(Date.now() + hour))
        const show = (persisted: boolean) =>
          promise(() =>
            tab!.evaluate(
              (persisted) => void dispatchEvent(new PageTransitionEvent("pageshow", { persisted })),
              persisted
            )
          )
        yield* show(false)
        yield* Effect.sleep(500)
        assert.strictEqual(refreshes(servers.server), 0, "a page that is new has nothing to catch up on")
        yield* show(true)
        yield* Effect.sleep(500)
        assert.strictEqual(refreshes(servers.server), 1)
        assert.deepStrictEqual(yield* driver.call(tab!, 1), { answered: 1, failed: [] })
        assert.strictEqual(refreshes(servers.server), 1)
      }),
    { concurrent: true }
  )
})
