import { CurrentSession } from "@effect-oauth2/core/OAuth2Session"
import { Fault } from "@effect-oauth2/core/testing"
import * as HttpBody from "@effect/platform/HttpBody"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import {
  assertIntact,
  assertOnePresentation,
  hour,
  HttpClient,
  layer,
  minute,
  second,
  Server,
  signIn
} from "./house.js"
import * as Simulation from "./Simulation.js"

const url = "https://api.test/things"

const setUp = Effect.gen(function*() {
  const [server, http, session] = yield* Effect.all([Server, HttpClient, signIn()])
  const get = Effect.provideService(http.get(url), CurrentSession, session)
  return { get, http, server, session }
})

describe("R26 S66 a resource refuses the token", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    "R26 1,000 concurrent 401s on one generation: one token request, one replay each (seed %i)",
    (seed) =>
      Simulation.run(seed, (world) =>
        Effect.gen(function*() {
          const { get, server } = yield* setUp
          yield* server.expireAccessTokens
          const calls = Array.from({ length: 1_000 }, () => Effect.delay(get, Math.floor(world.random() * 50)))
          const responses = yield* Effect.all(calls, { concurrency: "unbounded" })
          assert.isTrue(responses.every(({ status }) => status === 200))
          assert.strictEqual(yield* server.tokenRequests(), 1)
          const { requests } = yield* server.counts
          assert.isAtMost(requests.resource, 2_000)
          yield* assertIntact()
          yield* assertOnePresentation
        }).pipe(Effect.provide(layer())), { yields: 0.01 })
  )

  it("R26 a resource that refuses every token costs at most two requests a call, and one refresh a minute", () =>
    Simulation.run(26, () =>
      Effect.gen(function*() {
        const { get, server } = yield* setUp
        yield* server.configure({ rejectTokens: true })
        const calls = 10 * 60
        for (let index = 0; index < calls; index++) {
          assert.strictEqual((yield* get).status, 401)
          yield* Effect.sleep(second)
        }
        assert.isAtMost((yield* server.counts).requests.resource, 2 * calls)
        assert.isAtMost(yield* server.tokenRequests(), 10)
        assert.isAtLeast(yield* server.tokenRequests(), 9)
        yield* server.configure({ rejectTokens: false })
        assert.strictEqual((yield* get).status, 200)
        yield* assertIntact()
      }).pipe(Effect.provide(layer()))))

  it("R26 a late 401 is answered with the generation that is there by then, and nobody refreshes again", () =>
    Simulation.run(27, () =>
      Effect.gen(function*() {
        const { get, server, session } = yield* setUp
        yield* server.inject("resource", Fault.and(Fault.delay(10 * second), Fault.status(401)))
        const late = yield* Effect.fork(get)
        yield* Effect.sleep(second)
        yield* session.refresh
        assert.strictEqual((yield* late.await)._tag, "Success")
        assert.strictEqual((yield* get).status, 200)
        assert.strictEqual(yield* server.tokenRequests(), 1)
      }).pipe(Effect.provide(layer()))))

  it("S66 a body that can be sent once is not sent again: the 401 is given back, and the session is kept", () =>
    Simulation.run(28, () =>
      Effect.gen(function*() {
        const { http, server, session } = yield* setUp
        yield* server.expireAccessTokens
        const bytes = Stream.make(new TextEncoder().encode("once"))
        const response = yield* http.post(url, { body: HttpBody.stream(bytes) }).pipe(
          Effect.provideService(CurrentSession, session)
        )
        assert.strictEqual(response.status, 401)
        assert.strictEqual(yield* server.tokenRequests(), 0)
        const again = yield* http.post(url, { body: HttpBody.text("many times") }).pipe(
          Effect.provideService(CurrentSession, session)
        )
        assert.strictEqual(again.status, 200)
        yield* assertIntact()
      }).pipe(Effect.provide(layer()))))

  it.each([
    ["403 insufficient_scope", Fault.status(403, { error: "insufficient_scope" })],
    [
      "401 invalid_request",
      Fault.editReply(() => ({
        status: 401,
        headers: { "www-authenticate": "Bearer error=\"invalid_request\"" },
        body: ""
      }))
    ]
  ])("S66 %s is given back as it is, without a refresh", (_, fault) =>
    Simulation.run(31, () =>
      Effect.gen(function*() {
        const { get, server } = yield* setUp
        yield* server.inject("resource", fault)
        assert.isAtLeast((yield* get).status, 401)
        assert.strictEqual(yield* server.tokenRequests(), 0)
        assert.strictEqual((yield* server.counts).requests.resource, 1)
      }).pipe(Effect.provide(layer()))))

  it("S66 a token that was revoked for good ends typed, after one attempt to renew", () =>
    Simulation.run(32, () =>
      Effect.gen(function*() {
        const { get, server, session } = yield* setUp
        yield* server.revokeFamily((yield* session.token).accessToken)
        const refused = yield* Effect.flip(get)
        assert.deepInclude(refused, { _tag: "ReauthorizationRequired", reason: "InvalidGrant" })
        assert.strictEqual(yield* server.tokenRequests(), 1)
      }).pipe(Effect.provide(layer()))))

  it.each([Fault.reset, Fault.status(502), Fault.html])(
    "law 5: a blip ($name) in the renewal that a 401 asked for is over with the pause: a refused token serves nobody",
    (fault) =>
      Simulation.run(31, () =>
        Effect.gen(function*() {
          const { get, server, session } = yield* setUp
          yield* server.revokeToken((yield* session.token).accessToken)
          yield* server.inject("token", fault)
          assert.deepInclude(yield* Effect.flip(get), { _tag: "RefreshFailed", reason: "Attempt" })
          yield* Effect.sleep(minute)
          assert.strictEqual((yield* get).status, 200)
          assert.strictEqual(yield* server.tokenRequests(), 2)
          yield* assertIntact()
        }).pipe(Effect.provide(layer({ server: { accessTokenLifetime: "24 hours" } }))))
  )

  it("law 5: a 401 while the authorization server is down is a failed renewal, and not a sign-out", () =>
    Simulation.run(33, () =>
      Effect.gen(function*() {
        const { get, server } = yield* setUp
        yield* Effect.sleep(hour / 2)
        yield* server.expireAccessTokens
        yield* server.inject("token", Fault.connectionRefused)
        assert.deepInclude(yield* Effect.flip(get), { _tag: "RefreshFailed" })
        yield* Effect.sleep(2 * minute)
        assert.strictEqual((yield* get).status, 200)
        yield* assertIntact()
      }).pipe(Effect.provide(layer()))))
})
