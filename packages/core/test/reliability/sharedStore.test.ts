/** Several processes on one store: here, several clients of one program, which share nothing else. */
import { SharedKeeper, TokenStore } from "@effect-oauth2/core"
import type { SessionRecord } from "@effect-oauth2/core"
import { Fault, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Layer, Option } from "effect"
import {
  assertIntact,
  assertOnePresentation,
  Client,
  hour,
  minute,
  open,
  second,
  Server,
  signIn,
  watchEvents
} from "./house.js"
import * as Simulation from "./Simulation.js"
import * as WatchedStore from "./WatchedStore.js"

const shared = Layer.merge(
  Layer.effect(WatchedStore.WatchedStore, WatchedStore.make({ sharing: "network" })),
  TestAuthorizationServer.layer()
)

describe("a store that others write to", () => {
  it.each([["1 minute", undefined], ["5 seconds", "5 seconds"]] as const)(
    "a sign-out elsewhere is seen within %s, and until then costs no look at the store",
    (_, revalidateAfter) =>
      Simulation.run(1, () =>
        Effect.gen(function*() {
          const [here, there] = yield* Effect.all([
            open(revalidateAfter && { refreshPolicy: { revalidateAfter } }),
            open()
          ])
          const store = yield* WatchedStore.WatchedStore
          const millis = revalidateAfter === undefined ? minute : 5 * second
          const session = yield* Effect.provideService(signIn(), Client, here)
          yield* Effect.sleep(1)
          yield* there.session().signOut
          const reads = store.count("get")
          yield* Effect.sleep(millis - 2)
          yield* session.token
          assert.strictEqual(store.count("get"), reads)
          yield* Effect.sleep(2)
          assert.deepInclude(yield* Effect.flip(session.token), {
            _tag: "ReauthorizationRequired",
            reason: "NoSession"
          })
        }).pipe(Effect.scoped, Effect.provide(shared)))
  )

  it("R08 a thousand calls within the time cost one look at the store", () =>
    Simulation.run(2, () =>
      Effect.gen(function*() {
        const here = yield* open()
        const store = yield* WatchedStore.WatchedStore
        const session = yield* Effect.provideService(signIn(), Client, here)
        yield* Effect.sleep(minute)
        const reads = store.count("get")
        yield* Effect.repeatN(Effect.delay(session.token, 50), 1_000)
        assert.strictEqual(store.count("get"), reads + 1)
      }).pipe(Effect.scoped, Effect.provide(shared))))

  it("a store of this process alone is not looked at again", () =>
    Simulation.run(3, () =>
      Effect.gen(function*() {
        const here = yield* open()
        const store = yield* WatchedStore.WatchedStore
        const session = yield* Effect.provideService(signIn(), Client, here)
        yield* Effect.repeatN(Effect.delay(session.token, minute), 30)
        assert.strictEqual(store.count("get"), 0)
      }).pipe(
        Effect.scoped,
        Effect.provide(
          Layer.merge(
            Layer.effect(WatchedStore.WatchedStore, WatchedStore.make()),
            TestAuthorizationServer.layer()
          )
        )
      )))

  it("R07 S61 of several processes at expiry one redeems, and the others adopt what it wrote within 250 ms", () =>
    Simulation.run(4, () =>
      Effect.gen(function*() {
        const processes = yield* Effect.all(Array.from({ length: 8 }, () => open()))
        const server = yield* Server
        yield* Effect.provideService(signIn(), Client, processes[0]!)
        const seen = yield* Effect.forEach(processes, (client) => Effect.provideService(watchEvents, Client, client))
        yield* Effect.forEach(processes, (client) => client.session().token)
        for (let expiry = 1; expiry <= 20; expiry++) {
          yield* Effect.sleep(2 * hour)
          yield* server.inject("token", Fault.delay(100))
          const tokens = yield* Effect.forEach(processes, (client) => Effect.timed(client.session().token), {
            concurrency: "unbounded"
          })
          assert.strictEqual(new Set(tokens.map(([, { issuedAt }]) => issuedAt)).size, 1)
          for (const [waited] of tokens) assert.isAtMost(Duration.toMillis(waited), 350)
          assert.strictEqual(yield* server.tokenRequests(), expiry)
        }
        // Those who watch have their turn
        yield* Effect.sleep(1)
        const tags = seen.flat().map(({ _tag }) => _tag)
        assert.strictEqual(tags.filter((tag) => tag === "Refreshed").length, 20)
        assert.strictEqual(tags.filter((tag) => tag === "Adopted").length, 20 * 7)
        yield* assertIntact()
        yield* assertOnePresentation
      }).pipe(Effect.scoped, Effect.provide(shared))))
})

