import type { OAuth2Session } from "@effect-oauth2/core"
import { CurrentSession } from "@effect-oauth2/core/OAuth2Session"
import { Fault } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit } from "effect"
import {
  assertIntact,
  assertOnePresentation,
  HttpClient,
  layer,
  minute,
  second,
  Server,
  signIn,
  textOf,
  watchEvents
} from "./house.js"
import * as Simulation from "./Simulation.js"
import { WatchedStore } from "./WatchedStore.js"

/** How many faults the longest test injects. For a night: `INJECTED_FAULTS=100000`. */
const faults = Number(process.env["INJECTED_FAULTS"] ?? 5_000)

/** Calls the API every so often, for so long; how each call ended. */
const callEvery = (session: OAuth2Session.OAuth2Session, interval: number, duration: number) =>
  Effect.gen(function*() {
    const http = yield* HttpClient
    const ended: Array<Exit.Exit<number, unknown>> = []
    const until = (yield* Clock.currentTimeMillis) + duration
    while ((yield* Clock.currentTimeMillis) < until) {
      const call = Effect.map(http.get("https://api.test/things"), (response) => response.status)
      ended.push(yield* Effect.exit(Effect.provideService(call, CurrentSession, session)))
      yield* Effect.sleep(interval)
    }
    return ended
  })

const failures = (ended: ReadonlyArray<Exit.Exit<number, unknown>>) =>
  ended.filter((exit) => Exit.isFailure(exit) || exit.value !== 200).length

const downFor = (duration: number, fault: Fault.Fault = Fault.connectionRefused) =>
  Effect.gen(function*() {
    const server = yield* Server
    yield* server.inject("token", fault, { times: Infinity })
    yield* Effect.forkDaemon(Effect.delay(server.clearFaults("token"), duration))
  })

describe("R22 R23 the authorization server is down", () => {
  it("R22 down for the whole early window less a second: no call fails, and the outage is told", () =>
    Simulation.run(22, () =>
      Effect.gen(function*() {
        const session = yield* signIn()
        const events = yield* watchEvents
        yield* Effect.sleep(54 * minute)
        yield* downFor(6 * minute - second)
        const ended = yield* callEvery(session, 100, 8 * minute)
        assert.isAbove(ended.length, 4_000)
        assert.strictEqual(failures(ended), 0)
        const failed = events.filter((event) => event._tag === "RenewalFailed")
        assert.isAbove(failed.length, 0)
        assert.isTrue(failed.every((event) => event._tag === "RenewalFailed" && event.servedStale))
        assert.strictEqual(events.at(-1)?._tag, "Refreshed")
        yield* assertIntact()
      }).pipe(Effect.provide(layer()))))

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "R23 a five-minute outage brings at most 12 attempts, further and further apart (seed %i)",
    (seed) =>
      Simulation.run(seed, () =>
        Effect.gen(function*() {
          const [server, session] = yield* Effect.all([Server, signIn()])
          yield* Effect.sleep(61 * minute)
          yield* downFor(5 * minute)
          const began = yield* Clock.currentTimeMillis
          yield* callEvery(session, 100, 5 * minute)
          const attempts = (yield* server.exchanges("token")).map(({ at }) => at - began)
          assert.isAtMost(attempts.length, 12)
          assert.isAtLeast(attempts.length, 7)
          assert.isAtMost(attempts[0]!, 100)
          const gaps = attempts.slice(1).map((at, index) => at - attempts[index]!)
          assert.isTrue(gaps.every((gap) => gap >= 800 && gap <= 72_200), String(gaps))
          yield* Effect.sleep(2 * minute)
          yield* session.token
          yield* assertIntact()
          yield* assertOnePresentation
        }).pipe(Effect.provide(layer())))
  )

  it.each([1, 2, 3])(
    "R23 S63 Retry-After is kept to: never early, and late by 10 % at most (seed %i)",
    (seed) =>
      Simulation.run(seed, () =>
        Effect.gen(function*() {
          const [server, session] = yield* Effect.all([Server, signIn()])
          yield* Effect.sleep(61 * minute)
          for (const [index, seconds] of [1, 20, 90, 120].entries()) {
            yield* server.inject("token", Fault.status(index % 2 === 0 ? 503 : 429, { retryAfter: String(seconds) }))
          }
          yield* callEvery(session, 50, 6 * minute)
          const at = (yield* server.exchanges("token")).map((exchange) => exchange.at)
          const gaps = at.slice(1).map((instant, index) => instant - at[index]!)
          const asked = [1, 20, 90, 120].map((seconds) => seconds * second)
          // Back-off may ask for more than the server does: 1, 2, 4, 8 seconds, more or less.
          asked.forEach((delay, index) => {
            assert.isAtLeast(gaps[index]!, delay)
            assert.isAtMost(gaps[index]!, Math.max(delay * 1.1, 2 ** index * 1_200 + 100))
          })
          yield* assertIntact()
        }).pipe(Effect.provide(layer())))
  )

  it("R23 a pause that the server asked for outlasts the token's expiry", () =>
    Simulation.run(9, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        yield* Effect.sleep(59 * minute + 50 * second)
        yield* server.inject("token", Fault.status(503, { retryAfter: "30" }))
        yield* session.token
        yield* Effect.sleep(20 * second)
        const failed = yield* Effect.flip(session.token)
        assert.deepInclude(failed, { _tag: "RefreshFailed", reason: "CoolDown" })
        assert.strictEqual(yield* server.tokenRequests(), 1)
        yield* Effect.sleep(11 * second)
        yield* session.token
        yield* assertIntact()
      }).pipe(Effect.provide(layer()))))
})

