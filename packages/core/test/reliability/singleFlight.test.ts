import { CurrentSession } from "@effect-oauth2/core/OAuth2Session"
import { Fault, RequestLog } from "@effect-oauth2/core/testing"
import { assert, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber } from "effect"
import {
  assertIntact,
  assertOnePresentation,
  Client,
  hour,
  HttpClient,
  layer,
  second,
  Server,
  signIn,
  textOf
} from "./house.js"
import * as Simulation from "./Simulation.js"
import { WatchedStore } from "./WatchedStore.js"

const schedules = 200
const crowds = 10
const interruptions = 1_000

const waitUntilExpired = Effect.sleep(2 * hour)

/** As many callers as that ask for a token, each at its own time during a renewal of up to `millis`. */
const callers = (world: Simulation.World, count: number, millis: number) =>
  Effect.gen(function*() {
    const session = (yield* Client).session()
    return yield* Effect.forEach(
      Array.from({ length: count }, () => Math.floor(world.random() * millis)),
      (delay) => Effect.fork(delay === 0 ? session.token : Effect.delay(session.token, delay))
    )
  })

it(`R01 S61 callers at expiry make exactly one token request, in ${schedules} schedules`, async () => {
  const expiries = 20
  for (let seed = 0; seed < schedules / expiries; seed++) {
    await Simulation.run(seed, (world) =>
      Effect.gen(function*() {
        const server = yield* Server
        yield* signIn()
        for (let expiry = 1; expiry <= expiries; expiry++) {
          yield* waitUntilExpired
          const millis = Math.floor(world.random() * 3) * 25
          yield* server.inject("token", Fault.delay(millis))
          const fibers = yield* callers(world, 2 + Math.floor(world.random() * 30), millis)
          const tokens = yield* Effect.forEach(fibers, Fiber.join)
          assert.strictEqual(new Set(tokens).size, 1, "all have the same token")
          assert.strictEqual(yield* server.tokenRequests(), expiry)
        }
        yield* assertIntact()
        yield* assertOnePresentation
      }).pipe(Effect.provide(layer())), { yields: 0.025 * (seed % 3) })
  }
})

it(`R01 10,000 fibers at expiry make exactly one token request, ${crowds} times`, async () => {
  await Simulation.run(1, (world) =>
    Effect.gen(function*() {
      yield* signIn()
      for (let crowd = 1; crowd <= crowds; crowd++) {
        yield* waitUntilExpired
        const tokens = yield* Effect.forEach(yield* callers(world, 10_000, 1), Fiber.join)
        assert.strictEqual(new Set(tokens).size, 1)
        assert.strictEqual(yield* (yield* Server).tokenRequests(), crowd)
      }
      yield* assertIntact()
    }).pipe(Effect.provide(layer())))
})

it("R01 a thousand requests to the resource at expiry make exactly one token request", async () => {
  await Simulation.run(2, () =>
    Effect.gen(function*() {
      const [server, http, session] = yield* Effect.all([Server, HttpClient, signIn()])
      yield* waitUntilExpired
      const responses = yield* Effect.all(
        Array.from({ length: 1_000 }, () => http.get("https://api.test/things")),
        { concurrency: "unbounded" }
      ).pipe(Effect.provideService(CurrentSession, session))
      assert.deepStrictEqual([...new Set(responses.map(({ status }) => status))], [200])
      assert.strictEqual(yield* server.tokenRequests(), 1)
      yield* assertIntact()
    }).pipe(Effect.provide(layer())))
})

it("R04 a thousand sessions refresh at once, each with one request, and one that hangs delays no other", async () => {
  await Simulation.run(3, () =>
    Effect.gen(function*() {
      const server = yield* Server
      const sessions = yield* Effect.forEach(Array.from({ length: 1_000 }), (_, i) => signIn(`user-${i}`))
      const hung = textOf((yield* sessions[500]!.token).refreshToken)
      yield* waitUntilExpired
      const isHung = (exchange: RequestLog.Exchange) => RequestLog.parameter(exchange, "refresh_token") === hung
      yield* server.inject("token", Fault.hang, { where: isHung })
      yield* server.inject("token", Fault.delay(20), { times: Infinity })
      const ended = yield* Effect.forEach(
        sessions,
        ({ token }) => Effect.timed(Effect.exit(token)),
        { concurrency: "unbounded" }
      )
      const waits = ended.map(([waited]) => Duration.toMillis(waited))
      assert.deepStrictEqual([...new Set(waits.toSpliced(500, 1))], [20])
      assert.strictEqual(waits[500], 8 * second)
      assert.isTrue(Exit.isFailure(ended[500]![1]))
      assert.strictEqual(yield* server.tokenRequests(), 1_000)
      yield* assertOnePresentation
    }).pipe(Effect.provide(layer())))
})

