import { ClientAuthentication, Grant, OAuth2Error } from "@effect-oauth2/core"
import type { OAuth2Client, RefreshPolicy } from "@effect-oauth2/core"
import { Fault, RequestLog, type ServerOptions } from "@effect-oauth2/core/testing"
import * as PlatformHttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Redacted } from "effect"
import { confidentialClient } from "./fixtures.js"
import {
  assertIntact,
  assertOnePresentation,
  Client,
  hour,
  layer,
  minute,
  second,
  Server,
  signIn,
  textOf,
  watchEvents
} from "./reliability/house.js"
import * as Simulation from "./reliability/Simulation.js"
import { unavailable, WatchedStore } from "./reliability/WatchedStore.js"

const waitUntilExpired = Effect.sleep(61 * minute)

/** It has to fail, no matter how. */
const failed = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<void, A> => Effect.asVoid(Effect.flip(effect))

/** Asks for a token every second, for so long: every call has to succeed. */
const callFor = (millis: number, sessionKey?: string) =>
  Effect.gen(function*() {
    const session = (yield* Client).session(sessionKey)
    for (let passed = 0; passed < millis; passed += second) {
      yield* session.token
      yield* Effect.sleep(second)
    }
  })

// ---- the table of ambiguous outcomes

const rotations: Readonly<Record<RefreshPolicy.Rotation, ServerOptions.Rotation>> = {
  none: "none",
  grace: { grace: "1 minute" },
  strict: "strict"
}

/** What happens to the first request. `acts`: the server rotates all the same. */
const doubts: Readonly<Record<string, { readonly fault: Fault.Fault; readonly acts: boolean }>> = {
  "a reset before the server acts": { fault: Fault.reset, acts: false },
  "a reset after": { fault: Fault.afterActing(Fault.reset), acts: true },
  "a time-out before": { fault: Fault.hang, acts: false },
  "a time-out after": { fault: Fault.afterActing(Fault.hang), acts: true },
  "502 before": { fault: Fault.status(502), acts: false },
  "502 after": { fault: Fault.afterActing(Fault.status(502)), acts: true },
  "504 after": { fault: Fault.afterActing(Fault.status(504)), acts: true },
  "503 without Retry-After": { fault: Fault.status(503), acts: false },
  "an error page in place of the answer": { fault: Fault.afterActing(Fault.html), acts: true },
  "half an answer": { fault: Fault.truncated(), acts: true },
  "a connection that breaks in the answer": { fault: Fault.brokenBody(), acts: true },
  "an answer without end": { fault: Fault.endlessBody, acts: true },
  "a redirect": { fault: Fault.redirect("https://elsewhere.test/"), acts: false }
}

const world = (rotation: RefreshPolicy.Rotation, policy: RefreshPolicy.Options = {}) =>
  layer({ client: { refreshPolicy: { rotation, ...policy } }, server: { rotation: rotations[rotation] } })

describe.each(Object.keys(doubts))("%s", (name) => {
  const { acts, fault } = doubts[name]!

  it.each(["none", "grace"] as const)(
    "rotation %s: asked again at once, whether or not the token still serves",
    (rotation) =>
      Simulation.run(1, () =>
        Effect.gen(function*() {
          const [server, session] = yield* Effect.all([Server, signIn()])
          yield* waitUntilExpired
          yield* server.inject("token", fault)
          const [waited] = yield* Effect.timed(session.token)
          assert.isAtMost(Duration.toMillis(waited), 8 * second)
          assert.strictEqual(yield* server.tokenRequests(), 2)
          yield* assertIntact()
          yield* Effect.sleep(59 * minute)
          yield* server.inject("token", fault)
          yield* callFor(10 * second)
          assert.strictEqual(yield* server.tokenRequests(), 4)
          yield* assertIntact()
          assert.strictEqual((yield* server.counts).concurrentPresentations, 1)
        }).pipe(Effect.provide(world(rotation))))
  )

  it("rotation strict: not asked again while the token serves, then once", () =>
    Simulation.run(2, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        const events = yield* watchEvents
        yield* Effect.sleep(58 * minute)
        yield* server.inject("token", fault)
        yield* callFor(2 * minute)
        assert.strictEqual(yield* server.tokenRequests(), 1)
        const failures = events.filter((event) => event._tag === "RenewalFailed")
        assert.deepStrictEqual(failures.map(({ outcome, servedStale }) => [outcome, servedStale]), [[
          "ambiguous",
          true
        ]])
        yield* Effect.sleep(second)
        yield* acts ? assertUnknown : Effect.zipRight(session.token, assertIntact())
        assert.strictEqual(yield* server.tokenRequests(), 2)
      }).pipe(Effect.provide(world("strict")))))

  it("rotation strict, token expired: one failed call, then asked once", () =>
    Simulation.run(3, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        yield* waitUntilExpired
        yield* server.inject("token", fault)
        const first = yield* Effect.flip(session.token)
        assert.isTrue(first._tag === "RefreshFailed" && first.reason === "Attempt" && first.ambiguous)
        const second_ = yield* Effect.flip(session.token)
        assert.isTrue(second_._tag === "RefreshFailed" && second_.reason === "CoolDown")
        yield* Effect.sleep(2 * second)
        yield* acts ? assertUnknown : Effect.zipRight(session.token, assertIntact())
        assert.strictEqual(yield* server.tokenRequests(), 2)
      }).pipe(Effect.provide(world("strict")))))
})

