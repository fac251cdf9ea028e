/** Sessions that nobody uses are looked after, each by one machine; and some are never renewed at all. */
import { ReadOnlySession, TokenStore, Upkeep } from "@effect-oauth2/core"
import { Fault, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Redacted } from "effect"
import {
  assertIntact,
  assertOnePresentation,
  Client,
  day,
  hour,
  HttpClient,
  layer,
  minute,
  open,
  second,
  Server,
  signIn,
  watchEvents
} from "./house.js"
import * as Simulation from "./Simulation.js"
import * as WatchedStore from "./WatchedStore.js"

const network = Layer.merge(
  Layer.effect(WatchedStore.WatchedStore, WatchedStore.make({ sharing: "network" })),
  TestAuthorizationServer.layer({ refreshTokenLifetime: "30 days" })
)

describe("Upkeep.keepFresh", () => {
  it("a session that nobody uses is renewed in its early window, through an outage, until it has to end", () =>
    Simulation.run(1, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        const care = yield* Effect.fork(Effect.flip(Upkeep.keepFresh(session)))
        yield* Effect.sleep(10 * hour)
        const renewals = yield* server.tokenRequests()
        assert.isAtLeast(renewals, 10)
        assert.isAtMost(renewals, 12)
        yield* server.inject("token", Fault.connectionRefused, { times: Infinity })
        yield* Effect.sleep(3 * hour)
        yield* server.clearFaults("token")
        yield* Effect.sleep(2 * minute)
        yield* assertIntact()
        const { expiresAt } = yield* session.token
        assert.isAbove(expiresAt!, yield* Clock.currentTimeMillis)
        yield* server.inject("token", Fault.status(400, { error: "invalid_grant" }))
        yield* Effect.sleep(2 * hour)
        assert.deepInclude(yield* Fiber.join(care), { _tag: "ReauthorizationRequired", reason: "InvalidGrant" })
      }).pipe(Effect.provide(layer()))))
})

describe("Upkeep.sweep", () => {
  const keys = Array.from({ length: 20 }, (_, index) => `user ${index}`)

  it("S61 of three machines that sweep at once, one renews each idle session, and no refresh token dies of disuse", () =>
    Simulation.run(2, () =>
      Effect.gen(function*() {
        const machines = yield* Effect.all(Array.from({ length: 3 }, () => open()))
        const server = yield* Server
        yield* Effect.forEach(keys, (key) => Effect.provideService(signIn(key), Client, machines[0]!))
        for (let round = 1; round <= 3; round++) {
          yield* Effect.sleep(20 * day)
          const swept = yield* Effect.forEach(machines, (client) => Upkeep.sweep(client, { idleFor: "10 days" }), {
            concurrency: "unbounded"
          })
          assert.isTrue(swept.every(({ failed }) => failed.length === 0))
          assert.strictEqual(yield* server.tokenRequests(), round * keys.length)
          const [again] = yield* Effect.forEach(machines, (client) => Upkeep.sweep(client, { idleFor: "10 days" }))
          assert.strictEqual(again?.renewed, 0)
        }
        // Sixty days on, with refresh tokens that last for thirty
        yield* Effect.forEach(keys, (key) => assertIntact(key))
        yield* assertOnePresentation
      }).pipe(Effect.scoped, Effect.provide(network))))

  it("the longest idle come first, no more than the limit, at the pace; who was active is left alone", () =>
    Simulation.run(3, () =>
      Effect.gen(function*() {
        const [client, server] = yield* Effect.all([open(), Server])
        for (const key of keys) {
          yield* Effect.provideService(signIn(key), Client, client)
          yield* Effect.sleep(day)
        }
        const before = yield* Clock.currentTimeMillis
        const swept = yield* Upkeep.sweep(client, { idleFor: "10 days", limit: 4, pace: "2 seconds" })
        assert.deepStrictEqual(swept, { renewed: 4, failed: [] })
        assert.isAtLeast((yield* Clock.currentTimeMillis) - before, 6 * second)
        assert.strictEqual(yield* server.tokenRequests(), 4)
        const idle = yield* Effect.forEach(keys, (key) => client.session(key).token)
        assert.deepStrictEqual(idle.map(({ issuedAt }) => issuedAt >= before).slice(0, 6), [
          ...Array.from({ length: 4 }, () => true),
          ...Array.from({ length: 2 }, () => true)
        ])
      }).pipe(Effect.scoped, Effect.provide(network))))

  it("what fails is told by its key, keeps its session, and holds up nobody", () =>
    Simulation.run(4, () =>
      Effect.gen(function*() {
        const [client, server] = yield* Effect.all([open(), Server])
        yield* Effect.forEach(keys.slice(0, 3), (key) => Effect.provideService(signIn(key), Client, client))
        yield* Effect.sleep(20 * day)
        yield* server.inject("token", Fault.connectionRefused)
        const { failed, renewed } = yield* Upkeep.sweep(client, { idleFor: "10 days" })
        assert.strictEqual(renewed, 2)
        assert.deepStrictEqual(failed.map(({ error }) => error._tag), ["RefreshFailed"])
        yield* Effect.forEach(keys.slice(0, 3), (key) => assertIntact(key))
      }).pipe(Effect.scoped, Effect.provide(network))))

  it("sessions that only their users can authorize anew take nobody's place, and are told", () =>
    Simulation.run(8, () =>
      Effect.gen(function*() {
        const [client, server] = yield* Effect.all([open(), Server])
        const abandoned = keys.slice(0, 7)
        const healthy = keys.slice(7, 12)
        for (const sessionKey of abandoned) {
          const { refreshToken: _, ...token } = yield* server.issue()
          yield* client.restore(token, { sessionKey })
        }
        yield* Effect.sleep(minute)
        yield* Effect.forEach(healthy, (key) => Effect.provideService(signIn(key), Client, client))
        yield* Effect.sleep(20 * day)
        const swept = yield* Upkeep.sweep(client, { idleFor: "10 days", limit: 3 })
        assert.strictEqual(swept.renewed, 3)
        assert.deepStrictEqual(swept.failed.map(({ sessionKey }) => sessionKey), abandoned)
        assert.isTrue(swept.failed.every(({ error }) => error._tag === "ReauthorizationRequired"))
        const next = yield* Upkeep.sweep(client, { idleFor: "10 days", limit: 3 })
        assert.strictEqual(next.renewed, 2)
        assert.strictEqual(next.failed.length, abandoned.length)
        assert.strictEqual(yield* server.tokenRequests(), healthy.length)
        yield* Effect.forEach(healthy, (key) => assertIntact(key))
      }).pipe(Effect.scoped, Effect.provide(network))))

  it("what fails for another reason counts, and the same sweep does not come back to it", () =>
    Simulation.run(9, () =>
      Effect.gen(function*() {
        const [client, server] = yield* Effect.all([open(), Server])
        yield* Effect.forEach(keys.slice(0, 6), (key) => Effect.provideService(signIn(key), Client, client))
        yield* Effect.sleep(20 * day)
        yield* server.inject("token", Fault.connectionRefused, { times: 2 })
        const { failed, renewed } = yield* Upkeep.sweep(client, { idleFor: "10 days", limit: 4 })
        assert.deepStrictEqual([renewed, failed.length], [2, 2])
        assert.strictEqual(yield* server.tokenRequests(), 4)
      }).pipe(Effect.scoped, Effect.provide(network))))

  it("a store that cannot tell who is idle is a configuration error that names it", () =>
    Simulation.run(5, () =>
      Effect.gen(function*() {
        const { idle: _, ...memory } = yield* TokenStore.makeMemory
        const silent = Layer.effect(WatchedStore.WatchedStore, WatchedStore.make({ sharing: "network" }, memory))
        const client = yield* Effect.provide(open(), silent)
        const error = yield* Effect.flip(Upkeep.sweep(client, { idleFor: "10 days" }))
        assert.deepInclude(error, { _tag: "ConfigurationError", field: "store" })
      }).pipe(Effect.scoped, Effect.provide(TestAuthorizationServer.layer()))))
})

