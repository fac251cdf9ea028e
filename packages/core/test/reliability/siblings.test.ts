/** Processes that share a store hear of each other, keep to each other's pauses, and lose nothing that two of them got. */
import { RefreshLease, SessionRecord, TokenStore } from "@effect-oauth2/core"
import type { OAuth2Client, OAuth2Session } from "@effect-oauth2/core"
import { Fault, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber, Layer, PubSub, Redacted, Scope, Stream } from "effect"
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

/** A store that tells every change, as one with LISTEN and NOTIFY does. */
const telling = Layer.scoped(
  WatchedStore.WatchedStore,
  Effect.gen(function*() {
    const changes = yield* PubSub.unbounded<string>()
    const memory = yield* TokenStore.makeMemory
    const told = <A, E>(key: string, act: Effect.Effect<A, E>) => Effect.zipLeft(act, PubSub.publish(changes, key))
    return yield* WatchedStore.make({ sharing: "network", changes: Stream.fromPubSub(changes) }, {
      ...memory,
      commit: (key, claim, next) => told(key, memory.commit(key, claim, next)),
      replace: (key, record) => told(key, memory.replace(key, record)),
      remove: (key) => told(key, memory.remove(key)),
      rename: (from, to, hold) => told(from, told(to, memory.rename(from, to, hold)))
    })
  })
)

const silent = Layer.effect(WatchedStore.WatchedStore, WatchedStore.make({ sharing: "network" }))

const as = <A, E, R>(client: OAuth2Client.OAuth2ClientService, effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Client, client)

/** Uses each session every so often. */
const useAll = (sessions: ReadonlyArray<OAuth2Session.OAuth2Session>, every: number, duration: number) =>
  Effect.forEach(
    sessions,
    ({ token }) => Effect.repeatN(Effect.delay(Effect.exit(token), every), Math.floor(duration / every)),
    { concurrency: "unbounded", discard: true }
  )

describe("a store that tells of changes", () => {
  it("R07 who waits for a sibling goes on as soon as the sibling has written", () =>
    Simulation.run(71, () =>
      Effect.gen(function*() {
        const [here, there, server] = yield* Effect.all([open(), open(), Server])
        yield* as(here, signIn())
        yield* Effect.sleep(2 * hour)
        yield* server.inject("token", Fault.delay(3_000))
        const renewing = yield* Effect.fork(Effect.timed(here.session().token))
        yield* Effect.sleep(10)
        const [waited, token] = yield* Effect.timed(there.session().token)
        const [, renewed] = yield* renewing
        assert.strictEqual(Redacted.value(token.accessToken), Redacted.value(renewed.accessToken))
        assert.approximately(Duration.toMillis(waited), 2_990, 5)
        assert.strictEqual(yield* server.tokenRequests(), 1)
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(telling, TestAuthorizationServer.layer())))))

  it("R07 a sibling's renewal is adopted at once, and told, without a request", () =>
    Simulation.run(72, () =>
      Effect.gen(function*() {
        const [here, there, server] = yield* Effect.all([open(), open(), Server])
        yield* as(here, signIn())
        yield* there.session().token
        const seen = yield* as(there, watchEvents)
        const renewed = yield* here.session().refresh
        yield* Effect.sleep(5)
        assert.deepStrictEqual(seen.map(({ _tag }) => _tag), ["Adopted"])
        assert.strictEqual(
          Redacted.value((yield* there.session().token).accessToken),
          Redacted.value(renewed.accessToken)
        )
        assert.strictEqual(yield* server.tokenRequests(), 1)
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(telling, TestAuthorizationServer.layer())))))

  it.each([
    ["nobody knows whether it arrived", Fault.hang],
    ["it never left", Fault.make("late", (act) => Effect.delay(Fault.connectionRefused.apply(act), 3_000))]
  ])(
    "R10 whose request fails when a sibling has renewed in the meantime goes on with that (%s)",
    (_, fault) =>
      Simulation.run(76, () =>
        Effect.gen(function*() {
          const [here, there, server] = yield* Effect.all([open(), open(), Server])
          yield* as(here, signIn())
          yield* Effect.sleep(2 * hour)
          yield* server.inject("token", fault)
          const asked = yield* Effect.fork(here.session().token)
          yield* Effect.sleep(10)
          yield* as(there, signIn())
          const current = yield* there.session().token
          const token = yield* asked
          assert.strictEqual(Redacted.value(token.accessToken), Redacted.value(current.accessToken))
          assert.strictEqual(yield* server.tokenRequests(), 1)
          assert.strictEqual(
            Redacted.value((yield* here.session().token).accessToken),
            Redacted.value(current.accessToken)
          )
        }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, TestAuthorizationServer.layer()))))
  )

  it("a sign-out elsewhere is seen at once, and told", () =>
    Simulation.run(73, () =>
      Effect.gen(function*() {
        const [here, there] = yield* Effect.all([open(), open()])
        yield* as(here, signIn())
        yield* there.session().token
        const seen = yield* as(there, watchEvents)
        yield* here.session().signOut
        yield* Effect.sleep(5)
        assert.deepStrictEqual(seen.map(({ _tag }) => _tag), ["Removed"])
        assert.deepInclude(yield* Effect.flip(there.session().token), { reason: "NoSession" })
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(telling, TestAuthorizationServer.layer())))))

  it("a session that died elsewhere is told as dead", () =>
    Simulation.run(74, () =>
      Effect.gen(function*() {
        const [here, there, server] = yield* Effect.all([open(), open(), Server])
        yield* as(here, signIn())
        yield* there.session().token
        const seen = yield* as(there, watchEvents)
        yield* server.inject("token", Fault.status(400, { error: "invalid_grant" }))
        yield* Effect.exit(here.session().refresh)
        yield* Effect.sleep(5)
        assert.deepStrictEqual(seen.map((event) => [event._tag, "reason" in event && event.reason]), [
          ["Dead", "InvalidGrant"]
        ])
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(telling, TestAuthorizationServer.layer())))))

  it("what is told of a session that nobody uses here costs no look at the store", () =>
    Simulation.run(75, () =>
      Effect.gen(function*() {
        const [here, , store] = yield* Effect.all([open(), open(), WatchedStore.WatchedStore])
        yield* as(here, signIn())
        const reads = store.count("get")
        yield* Effect.repeatN(here.session().refresh, 9)
        yield* Effect.sleep(1_000)
        // Each renewal reads once, and once more when its own change is told
        assert.isAtMost(store.count("get") - reads, 20)
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(telling, TestAuthorizationServer.layer())))))
})