/** The one retry is refused: the session ends typed, once, and costs nothing from then on. */
const assertUnknown = Effect.gen(function*() {
  const [server, session] = [yield* Server, (yield* Client).session()]
  const events = yield* watchEvents
  const before = yield* server.tokenRequests()
  for (let call = 0; call < 100; call++) {
    const ended = yield* Effect.flip(session.token)
    assert.strictEqual(ended._tag === "ReauthorizationRequired" && ended.reason, "RotationOutcomeUnknown")
  }
  yield* Effect.sleep(hour)
  yield* failed(session.token)
  assert.strictEqual(yield* server.tokenRequests(), before + 1)
  assert.deepStrictEqual(events.map(({ _tag }) => _tag), ["Dead"])
})

describe("a process that died while it redeemed", () => {
  /** Another process begins, and is gone: before its request, or after the answer that it never wrote. */
  const crash = (acted: boolean) =>
    Effect.gen(function*() {
      const [server, store] = yield* Effect.all([Server, WatchedStore])
      const { generation, token } = (yield* store.stored())!
      const claim = { generation, attempt: "dead" }
      yield* store.service.begin(store.asked[0]!.key, claim, Duration.seconds(11))
      if (acted) yield* post(server, textOf(token?.refreshToken) ?? "")
    })

  it.each(["none", "grace", "strict"] as const)(
    "rotation %s: before its request, nothing is lost",
    (rotation) =>
      Simulation.run(4, () =>
        Effect.gen(function*() {
          const [server, session] = yield* Effect.all([Server, signIn()])
          yield* waitUntilExpired
          yield* crash(false)
          const [waited] = yield* Effect.timed(session.token)
          assert.isAtLeast(Duration.toMillis(waited), 11 * second)
          assert.isAtMost(Duration.toMillis(waited), 12 * second)
          assert.strictEqual(yield* server.tokenRequests(), 1)
          yield* assertIntact()
        }).pipe(Effect.provide(world(rotation))))
  )

  it.each(["none", "grace"] as const)(
    "rotation %s: after the answer, the session goes on",
    (rotation) =>
      Simulation.run(5, () =>
        Effect.gen(function*() {
          const session = yield* signIn()
          yield* waitUntilExpired
          yield* crash(true)
          yield* session.token
          yield* assertIntact()
        }).pipe(Effect.provide(world(rotation))))
  )

  it("rotation strict: after the answer, the session ends as what it is, after one request", () =>
    Simulation.run(6, () =>
      Effect.gen(function*() {
        yield* signIn()
        yield* waitUntilExpired
        yield* crash(true)
        yield* assertUnknown
      }).pipe(Effect.provide(world("strict")))))

  it("law 4: a token that is still valid is served meanwhile, and a strict server not asked before it has expired", () =>
    Simulation.run(7, () =>
      Effect.gen(function*() {
        const server = yield* Server
        yield* signIn()
        yield* Effect.sleep(58 * minute)
        yield* crash(true)
        const before = yield* server.tokenRequests()
        yield* callFor(2 * minute)
        assert.strictEqual(yield* server.tokenRequests(), before)
        yield* Effect.sleep(second)
        yield* assertUnknown
      }).pipe(Effect.provide(world("strict")))))
})