describe("R28 nothing but a genuine refusal ends a session", () => {
  const harmless: Readonly<Record<string, Fault.Fault>> = {
    "no connection": Fault.connectionRefused,
    "no name": Fault.disconnect("ENOTFOUND"),
    "a bad certificate": Fault.disconnect("CERT_HAS_EXPIRED"),
    "another certificate": Fault.disconnect("ERR_TLS_CERT_ALTNAME_INVALID"),
    "a reset before the rotation": Fault.reset,
    "a time-out before the rotation": Fault.hang,
    "500": Fault.status(500),
    "500 with server_error": Fault.status(500, { error: "server_error" }),
    "502": Fault.status(502, { body: "<h1>Bad Gateway</h1>", contentType: "text/html" }),
    "503": Fault.status(503),
    "503 with Retry-After": Fault.status(503, { retryAfter: "1" }),
    "504": Fault.status(504),
    "429": Fault.status(429, { retryAfter: "1" }),
    "invalid_client": Fault.status(401, { error: "invalid_client" }),
    "unauthorized_client": Fault.status(400, { error: "unauthorized_client" }),
    "invalid_scope": Fault.status(400, { error: "invalid_scope" }),
    "invalid_request": Fault.status(400, { error: "invalid_request" }),
    "temporarily_unavailable": Fault.status(400, { error: "temporarily_unavailable" }),
    "invalid_grant in a 200": Fault.status(200, { error: "invalid_grant" }),
    "invalid_grant in a 500": Fault.status(500, { error: "invalid_grant" }),
    "an error page": Fault.html,
    "nothing": Fault.emptyBody,
    "a captive portal": Fault.redirect("https://portal.test/login", 302)
  }
  const names = Object.keys(harmless)

  it(
    `R28 ${faults} faults of ${names.length} kinds, and the session is there, with the token that the server knows`,
    () =>
      Simulation.run(28, (world) =>
        Effect.gen(function*() {
          const [server, store, session] = yield* Effect.all([Server, WatchedStore, signIn()])
          for (let index = 0; index < faults; index++) {
            yield* server.inject("token", harmless[names[Math.floor(world.random() * names.length)]!]!)
            yield* server.expireAccessTokens
            yield* Effect.sleep(61 * minute + world.random() * 10 * minute)
            yield* Effect.ignore(session.token)
            if (index % 10 === 9) {
              yield* Effect.sleep(2 * minute)
              yield* session.token
              yield* assertIntact()
            }
          }
          assert.strictEqual(store.count("remove"), 0)
          assert.isUndefined((yield* server.families)[0]?.revoked)
          yield* assertOnePresentation
        }).pipe(Effect.provide(layer()))),
    24 * faults
  )

  it.each(names)(
    "R28 %s in an early refresh: the token that is still valid is served (law 4), and told as it is",
    (name) =>
      Simulation.run(29, () =>
        Effect.gen(function*() {
          const [server, session] = yield* Effect.all([Server, signIn()])
          const before = yield* session.token
          yield* Effect.sleep(58 * minute)
          yield* server.inject("token", harmless[name]!, { times: Infinity })
          const ended = yield* callEvery(session, 500, 110 * second)
          assert.strictEqual(failures(ended), 0)
          assert.strictEqual(textOf((yield* session.token).accessToken), textOf(before.accessToken))
          yield* server.clearFaults("token")
          yield* Effect.sleep(5 * minute)
          yield* session.token
          yield* assertIntact()
        }).pipe(Effect.provide(layer())))
  )
})