describe("a session that a sibling redeems is moved afterwards", () => {
  const server = TestAuthorizationServer.layer({ rotation: "strict" })

  /** A session under "anonymous" whose token has expired. */
  const expired = (client: OAuth2Client.OAuth2ClientService) =>
    Effect.zipRight(as(client, signIn("anonymous")), Effect.sleep(2 * hour))

  for (const [what, store] of [["silent", silent], ["telling", telling]] as const) {
    it(`B036 S61 with what it was issued (${what} store)`, () =>
      Simulation.run(77, () =>
        Effect.gen(function*() {
          const [there, here, server] = yield* Effect.all([open(), open(), Server])
          yield* expired(there)
          yield* server.inject("token", Fault.afterActing(Fault.delay(3_000)))
          const renewing = yield* Effect.fork(there.session("anonymous").token)
          yield* Effect.sleep(100)
          assert.isTrue(yield* here.rename("anonymous", "user"))
          const renewed = yield* renewing
          yield* assertIntact("user")
          const token = yield* here.session("user").token
          assert.strictEqual(Redacted.value(token.accessToken), Redacted.value(renewed.accessToken))
          assert.isUndefined(yield* (yield* WatchedStore.WatchedStore).stored("anonymous"))
          assert.strictEqual(yield* server.tokenRequests(), 1)
          yield* assertOnePresentation
        }).pipe(Effect.scoped, Effect.provide(Layer.merge(store, server)))))
  }

  it("R12 when the sibling's time is up, with the doubt that it left", () =>
    Simulation.run(78, () =>
      Effect.gen(function*() {
        const [here, store] = yield* Effect.all([open(), WatchedStore.WatchedStore])
        yield* expired(here)
        const key = store.asked.at(-1)?.key ?? ""
        yield* store.service.begin(key, { generation: 1, attempt: "killed" }, Duration.seconds(13))
        const [waited, moved] = yield* Effect.timed(here.rename("anonymous", "user"))
        assert.isTrue(moved)
        assert.approximately(Duration.toMillis(waited), 13_000, 100)
        const begun = yield* store.service.begin(key.replace("anonymous", "user"), {
          generation: 1,
          attempt: "next"
        }, Duration.seconds(13))
        assert.isTrue(begun._tag === "Begun" && SessionRecord.isUnresolved(begun.record))
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, server)))))

  it("R06 and who waits for that can be interrupted", () =>
    Simulation.run(79, () =>
      Effect.gen(function*() {
        const [there, here, server] = yield* Effect.all([open(), open(), Server])
        yield* expired(there)
        yield* server.inject("token", Fault.delay(3_000))
        const renewing = yield* Effect.fork(there.session("anonymous").token)
        yield* Effect.sleep(100)
        const moving = yield* Effect.fork(here.rename("anonymous", "user"))
        yield* Effect.sleep(100)
        const [waited] = yield* Effect.timed(Fiber.interrupt(moving))
        assert.isBelow(Duration.toMillis(waited), 10)
        yield* renewing
        yield* Effect.sleep(second)
        yield* assertIntact("user")
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, server)))))

  it("and a store whose clock is behind is not asked without a pause", () => {
    const behind = Layer.effect(
      WatchedStore.WatchedStore,
      Effect.flatMap(TokenStore.makeMemory, (memory) =>
        WatchedStore.make({ sharing: "network" }, {
          ...memory,
          rename: (from, to, hold) =>
            Effect.map(memory.rename(from, to, hold), (outcome) =>
              outcome._tag === "Busy" ? { ...outcome, until: outcome.until - hour } : outcome)
        }))
    )
    return Simulation.run(80, () =>
      Effect.gen(function*() {
        const [there, here, server, store] = yield* Effect.all([open(), open(), Server, WatchedStore.WatchedStore])
        yield* expired(there)
        yield* server.inject("token", Fault.delay(3_000))
        const renewing = yield* Effect.fork(there.session("anonymous").token)
        yield* Effect.sleep(100)
        assert.isTrue(yield* here.rename("anonymous", "user"))
        yield* renewing
        assert.isBelow(store.count("rename"), 65)
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(behind, server))))
  })
})