const post = ({ endpoints, httpClient }: Effect.Effect.Success<typeof Server>, refreshToken: string) =>
  HttpClientRequest.post(endpoints.token).pipe(
    HttpClientRequest.bodyText(
      new URLSearchParams({ grant_type: "refresh_token", client_id: "app", refresh_token: refreshToken }).toString(),
      "application/x-www-form-urlencoded"
    ),
    httpClient.execute,
    Effect.orDie
  )

it.each(["none", "grace", "strict"] as const)(
  "law 4: a session that is found in the store with a token about to expire does not wait for its renewal (%s)",
  (rotation) =>
    Simulation.run(13, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        // Long enough for it to have left the memory
        yield* Effect.sleep(58 * minute)
        yield* server.inject("token", Fault.hang, { times: 2 })
        const [waited] = yield* Effect.timed(session.token)
        assert.strictEqual(Duration.toMillis(waited), 0)
        yield* Effect.sleep(second)
        assert.strictEqual(yield* server.tokenRequests(), 1, "the manager is told")
      }).pipe(Effect.provide(world(rotation))))
)

describe("doubt", () => {
  it.each(["none", "grace", "strict"] as const)(
    "rotation %s: a server that never answers is asked ever more rarely, and the doubt is told in the end",
    (rotation) =>
      Simulation.run(8, () =>
        Effect.gen(function*() {
          const [server, session] = yield* Effect.all([Server, signIn()])
          yield* waitUntilExpired
          yield* server.inject("token", Fault.reset, { times: Infinity })
          for (let call = 0; call < 3_000; call++) {
            yield* failed(session.token)
            yield* Effect.sleep(100)
          }
          assert.isAtMost(yield* server.tokenRequests(), 20)
          yield* server.clearFaults()
          yield* Effect.sleep(2 * minute)
          yield* session.token
          yield* assertIntact()
        }).pipe(Effect.provide(world(rotation))))
  )

  it("is over with the next answer: a refusal a day later is a refusal", () =>
    Simulation.run(9, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        yield* waitUntilExpired
        yield* server.inject("token", Fault.reset)
        yield* failed(session.token)
        yield* Effect.sleep(minute)
        yield* server.revokeFamily((yield* session.token).refreshToken!)
        yield* waitUntilExpired
        const ended = yield* Effect.flip(session.token)
        assert.strictEqual(ended._tag === "ReauthorizationRequired" && ended.reason, "InvalidGrant")
      }).pipe(Effect.provide(layer()))))

  it("outlasts answers that say nothing of the token", () =>
    Simulation.run(10, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        yield* waitUntilExpired
        yield* server.inject("token", Fault.afterActing(Fault.reset))
        yield* server.inject("token", Fault.status(429, { retryAfter: "1" }))
        yield* server.inject("token", Fault.status(401, { error: "invalid_client" }))
        for (let call = 0; call < 3; call++) yield* Effect.zipRight(failed(session.token), Effect.sleep(minute))
        yield* assertUnknown
      }).pipe(Effect.provide(layer()))))

  it("about a token without known end does not keep a resource's refusal from being mended", () =>
    Simulation.run(11, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        yield* server.configure({ sendExpiresIn: false })
        yield* session.refresh
        yield* server.inject("token", Fault.reset)
        const failed = yield* Effect.flip(session.refresh)
        assert.include(failed.message, "ConnectionLost")
        yield* Effect.sleep(2 * minute)
        yield* session.refresh
        yield* assertIntact()
      }).pipe(Effect.provide(layer()))))

  it("about a grant that can be run again keeps nobody from running it again", () =>
    Simulation.run(12, () =>
      Effect.gen(function*() {
        const [server, session] = [yield* Server, (yield* Client).session()]
        yield* session.token
        yield* Effect.sleep(58 * minute)
        yield* server.inject("token", Fault.reset)
        yield* callFor(30 * second)
        // There is nothing to lose: it is asked again after the pause, and not when the token has expired
        assert.strictEqual(yield* server.tokenRequests(), 3)
      }).pipe(Effect.provide(layer({ client: job })))))
})

// ---- grants that can be run again

const job = { ...confidentialClient, grant: Grant.clientCredentials({ scope: "read" }) }

const requests = Effect.map(
  Effect.flatMap(Server, (server) => server.exchanges("token")),
  (exchanges) =>
    exchanges.map((
      exchange
    ) => [exchange.grantType, ...exchange.form.map(([name]) => RequestLog.parameter(exchange, name))])
)

