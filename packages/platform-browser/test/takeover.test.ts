/** The tab that renews for all is lost, or sleeps, in the middle of it. */
import { assert, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { Page as Tab } from "playwright-core"
import { listen } from "../../../support/browser/listen.js"
import * as Renderer from "../../../support/browser/renderer.js"
import * as House from "./support/house.js"
import { promise } from "./support/house.js"
import * as SessionTabs from "./support/sessionTabs.js"

type Mode = "strict" | "grace"

const tokenSeconds = 2
/** How long who renews may take, and how long the server's answer is on its way, in milliseconds. */
const hold = 4_500
const delay = 2_500

/** Two tabs of a session whose token has run out. */
const expired = (mode: Mode) =>
  Effect.gen(function*() {
    const servers = yield* House.servers({ tokenSeconds, graceSeconds: mode === "grace" ? 60 : 0 })
    const tabs = yield* SessionTabs.make(servers, {
      custody: "IndexedDB",
      requestDeadline: 3_000,
      refreshPolicy: { persistDeadline: 500, hold, rotation: mode }
    })
    const leader = yield* tabs.open
    yield* tabs.signIn(leader)
    const other = yield* tabs.open
    yield* Effect.sleep(tokenSeconds * 1_000 + 100)
    const asked = () => servers.server.seen.requests.filter(({ path }) => path === "/token").length
    const before = asked()
    /** How often a refresh token has come, whether or not its answer could be delivered. */
    const presented = () => asked() - before
    return { ...servers, ...tabs, leader, other, presented }
  })

/** What the store says of the session. */
const stored = (tab: Tab) =>
  promise(() =>
    tab.evaluate(async () => {
      const settled = <A>(request: IDBRequest<A>) =>
        new Promise<A>((resolve) => {
          request.onsuccess = () => resolve(request.result)
        })
      const database = await settled(indexedDB.open("effect-oauth2"))
      const texts = await settled(database.transaction("sessions").objectStore("sessions").getAll())
      database.close()
      return JSON.parse(String(texts.at(0))) as { generation: number; state: { _tag: string; until?: number } }
    })
  )

/** Waits until a tab is renewing. Returns until when it may. */
const redeeming = (tab: Tab): Effect.Effect<number> =>
  Effect.flatMap(
    stored(tab),
    ({ state: { until } }) =>
      until === undefined ? Effect.zipRight(Effect.sleep(20), redeeming(tab)) : Effect.succeed(until)
  )

/** The leader is in the middle of a renewal: the server has given out the next token, and nobody has heard of it. */
const midway = (mode: Mode) =>
  Effect.gen(function*() {
    const house = yield* expired(mode)
    const { call, leader, other, server } = house
    const { browser } = yield* House.House
    const process = yield* Renderer.of(browser, leader)
    const issued = server.seen.tokens.length
    server.delayAnswers(delay)
    const asked = yield* Effect.forkScoped(call(leader, 1))
    const until = yield* redeeming(other)
    yield* Effect.repeat(Effect.sleep(10), { until: () => server.seen.tokens.length > issued })
    server.delayAnswers(0)
    return { ...house, asked, process, until }
  })

/** When the server was asked once more. */
const askedAgain = (presented: () => number): Effect.Effect<Effect.Effect<number>, never, Scope.Scope> =>
  Effect.suspend(() => {
    const before = presented()
    return Effect.repeat(Effect.sleep(5), { until: () => presented() > before }).pipe(
      Effect.map(() => Date.now()),
      Effect.forkScoped,
      Effect.map(Fiber.join)
    )
  })

const crash = (tab: Tab) =>
  promise(async () => {
    const session = await tab.context().newCDPSession(tab)
    const crashed = tab.waitForEvent("crash")
    void session.send("Page.crash").catch(() => {})
    await crashed
  })

layer(House.layer(SessionTabs.site), { excludeTestServices: true, timeout: 60_000 })("the tab that renews", (it) => {
  it.scoped("R12 is closed and its request lost: another takes over within a second of its time, and nothing is lost", () =>
    Effect.gen(function*() {
      const { call, leader, other, presented, server } = yield* expired("strict")
      const arrived = yield* Deferred.make<void>()
      const nowhere = yield* listen(() => Deferred.unsafeDone(arrived, Effect.void))
      yield* promise(() => leader.route(server.tokenEndpoint, (route) => route.continue({ url: nowhere.origin })))
      yield* Effect.forkScoped(call(leader, 1))
      const until = yield* redeeming(other)
      yield* Deferred.await(arrived)
      yield* promise(() => leader.close())
      const takenOver = yield* askedAgain(presented)
      assert.deepStrictEqual(yield* call(other, 20), { answered: 20, failed: [] })
      assert.isAtMost(yield* takenOver, until + 1_000)
      assert.strictEqual(presented(), 1)
      assert.strictEqual(server.seen.grantsRevoked(), 0)
    }))

  it.scoped("R12 crashes when the server has acted: another takes over within a second of its time, and a grace server gives it the session", () =>
    Effect.gen(function*() {
      const { call, leader, other, presented, server, until } = yield* midway("grace")
      yield* crash(leader)
      const takenOver = yield* askedAgain(presented)
      assert.deepStrictEqual(yield* call(other, 20), { answered: 20, failed: [] })
      assert.isAtMost(yield* takenOver, until + 1_000)
      assert.strictEqual(presented(), 2)
      assert.strictEqual(server.seen.grantsRevoked(), 0)
    }))

  it.scoped("R12 crashes when the server has acted: on a strict server the session ends, once, and says why", () =>
    Effect.gen(function*() {
      const { call, leader, other, presented, until } = yield* midway("strict")
      yield* crash(leader)
      const takenOver = yield* askedAgain(presented)
      const ended = "ReauthorizationRequired RotationOutcomeUnknown"
      assert.deepStrictEqual(yield* call(other, 2), { answered: 0, failed: [ended, ended] })
      assert.isAtMost(yield* takenOver, until + 1_000)
      assert.deepStrictEqual(yield* call(other, 1), { answered: 0, failed: [ended] })
      assert.strictEqual(presented(), 2)
    }))

  it.scoped("R10 sleeps past its time: on a grace server the session goes on in both, and nothing newer is written over", () =>
    Effect.gen(function*() {
      const { asked, call, leader, other, presented, process, server } = yield* midway("grace")
      yield* process.stop
      const { generation } = yield* stored(other)
      assert.deepStrictEqual(yield* call(other, 20), { answered: 20, failed: [] })
      assert.strictEqual((yield* stored(other)).generation, generation + 1)
      assert.strictEqual(presented(), 2)
      yield* Effect.sleep(hold)
      yield* process.goOn
      assert.deepStrictEqual(yield* Fiber.join(asked), { answered: 1, failed: [] })
      const awake = yield* stored(other)
      assert.isAtLeast(awake.generation, generation + 1)
      for (const [index, tab] of [leader, other].entries()) {
        yield* Effect.sleep(tokenSeconds * 1_000 + 100)
        assert.deepStrictEqual(yield* call(tab, 1), { answered: 1, failed: [] })
        assert.strictEqual((yield* stored(other)).generation, awake.generation + 1 + index)
      }
      assert.strictEqual(server.seen.grantsRevoked(), 0)
    }))

  it.scoped("R10 sleeps past its time: on a strict server the session ends, and says why, in both", () =>
    Effect.gen(function*() {
      const { asked, call, leader, other, presented, process } = yield* midway("strict")
      yield* process.stop
      const ended = { answered: 0, failed: ["ReauthorizationRequired RotationOutcomeUnknown"] }
      assert.deepStrictEqual(yield* call(other, 1), ended)
      yield* Effect.sleep(hold)
      yield* process.goOn
      const { answered, failed } = yield* Fiber.join(asked)
      assert.strictEqual(answered, 0)
      assert.match(failed.join(), /^(?:ReauthorizationRequired RotationOutcomeUnknown|RefreshFailed Attempt)$/)
      assert.deepStrictEqual(yield* call(leader, 1), ended)
      assert.deepStrictEqual(yield* call(other, 1), ended)
      assert.strictEqual(presented(), 2)
    }))
})