describe("R23 a pause is kept by all processes", () => {
  it.each([1, 2, 3, 4])(
    "R23 eight processes make 12 attempts in a five-minute outage, at most (seed %i)",
    (seed) =>
      Simulation.run(seed, (world) =>
        Effect.gen(function*() {
          const processes = yield* Effect.all(Array.from({ length: 8 }, () => open()))
          const server = yield* Server
          // Between one's look and its begin, another may begin and fail
          const store = yield* WatchedStore.WatchedStore
          store.before = () => Effect.sleep(world.random() * 300)
          yield* as(processes[0]!, signIn())
          yield* Effect.sleep(61 * minute)
          const began = yield* Clock.currentTimeMillis
          yield* server.inject("token", Fault.connectionRefused, { times: Infinity })
          yield* useAll(processes.map((client) => client.session()), 1_000, 5 * minute)
          const attempts = (yield* server.exchanges("token")).map(({ at }) => at - began)
          assert.isAtMost(attempts.length, 12)
          assert.isAtLeast(attempts.length, 7)
          yield* server.clearFaults("token")
          yield* Effect.sleep(2 * minute)
          yield* Effect.forEach(processes, (client) => client.session().token)
          yield* assertIntact()
          yield* assertOnePresentation
        }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, TestAuthorizationServer.layer()))))
  )

  it("R23 a process that was started anew keeps to the pause of the one before it", () =>
    Simulation.run(5, () =>
      Effect.gen(function*() {
        const server = yield* Server
        yield* as(yield* open(), signIn())
        yield* Effect.sleep(61 * minute)
        for (let n = 0; n < 5; n++) yield* server.inject("token", Fault.status(429, { retryAfter: "60" }))
        const first = yield* open()
        yield* Effect.exit(first.session().token)
        for (let n = 0; n < 20; n++) {
          const client = yield* open()
          assert.deepInclude(yield* Effect.flip(client.session().token), { _tag: "RefreshFailed", reason: "CoolDown" })
          yield* Effect.sleep(second)
        }
        assert.strictEqual(yield* server.tokenRequests(), 1)
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, TestAuthorizationServer.layer())))))
})