describe("grants that can be run again", () => {
  it("B371 B374 client credentials are run again with the same parameters, once for all who wait", () =>
    Simulation.run(20, () =>
      Effect.gen(function*() {
        const session = (yield* Client).session()
        for (let round = 0; round < 5; round++) {
          yield* Effect.all(Array.from({ length: 20 }, () => session.token), { concurrency: "unbounded" })
          yield* waitUntilExpired
        }
        assert.deepStrictEqual(
          yield* requests,
          Array.from({ length: 5 }, () => ["client_credentials", "client_credentials", "read"])
        )
      }).pipe(Effect.provide(layer({ client: job })))))

  it("an effect that makes the grant is run anew each time", () => {
    let made = 0
    const grant = Effect.sync(() => Grant.extension("urn:test:assertion", { assertion: `assertion-${++made}` }))
    const server = { extensionGrants: { "urn:test:assertion": () => ({ subject: "user-1" }) } }
    return Simulation.run(21, () =>
      Effect.gen(function*() {
        const session = (yield* Client).session()
        for (let round = 0; round < 3; round++) yield* Effect.zipRight(session.token, waitUntilExpired)
        assert.deepStrictEqual((yield* requests).map((request) => request[2]), [
          "assertion-1",
          "assertion-2",
          "assertion-3"
        ])
      }).pipe(Effect.provide(layer({ client: { grant }, server }))))
  })

  it("an effect that fails to make the grant is a failed attempt: the valid token is served, and a pause is kept", () => {
    let made = 0
    let broken = false
    const grant = Effect.suspend(() => {
      made++
      return broken
        ? new OAuth2Error.InputError({ field: "key", problem: "is not there" })
        : Effect.succeed(Grant.clientCredentials())
    })
    return Simulation.run(22, () =>
      Effect.gen(function*() {
        const session = (yield* Client).session()
        yield* session.token
        broken = true
        yield* Effect.sleep(58 * minute)
        yield* callFor(minute)
        assert.isAtMost(made, 10)
        yield* Effect.sleep(5 * minute)
        const failed = yield* Effect.flip(session.token)
        assert.isTrue(failed._tag === "RefreshFailed" && failed.lastError?._tag === "InputError")
        broken = false
        yield* Effect.sleep(2 * minute)
        yield* session.token
      }).pipe(Effect.provide(layer({ client: { ...confidentialClient, grant } }))))
  })

  it("R21 an effect that dies harms no token, and is run again", () => {
    let broken = false
    const grant = Effect.suspend(() =>
      broken ? Effect.dieMessage("a bad signer") : Effect.succeed(Grant.clientCredentials())
    )
    return Simulation.run(23, () =>
      Effect.gen(function*() {
        const session = (yield* Client).session()
        yield* session.token
        broken = true
        yield* Effect.sleep(58 * minute)
        yield* callFor(10 * second)
        yield* Effect.sleep(5 * minute)
        assert.strictEqual((yield* Effect.exit(session.token))._tag, "Failure")
        broken = false
        yield* session.token
      }).pipe(Effect.provide(layer({ client: { ...confidentialClient, grant } }))))
  })

  it("a refresh token that is refused is followed by the grant, in the same call", () => {
    const grant = Grant.extension("urn:test:login", { name: "robot" }, { renewable: true })
    const server = { extensionGrants: { "urn:test:login": () => ({ subject: "user-1", refreshToken: true }) } }
    return Simulation.run(24, () =>
      Effect.gen(function*() {
        const server = yield* Server
        const session = (yield* Client).session()
        const first = yield* session.token
        yield* waitUntilExpired
        yield* server.revokeFamily(first.refreshToken!)
        const events = yield* watchEvents
        yield* session.token
        yield* Effect.sleep(1)
        assert.deepStrictEqual((yield* requests).map(([grantType]) => grantType), [
          "urn:test:login",
          "refresh_token",
          "urn:test:login"
        ])
        assert.deepStrictEqual(events.map(({ _tag }) => _tag), ["Refreshed"])
        yield* assertIntact()
      }).pipe(Effect.provide(layer({ client: { grant }, server }))))
  })

  it("a grant that is refused itself ends the session, until the program authorizes it again", () => {
    let refused = false
    const grant = Grant.extension("urn:test:login", { name: "robot" }, { renewable: true })
    const server = {
      extensionGrants: {
        "urn:test:login": () => refused ? { error: "invalid_grant" } : { subject: "user-1" }
      }
    }
    return Simulation.run(25, () =>
      Effect.gen(function*() {
        const [server, client] = yield* Effect.all([Server, Client])
        const session = client.session()
        yield* session.token
        yield* waitUntilExpired
        refused = true
        for (let call = 0; call < 1_000; call++) {
          const ended = yield* Effect.flip(session.token)
          assert.strictEqual(ended._tag === "ReauthorizationRequired" && ended.reason, "InvalidGrant")
        }
        assert.strictEqual(yield* server.tokenRequests(), 2)
        refused = false
        yield* client.authorize(grant)
        yield* session.token
      }).pipe(Effect.provide(layer({ client: { grant }, server }))))
  })
})