it(
  `R05 R06 of those who wait, the first is interrupted at ${interruptions} random instants: it ends at once, nobody \
else fails, and there is one token request`,
  async () => {
    const perSeed = 50
    for (let seed = 0; seed < interruptions / perSeed; seed++) {
      await Simulation.run(seed, (world) =>
        Effect.gen(function*() {
          const server = yield* Server
          const session = yield* signIn()
          for (let expiry = 1; expiry <= perSeed; expiry++) {
            yield* waitUntilExpired
            yield* server.inject("token", Fault.delay(50))
            const leader = yield* Effect.fork(session.token)
            const followers = yield* callers(world, 3, 40)
            yield* world.random() < 0.5
              ? Effect.sleep(Math.floor(world.random() * 60))
              : Effect.repeatN(Effect.yieldNow(), Math.floor(world.random() * 60))
            const before = yield* Clock.currentTimeMillis
            yield* Effect.asVoid(Fiber.interrupt(leader))
            assert.strictEqual((yield* Clock.currentTimeMillis) - before, 0, "the interruption is not waited for")
            assert.strictEqual(new Set(yield* Effect.forEach(followers, Fiber.join)).size, 1)
            assert.strictEqual(yield* server.tokenRequests(), expiry)
          }
          yield* assertIntact()
          yield* assertOnePresentation
        }).pipe(Effect.provide(layer())), { yields: 0.05 })
    }
  }
)

it("R05 when every caller is interrupted, the renewal goes on and the next caller finds the new token", async () => {
  await Simulation.run(5, (world) =>
    Effect.gen(function*() {
      const server = yield* Server
      const session = yield* signIn()
      yield* waitUntilExpired
      yield* server.inject("token", Fault.delay(50))
      const fibers = yield* callers(world, 20, 30)
      yield* Effect.sleep(40)
      yield* Fiber.interruptAll(fibers)
      yield* Effect.sleep(20)
      yield* assertIntact()
      const [waited] = yield* Effect.timed(session.token)
      assert.strictEqual(Duration.toMillis(waited), 0)
      assert.strictEqual(yield* server.tokenRequests(), 1)
    }).pipe(Effect.provide(layer())))
})

it("R07 those who wait go on at the instant of the commit", async () => {
  await Simulation.run(7, (world) =>
    Effect.gen(function*() {
      const [server, store] = yield* Effect.all([Server, WatchedStore])
      yield* signIn()
      yield* waitUntilExpired
      yield* server.inject("token", Fault.delay(70))
      const fibers = yield* callers(world, 1_000, 60)
      const ends = yield* Effect.forEach(fibers, (fiber) => Effect.zipRight(Fiber.join(fiber), Clock.currentTimeMillis))
      const commit = store.asked.find(({ operation }) => operation === "commit")
      assert.deepStrictEqual([...new Set(ends)], [commit?.at])
    }).pipe(Effect.provide(layer())))
})

it("R08 a fresh token costs no look at the store, no fiber and no time", async () => {
  await Simulation.run(8, (world) =>
    Effect.gen(function*() {
      const [store, http, session] = yield* Effect.all([WatchedStore, HttpClient, signIn()])
      const [asked, sleeping] = [store.asked.length, world.sleeping()]
      const before = yield* Clock.currentTimeMillis
      const child = yield* Effect.fork(Effect.void)
      for (let i = 0; i < 1_000; i++) yield* session.token
      yield* Effect.repeatN(http.get("https://api.test/things"), 99).pipe(
        Effect.provideService(CurrentSession, session)
      )
      const next = yield* Effect.fork(Effect.void)
      // Fibers are numbered as they start
      assert.strictEqual(next.id().id - child.id().id, 1)
      assert.deepStrictEqual([store.asked.length, world.sleeping()], [asked, sleeping])
      assert.strictEqual((yield* Clock.currentTimeMillis) - before, 0)
    }).pipe(Effect.provide(layer())), { yields: 0 })
})