describe("ReadOnlySession", () => {
  it("serves what is valid, also when a sibling renewed it, and makes no request for another", () =>
    Simulation.run(6, () =>
      Effect.gen(function*() {
        const [writer, reader, server] = yield* Effect.all([open(), open(), Server])
        yield* Effect.provideService(signIn(), Client, writer)
        const session = ReadOnlySession.make(reader)
        for (let n = 0; n < 58; n++) {
          yield* session.token
          yield* Effect.sleep(minute)
        }
        assert.strictEqual(yield* server.tokenRequests(), 0)
        assert.isTrue(yield* session.isAuthorized)
        yield* Effect.sleep(3 * minute)
        const error = yield* Effect.flip(session.token)
        assert.deepInclude(error, { _tag: "RefreshFailed", reason: "ReadOnly" })
        assert.isFalse(yield* session.isAuthorized)
        assert.deepInclude(yield* Effect.flip(session.refresh), { reason: "ReadOnly" })
        const renewed = yield* writer.session().token
        assert.strictEqual(Redacted.value((yield* session.token).accessToken), Redacted.value(renewed.accessToken))
        assert.strictEqual(yield* server.tokenRequests(), 1)
        assert.deepInclude(yield* Effect.flip(ReadOnlySession.make(reader, "nobody").token), { reason: "NoSession" })
      }).pipe(Effect.scoped, Effect.provide(network))))

  it("a resource's 401 is answered with that 401, and with no renewal", () =>
    Simulation.run(7, () =>
      Effect.gen(function*() {
        yield* signIn()
        const [client, server, http] = yield* Effect.all([Client, Server, HttpClient])
        yield* server.configure({ rejectTokens: true })
        const seen = yield* watchEvents
        const response = yield* Effect.provideService(
          http.get("https://api.test/me"),
          Client.CurrentSession,
          ReadOnlySession.make(client)
        )
        assert.strictEqual(response.status, 401)
        assert.strictEqual(yield* server.tokenRequests(), 0)
        assert.deepStrictEqual(seen, [])
        yield* assertIntact()
      }).pipe(Effect.scoped, Effect.provide(layer()))))
})