describe("sessions that nothing can renew", () => {
  const ends = (reason: OAuth2Error.ReauthorizationReason, sessionKey?: string) =>
    Effect.gen(function*() {
      const before = yield* (yield* Server).tokenRequests()
      const ended = yield* Effect.flip((yield* Client).session(sessionKey).token)
      assert.strictEqual(ended._tag === "ReauthorizationRequired" && ended.reason, reason)
      assert.strictEqual(yield* (yield* Server).tokenRequests(), before)
    })

  it("B176 B336 B371 without a refresh token and without a grant: NoRefreshToken, and no request", () =>
    Simulation.run(30, () =>
      Effect.gen(function*() {
        const session = yield* signIn()
        yield* Effect.sleep(59 * minute)
        yield* callFor(minute)
        yield* Effect.sleep(second)
        yield* ends("NoRefreshToken")
        assert.isFalse(yield* session.isAuthorized)
      }).pipe(Effect.provide(layer({ server: { refreshTokens: false } })))))

  it("without a session: NoSession, and no request", () =>
    Simulation.run(31, () => Effect.provide(ends("NoSession", "nobody"), layer())))

  it("S60 after a genuine invalid_grant: InvalidGrant, once; 1,000 calls make no request", () =>
    Simulation.run(32, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        const events = yield* watchEvents
        yield* server.revokeFamily((yield* session.token).refreshToken!)
        yield* waitUntilExpired
        yield* failed(session.token)
        assert.strictEqual(yield* server.tokenRequests(), 1)
        for (let call = 0; call < 1_000; call++) yield* ends("InvalidGrant")
        yield* Effect.sleep(hour)
        yield* ends("InvalidGrant")
        assert.deepStrictEqual(events, [{ _tag: "Dead", sessionKey: "default", reason: "InvalidGrant" }])
        const record = yield* (yield* WatchedStore).stored()
        assert.isUndefined(record?.token?.refreshToken)
        // Dead is terminal until a new sign-in
        yield* signIn()
        yield* session.token
        yield* assertIntact()
      }).pipe(Effect.provide(layer()))))

  it("law 4: a session that dies in an early refresh serves its token to the end", () =>
    Simulation.run(33, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        yield* Effect.sleep(56 * minute)
        yield* server.inject("token", Fault.status(400, { error: "invalid_grant" }))
        yield* callFor(4 * minute)
        assert.strictEqual(yield* server.tokenRequests(), 1)
        yield* Effect.sleep(second)
        yield* ends("InvalidGrant")
        assert.isFalse(yield* session.isAuthorized)
      }).pipe(Effect.provide(layer()))))
})

describe("law 8: a refresh request is made of client configuration and the token alone", () => {
  const confidential: Partial<OAuth2Client.Options> = {
    ...confidentialClient,
    clientAuthentication: ClientAuthentication.clientSecretBasic(Redacted.make("service-secret"))
  }

  it("it has no header, parameter or tracing of the request that needed it", () =>
    Simulation.run(40, () =>
      Effect.gen(function*() {
        const [server, client] = yield* Effect.all([Server, Client])
        const token = yield* server.issue({ clientId: "service", scope: "read" })
        const session = yield* client.restore(token)
        yield* waitUntilExpired
        yield* session.token.pipe(
          Effect.withSpan("caller"),
          Effect.locally(PlatformHttpClient.currentTracerPropagation, true)
        )
        const [exchange] = yield* server.exchanges("token")
        assert.deepStrictEqual(exchange?.form.map(([name]) => name), ["grant_type", "refresh_token"])
        assert.sameMembers([...exchange!.headerNames], ["accept", "authorization", "content-length", "content-type"])
        yield* assertIntact()
        yield* assertOnePresentation
      }).pipe(Effect.provide(layer({ client: confidential })))))
})