describe("R27 two processes redeem the same refresh token, for want of a lease", () => {
  /** A store on which whoever asks may redeem: the first to write wins, by the generation alone. */
  const withoutLease = Effect.sync((): TokenStore.SharedStore => {
    const records = new Map<string, SessionRecord.SessionRecord>()
    const unused = Effect.die("not used here")
    return {
      durability: "durable",
      sharing: "network",
      keeper: SharedKeeper.make,
      get: (key) => Effect.sync(() => Option.fromNullable(records.get(key))),
      begin: (key, claim) =>
        Effect.map(
          Effect.clockWith((clock) => clock.currentTimeMillis),
          (now) => TokenStore.begin(records.get(key), claim, now, 0)
        ),
      commit: (key, claim, next) =>
        Effect.sync(() => {
          const record = records.get(key)
          if (record?.generation !== claim.generation) return { _tag: "Lost", record } as const
          records.set(key, next)
          return { _tag: "Committed" } as const
        }),
      release: () => Effect.void,
      replace: (key, record) =>
        Effect.sync(() => {
          const next = { ...record, generation: (records.get(key)?.generation ?? 0) + 1 }
          records.set(key, next)
          return next
        }),
      remove: () => unused,
      rename: () => unused
    }
  })
  /** For a night: `SHARED_RACES=10000`. */
  const races = Number(process.env["SHARED_RACES"] ?? 300)

  it(
    `R27 in ${races} races the loser takes what the winner wrote, and nobody is signed out while the grace lasts`,
    () =>
      Simulation.run(27, (world) =>
        Effect.gen(function*() {
          const options: Parameters<typeof open>[0] = { refreshPolicy: { rotation: "grace" } }
          const [one, other] = yield* Effect.all([open(options), open(options)])
          const server = yield* Server
          const store = yield* WatchedStore.WatchedStore
          yield* Effect.provideService(signIn(), Client, one)
          let doubled = 0
          for (let race = 0; race < races; race++) {
            yield* Effect.sleep(2 * hour)
            const before = yield* server.tokenRequests()
            yield* server.inject("token", Fault.delay(Math.floor(world.random() * 100)))
            yield* server.inject("token", Fault.delay(Math.floor(world.random() * 100)))
            const ended = yield* Effect.forEach(
              [one, other],
              (client) => Effect.exit(Effect.delay(client.session().token, Math.floor(world.random() * 20))),
              { concurrency: "unbounded" }
            )
            assert.isTrue(ended.every(Exit.isSuccess))
            const [mine, its] = yield* Effect.all([one.session().token, other.session().token])
            const stored = (yield* store.stored())?.token
            assert.deepStrictEqual(mine, its)
            assert.deepStrictEqual(mine, stored)
            if ((yield* server.tokenRequests()) === before + 2) doubled++
            yield* server.clearFaults("token")
          }
          assert.isAbove(doubled, races / 2)
        }).pipe(
          Effect.scoped,
          Effect.provide(Layer.merge(
            Layer.effect(
              WatchedStore.WatchedStore,
              Effect.flatMap(withoutLease, (inner) => WatchedStore.make({ sharing: "network" }, inner))
            ),
            TestAuthorizationServer.layer({ rotation: { grace: "1 minute" } })
          )),
          Effect.withTracerEnabled(false)
        )),
    300_000 + 100 * races
  )
})