describe("a lease beside the store", () => {
  it("S61 who waits for the lease asks the store no more than twice, and adopts", () =>
    Simulation.run(81, () =>
      Effect.gen(function*() {
        const lease = yield* RefreshLease.makeMemory
        const withLease = Effect.provideService(open(), RefreshLease.RefreshLease, lease)
        const [here, there, server, store] = yield* Effect.all([
          withLease,
          withLease,
          Server,
          WatchedStore.WatchedStore
        ])
        yield* as(here, signIn())
        yield* Effect.sleep(2 * hour)
        yield* server.inject("token", Fault.delay(5_000))
        const asked = store.asked.length
        yield* Effect.all([here.session().token, there.session().token], { concurrency: "unbounded" })
        assert.strictEqual(yield* server.tokenRequests(), 1)
        // A look, the lease, a look, begin and commit; and two looks of who waited
        assert.isAtMost(store.asked.length - asked, 6)
        yield* assertIntact()
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, TestAuthorizationServer.layer())))))

  it("R13 the lease is given back before the program's observer has its turn, and before a sibling is waited for", () =>
    Simulation.run(83, () =>
      Effect.gen(function*() {
        let held = 0
        const memory = yield* RefreshLease.makeMemory
        const lease: RefreshLease.RefreshLeaseService = {
          withLease: (key, options, use) =>
            memory.withLease(key, options, (lost) =>
              Effect.acquireUseRelease(
                Effect.sync(() => held++),
                () => use(lost),
                () => Effect.sync(() => held--)
              ))
        }
        const seen: Array<number> = []
        const onToken = () => Effect.delay(Effect.sync(() => void seen.push(held)), minute)
        const here = yield* Effect.provideService(open({ onToken }), RefreshLease.RefreshLease, lease)
        const [server, store] = yield* Effect.all([Server, WatchedStore.WatchedStore])
        yield* as(here, signIn())
        yield* Effect.sleep(2 * hour)
        yield* here.session().token
        assert.deepStrictEqual(seen, [0, 0], "after the sign-in, and after the renewal")
        // A sibling without a lease is in the middle of it
        const there = yield* open()
        yield* Effect.sleep(2 * hour)
        yield* server.inject("token", Fault.delay(5_000))
        yield* Effect.fork(there.session().token)
        yield* Effect.sleep(second)
        const waiting = yield* Effect.fork(here.session().token)
        const asked = store.asked.length
        yield* Effect.sleep(2 * second)
        assert.isAbove(store.asked.length, asked, "it looks again and again")
        assert.strictEqual(held, 0)
        yield* waiting.await
        assert.strictEqual(yield* server.tokenRequests(), 2)
        yield* assertIntact()
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, TestAuthorizationServer.layer())))))

  it.each(["given back", "never given back"])(
    "S61 a new sign-in while the lease is waited for is not redeemed when it is %s",
    (end) =>
      Simulation.run(84, () =>
        Effect.gen(function*() {
          const lease = yield* RefreshLease.makeMemory
          const here = yield* Effect.provideService(open(), RefreshLease.RefreshLease, lease)
          const [server, store] = yield* Effect.all([Server, WatchedStore.WatchedStore])
          yield* as(here, signIn())
          const { key = "" } = store.asked.at(-1) ?? {}
          yield* Effect.sleep(2 * hour)
          const time = end === "given back" ? 5 * second : minute
          yield* Effect.fork(lease.withLease(key, { ttl: time, wait: 0 }, () => Effect.sleep(time)))
          yield* Effect.sleep(1)
          const waiting = yield* Effect.fork(here.session().token)
          yield* Effect.sleep(second)
          yield* as(here, signIn())
          const token = yield* waiting
          assert.strictEqual(
            Redacted.value(token.accessToken),
            Redacted.value((yield* here.session().token).accessToken)
          )
          assert.strictEqual(yield* server.tokenRequests(), 0)
          yield* assertIntact()
        }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, TestAuthorizationServer.layer()))))
  )

  it("R12 a lease that is never given back is not waited for beyond the hold", () =>
    Simulation.run(82, () =>
      Effect.gen(function*() {
        const never: RefreshLease.RefreshLeaseService = {
          withLease: (_, { wait }) =>
            Effect.delay(new RefreshLease.LeaseTimeout({ waited: Duration.toMillis(wait) }), wait)
        }
        const here = yield* Effect.provideService(open(), RefreshLease.RefreshLease, never)
        yield* as(here, signIn())
        yield* Effect.sleep(2 * hour)
        const [waited] = yield* Effect.timed(here.session().token)
        assert.isAtMost(Duration.toMillis(waited), 13 * second)
        assert.strictEqual(yield* (yield* Server).tokenRequests(), 1)
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, TestAuthorizationServer.layer())))))
})

describe("R18 a process that ends", () => {
  it("R18 asks for nothing whose answer might come too late: what it waits for is left to others", () =>
    Simulation.run(18, () =>
      Effect.gen(function*() {
        const [here, server, store] = yield* Effect.all([open(), Server, WatchedStore.WatchedStore])
        yield* as(here, signIn())
        yield* Effect.sleep(2 * hour)
        const { key } = store.asked.at(-1)!
        // Of a process that was killed before its request
        yield* store.service.begin(key, { generation: 1, attempt: "killed" }, Duration.seconds(13))
        const scope = yield* Scope.make()
        const ending = yield* Scope.extend(open(), scope)
        yield* Effect.sleep(4 * second)
        const asking = yield* Effect.fork(Effect.flip(ending.session().token))
        yield* Effect.sleep(10)
        yield* Scope.close(scope, Exit.void)
        assert.deepInclude(yield* asking, { _tag: "RefreshFailed", reason: "Closing" })
        assert.strictEqual(yield* server.tokenRequests(), 0)
        yield* Effect.sleep(minute)
        yield* here.session().token
        yield* assertIntact()
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, TestAuthorizationServer.layer())))))
})