describe("a store that cannot be read", () => {
  const inMemory = layer({ client: { refreshPolicy: { idleTimeToLive: "1 day" } } })

  it.each(["NewerVersion", "Corrupt", "Unavailable"] as const)(
    "R40 %s: a typed error, and the record is left as it is",
    (reason) =>
      Simulation.run(50, () =>
        Effect.gen(function*() {
          const [server, store, session] = yield* Effect.all([Server, WatchedStore, signIn()])
          const before = yield* store.stored()
          yield* waitUntilExpired
          const failure = new OAuth2Error.StoreError({ operation: "get", reason })
          store.before = (operation) => operation === "get" ? failure : Effect.void
          for (let call = 0; call < 10; call++) {
            const failed = yield* Effect.flip(session.token)
            assert.isTrue(failed._tag === "StoreError" && failed.reason === reason)
          }
          assert.strictEqual(yield* store.stored(), before)
          assert.strictEqual(yield* server.tokenRequests(), 0)
          store.before = () => Effect.void
          yield* session.token
          yield* assertIntact()
        }).pipe(Effect.provide(layer())))
  )

  it("R28 a refused grant that cannot be checked with the store is no doubt about an earlier answer", () =>
    Simulation.run(611, () =>
      Effect.gen(function*() {
        const [server, session, store] = yield* Effect.all([Server, signIn(), WatchedStore])
        yield* server.revokeFamily((yield* session.token).refreshToken!)
        yield* waitUntilExpired
        let began = false
        store.before = (operation) => {
          if (operation === "get" && began) return unavailable(operation)
          began ||= operation === "begin"
          return Effect.void
        }
        yield* failed(session.token)
        store.before = () => Effect.void
        yield* Effect.sleep(minute)
        assert.deepInclude(yield* Effect.flip(session.token), { reason: "InvalidGrant" })
      }).pipe(Effect.provide(layer()))))

  it("R11 law 4: while the token is valid it is served, however long the store is away", () =>
    Simulation.run(51, () =>
      Effect.gen(function*() {
        const store = yield* WatchedStore
        yield* signIn()
        yield* Effect.sleep(55 * minute)
        store.before = (operation) => new OAuth2Error.StoreError({ operation, reason: "Unavailable" })
        const began = yield* Clock.currentTimeMillis
        yield* callFor(5 * minute)
        assert.strictEqual((yield* Clock.currentTimeMillis) - began, 5 * minute)
      }).pipe(Effect.provide(inMemory))))

  it("R11 law 4: nor does a store that hangs hold a valid token back", () =>
    Simulation.run(52, () =>
      Effect.gen(function*() {
        const store = yield* WatchedStore
        yield* signIn()
        yield* Effect.sleep(55 * minute)
        store.before = () => Effect.never
        const began = yield* Clock.currentTimeMillis
        yield* callFor(5 * minute)
        assert.strictEqual((yield* Clock.currentTimeMillis) - began, 5 * minute)
        store.before = () => Effect.void
        yield* Effect.sleep(minute)
        yield* (yield* Client).session().token
        yield* assertIntact()
      }).pipe(Effect.provide(inMemory))))

  it.each(["get", "begin"])(
    "R11 when %s hangs and the token has expired, a call fails typed",
    (hung) =>
      Simulation.run(53, () =>
        Effect.gen(function*() {
          const [store, session] = yield* Effect.all([WatchedStore, signIn()])
          yield* waitUntilExpired
          store.before = (operation) => operation === hung ? Effect.never : Effect.void
          const [waited, failed] = yield* Effect.timed(Effect.flip(session.token))
          assert.strictEqual(failed._tag, "StoreError")
          assert.isAtMost(Duration.toMillis(waited), 2 * second)
          store.before = () => Effect.void
          yield* session.token
          yield* assertIntact()
        }).pipe(Effect.provide(layer())))
  )
})

it("a new sign-in while a renewal hangs is no part of its failure: callers get its token, and no pause", () =>
  Simulation.run(61, () =>
    Effect.gen(function*() {
      const server = yield* Server
      const session = yield* signIn()
      yield* waitUntilExpired
      yield* server.inject("token", Fault.hang)
      const waiting = yield* Effect.fork(session.token)
      yield* Effect.sleep(second)
      const issued = yield* server.issue()
      yield* (yield* Client).restore(issued)
      const token = yield* Fiber.join(waiting)
      assert.strictEqual(textOf(token.accessToken), textOf(issued.accessToken))
      yield* session.refresh
      yield* assertIntact()
    }).pipe(Effect.provide(layer()))))