describe("R10 a process that was frozen", () => {
  const grace = TestAuthorizationServer.layer({ rotation: { grace: "1 minute" } })
  const policy = { refreshPolicy: { rotation: "grace" } } as const

  it.each([0, 1, 2, 3])(
    "R10 before its request: it makes none with a claim that is another's by now (seed %i)",
    (seed) =>
      Simulation.run(seed, (world) =>
        Effect.gen(function*() {
          const [frozen, other] = yield* Effect.all([open(policy), open(policy)])
          const [server, store] = yield* Effect.all([Server, WatchedStore.WatchedStore])
          yield* as(frozen, signIn())
          yield* Effect.sleep(2 * hour)
          store.after = (operation) => {
            if (operation !== "begin") return Effect.void
            store.after = () => Effect.void
            // The clock goes on while the process stands still, and another takes over
            return Effect.zipRight(
              Effect.sync(() => world.setClock(22 * second)),
              Effect.ignore(other.session().token)
            )
          }
          yield* frozen.session().token
          assert.strictEqual(yield* server.tokenRequests(), 1)
          yield* assertIntact()
          yield* assertOnePresentation
        }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, grace))))
  )

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "R10 in the middle of its request: two answers for one refresh token are brought to one, and the session goes on (seed %i)",
    (seed) =>
      Simulation.run(seed, (world) =>
        Effect.gen(function*() {
          const [frozen, other] = yield* Effect.all([open(policy), open(policy)])
          const server = yield* Server
          yield* as(frozen, signIn())
          yield* Effect.sleep(2 * hour)
          // Its request arrives at once, or only when the other has its answer; its own answer comes last
          yield* server.inject("token", seed % 2 === 0 ? Fault.delay(7_500) : Fault.afterActing(Fault.delay(7_500)))
          const ended = yield* Effect.fork(Effect.exit(frozen.session().token))
          yield* Effect.sleep(100)
          world.setClock(13 * second)
          const taken = yield* Effect.exit(other.session().token)
          assert.isTrue(Exit.isSuccess(taken))
          yield* ended
          yield* Effect.sleep(second)
          // The one refresh token was presented twice, and what it gave once, so that one successor is left
          assert.strictEqual(yield* server.tokenRequests(), 3)
          yield* assertIntact()
          // Long after the grace window, both still go on
          yield* Effect.sleep(2 * hour)
          const tokens = yield* Effect.forEach([frozen, other], (client) => client.session().token)
          assert.strictEqual(new Set(tokens.map(({ accessToken }) => Redacted.value(accessToken))).size, 1)
          yield* assertIntact()
        }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, grace))))
  )

  it("R10 an alternate is tried once when the other is refused, before the session is called dead", () =>
    Simulation.run(9, () =>
      Effect.gen(function*() {
        const [client, server, store] = yield* Effect.all([open(), Server, WatchedStore.WatchedStore])
        const token = yield* server.issue()
        yield* client.restore({ ...token, refreshToken: Redacted.make("replaced-long-ago") })
        const record = (yield* store.stored())!
        const key = store.asked.at(-1)!.key
        yield* store.service.replace(key, { ...record, alternate: token.refreshToken! })
        const other = yield* open()
        yield* Effect.sleep(2 * hour)
        yield* other.session().token
        assert.strictEqual(yield* server.tokenRequests(), 2)
        yield* assertIntact()
        const dead = (yield* store.stored())!
        yield* store.service.replace(key, {
          ...SessionRecord.authorized(0, { ...dead.token!, refreshToken: Redacted.make("unknown") }),
          alternate: Redacted.make("unknown, too".replaceAll(" ", ""))
        })
        yield* Effect.sleep(2 * hour)
        const third = yield* open()
        assert.deepInclude(yield* Effect.flip(third.session().token), {
          _tag: "ReauthorizationRequired",
          reason: "InvalidGrant"
        })
        assert.strictEqual(yield* server.tokenRequests(), 4)
      }).pipe(Effect.scoped, Effect.provide(Layer.merge(silent, TestAuthorizationServer.layer())))))
})
