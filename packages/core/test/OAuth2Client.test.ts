import {
  ClientAuthentication,
  Custody,
  Grant,
  OAuth2Client,
  OAuth2HttpClient,
  OAuth2Session,
  PendingAuthorization,
  Registration
} from "@effect-oauth2/core"
import { Fault, RequestLog, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck, Fiber, Layer, Redacted, Schema, TestClock } from "effect"
import { confidentialClient, layer, publicClient } from "./fixtures.js"
import { canary, runs } from "./fuzz.js"
import * as WatchedStore from "./reliability/WatchedStore.js"
import { leaks } from "./secrecy.js"

const Server = TestAuthorizationServer.TestAuthorizationServer
const Client = OAuth2Client.OAuth2Client

const reveal = (secret: Redacted.Redacted<string> | undefined) => secret && Redacted.value(secret)

/** The text of a secret that has to be there. */
const textOf = (secret: Redacted.Redacted<string> | undefined): string => {
  assert.isDefined(secret)
  return Redacted.value(secret)
}

const begin = (options?: OAuth2Client.BeginOptions) => Effect.flatMap(Client, (client) => client.begin(options))
const complete = (options: OAuth2Client.CompleteOptions) => Effect.flatMap(Client, (client) => client.complete(options))

/** The user says yes. */
const approved = ({ url }: OAuth2Client.Begun) => Effect.flatMap(Server, (server) => server.authorize(url))

/** A sign-in up to the callback. */
const callbackOf = (options?: OAuth2Client.BeginOptions) =>
  Effect.flatMap(begin(options), (begun) => Effect.map(approved(begun), (callback) => ({ ...begun, callback })))

const tokenRequests = Effect.flatMap(Server, (server) => server.tokenRequests())

/** Why a completion is refused, and that it made no token request. */
const refusal = (options: OAuth2Client.CompleteOptions) =>
  Effect.gen(function*() {
    const before = yield* tokenRequests
    const error = yield* Effect.flip(complete(options))
    assert.strictEqual(yield* tokenRequests, before)
    return error._tag === "AuthorizationResponseError" ? error.reason : error._tag
  })

/** Another client of the same program: its own sign-ins, sessions and server. */
const build = <A, E>(
  program: Effect.Effect<A, E, OAuth2Client.OAuth2Client>,
  options: Partial<OAuth2Client.Options>,
  stores: typeof Custody.layerMemory = Custody.layerMemory
) =>
  Effect.gen(function*() {
    const server = yield* Server
    return yield* program.pipe(Effect.provide(
      OAuth2Client.layer({ ...publicClient, ...options }).pipe(
        Layer.provide(stores),
        Layer.provide(Layer.succeed(HttpClient.HttpClient, server.httpClient))
      )
    ))
  })

describe("OAuth2Client", () => {
  describe("begin", () => {
    it.effect("S10 S12 S21 B187 B267 B272 B274 it gives the URL, and what the callback is held against", () =>
      Effect.gen(function*() {
        const { pending, url } = yield* begin({ sessionKey: "user", scope: "a b", parameters: { prompt: "consent" } })
        const { searchParams } = url
        assert.strictEqual(url.origin + url.pathname, "https://as.test/authorize")
        assert.deepStrictEqual([...searchParams.keys()].sort(), [
          "client_id",
          "code_challenge",
          "code_challenge_method",
          "prompt",
          "redirect_uri",
          "response_type",
          "scope",
          "state"
        ])
        assert.strictEqual(searchParams.get("response_type"), "code")
        assert.strictEqual(searchParams.get("code_challenge_method"), "S256")
        assert.strictEqual(searchParams.get("state"), pending.state)
        assert.deepInclude(pending, {
          version: 1,
          sessionKey: "user",
          clientId: "app",
          server: "https://as.test",
          redirectUri: "https://app.test/callback",
          scope: ["a", "b"],
          resource: [],
          expiresAt: 600_000
        })
      }).pipe(Effect.provide(layer())))

    it.effect("S13 S14 B021 B261 state, verifier and session key are new for each attempt, of 256 bits, for URLs", () =>
      Effect.gen(function*() {
        const seen = new Set<string>()
        const { numRuns } = runs(300)
        for (let i = 0; i < numRuns; i++) {
          // An attempt that fails must not leave its verifier to the next.
          if (i % 10 === 0) yield* Effect.flip(begin({ parameters: { state: "x" } }))
          const { pending, url } = yield* begin()
          for (const secret of [pending.state, Redacted.value(pending.codeVerifier), pending.sessionKey]) {
            assert.match(secret, /^[A-Za-z0-9_-]{43}$/)
            seen.add(secret)
          }
          seen.add(url.searchParams.get("code_challenge") ?? "")
        }
        assert.strictEqual(seen.size, 4 * numRuns)
      }).pipe(Effect.provide(layer())))

    it.effect("B188 B268 B270 what the client asks for is asked for, and what the call says takes its place", () =>
      Effect.gen(function*() {
        const standard = (yield* begin()).url.searchParams
        assert.strictEqual(standard.get("scope"), "a b")
        assert.deepStrictEqual(standard.getAll("resource"), ["https://api.test", "urn:x"])
        assert.deepStrictEqual(standard.getAll("prompt"), ["login"])
        assert.deepStrictEqual(standard.getAll("max_age"), ["0"])
        const own = (yield* begin({
          scope: ["c"],
          redirectUri: "http://127.0.0.1:5000/cb",
          parameters: { prompt: "none", blank: "", list: ["1", "2"], none: undefined }
        })).url.searchParams
        assert.strictEqual(own.get("scope"), "c")
        assert.strictEqual(own.get("redirect_uri"), "http://127.0.0.1:5000/cb")
        assert.deepStrictEqual(own.getAll("prompt"), ["none"])
        assert.deepStrictEqual(own.getAll("max_age"), ["0"])
        assert.deepStrictEqual(own.getAll("blank"), [""])
        assert.deepStrictEqual(own.getAll("list"), ["1", "2"])
        assert.isFalse(own.has("none"))
        assert.isFalse((yield* begin({ scope: [] })).url.searchParams.has("scope"))
      }).pipe(Effect.provide(layer({
        client: {
          scope: "a b",
          resource: ["https://api.test", "urn:x"],
          authorizationParameters: { prompt: "login", max_age: 0 }
        }
      }))))

    it.effect("S19 the query of the authorization endpoint is kept", () =>
      Effect.gen(function*() {
        const { url } = yield* begin()
        assert.strictEqual(url.searchParams.get("tenant"), "a b")
      }).pipe(Effect.provide(layer({ client: { authorizationEndpoint: "https://as.test/authorize?tenant=a%20b" } }))))

    it.effect("S17 S74 no secret and no verifier is in the URL, whatever the configuration and the call", () =>
      Effect.gen(function*() {
        const text = FastCheck.string({ maxLength: 12 })
        const options = FastCheck.record({
          scope: FastCheck.option(FastCheck.array(text), { nil: undefined }),
          sessionKey: FastCheck.option(text, { nil: undefined }),
          parameters: FastCheck.dictionary(text, FastCheck.oneof(text, FastCheck.constant(Redacted.make(canary))))
        })
        let urls = 0
        for (const sample of FastCheck.sample(options, runs(200))) {
          const result = yield* Effect.either(begin(sample))
          if (Either.isLeft(result)) {
            assert.strictEqual(result.left._tag, "InputError")
            continue
          }
          urls++
          const { pending, url } = result.right
          for (const secret of [canary, Redacted.value(pending.codeVerifier), "service-secret"]) {
            assert.notInclude(url.href, secret)
          }
          assert.strictEqual(url.searchParams.getAll("state").length, 1)
        }
        assert.isAbove(urls, 20)
      }).pipe(Effect.provide(layer({ client: confidentialClient }))))

    it.effect("S18 B271 S01 what cannot work is refused by name, and nothing is left pending", () =>
      Effect.gen(function*() {
        for (
          const [options, tag, field] of [
            [{ parameters: { state: canary } }, "InputError", "state"],
            [{ parameters: { response_type: "token" } }, "InputError", "response_type"],
            [{ parameters: { client_secret: Redacted.make(canary) } }, "InputError", "client_secret"],
            [{ redirectUri: "http://app.test/cb" }, "ConfigurationError", "redirectUri"],
            [{ redirectUri: "" }, "ConfigurationError", "redirectUri"]
          ] as const
        ) {
          const error = yield* Effect.flip(begin(options))
          assert.deepInclude(error, { _tag: tag, field })
          assert.deepStrictEqual(leaks(error, [canary]), [])
        }
        for (const field of ["authorizationEndpoint", "redirectUri"] as const) {
          const error = yield* build(Effect.flip(begin()), { [field]: undefined })
          assert.deepInclude(error, { _tag: "ConfigurationError", field })
        }
      }).pipe(Effect.provide(layer())))
  })

  describe("complete", () => {
    it.effect("B279 B110 S22 a callback becomes a session, by the very redirect URI that was sent", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const { callback, pending } = yield* callbackOf({ sessionKey: "user", scope: "a" })
        const session = yield* complete({ callback, pending })
        assert.strictEqual(session.key, "user")
        assert.deepStrictEqual((yield* session.token).scope, ["a"])
        assert.isTrue(yield* session.isAuthorized)
        const [exchange] = yield* server.exchanges("token")
        assert.strictEqual(exchange && RequestLog.parameter(exchange, "redirect_uri"), pending.redirectUri)
        assert.strictEqual(exchange && RequestLog.parameter(exchange, "code_verifier"), reveal(pending.codeVerifier))
        assert.strictEqual(yield* server.tokenRequests(), 1)
      }).pipe(Effect.provide(layer())))

    it.effect("S22 a redirect URI of unusual form is the same text in request, callback and token request", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const redirectUri = "http://127.0.0.1:5000/%63b?x=1"
        const { callback, pending, url } = yield* callbackOf({ redirectUri })
        yield* complete({ callback, pending })
        const [exchange] = yield* server.exchanges("token")
        assert.strictEqual(url.searchParams.get("redirect_uri"), redirectUri)
        assert.strictEqual(exchange && RequestLog.parameter(exchange, "redirect_uri"), redirectUri)
      }).pipe(Effect.provide(layer({
        server: { clients: [{ id: "app", redirectUris: ["http://127.0.0.1:5000/%63b?x=1"] }] }
      }))))

    it.effect("B006 S27 a web server has the path and the query, and the session key out of the user's own cookie", () =>
      Effect.gen(function*() {
        const { callback, pending } = yield* callbackOf({ sessionKey: "user" })
        const session = yield* complete({
          callback: callback.pathname + callback.search,
          sessionKey: pending.sessionKey
        })
        assert.strictEqual(session.key, "user")
        assert.isTrue(yield* session.isAuthorized)
      }).pipe(Effect.provide(layer())))

    it.effect("B260 B408 S16 a sign-in may be completed in another process, out of what was stored of it", () =>
      Effect.gen(function*() {
        const { callback, pending } = yield* callbackOf({ sessionKey: "user" })
        const cookie = JSON.stringify(Schema.encodeSync(PendingAuthorization.PendingAuthorization)(pending))
        const restored = yield* Schema.decodeUnknown(Schema.parseJson(PendingAuthorization.PendingAuthorization))(
          cookie
        )
        const session = yield* build(
          Effect.flatMap(complete({ callback, pending: restored }), (session) => session.isAuthorized),
          {}
        )
        assert.isTrue(session)
      }).pipe(Effect.provide(layer())))

    it.effect("S14 S31 B280 a second callback is refused, by either way of naming the sign-in, and no code sent", () =>
      Effect.gen(function*() {
        const { callback, pending } = yield* callbackOf({ sessionKey: "user" })
        yield* complete({ callback, pending })
        assert.strictEqual(yield* refusal({ callback, pending }), "TransactionConsumed")
        assert.strictEqual(yield* refusal({ callback, sessionKey: "user" }), "TransactionConsumed")
      }).pipe(Effect.provide(layer())))

    it.effect("S14 S31 of many callbacks at once, one is exchanged", () =>
      Effect.gen(function*() {
        const { callback, pending } = yield* callbackOf({ sessionKey: "user" })
        const results = yield* Effect.all(
          Array.from({ length: 50 }, (_, i) =>
            Effect.either(complete(i % 2 === 0 ? { callback, pending } : { callback, sessionKey: "user" }))),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(results.filter(Either.isRight).length, 1)
        assert.strictEqual(yield* tokenRequests, 1)
      }).pipe(Effect.provide(layer())))

    it.effect("S14 a late callback is refused, by either way of naming the sign-in", () =>
      Effect.gen(function*() {
        const { callback, pending } = yield* callbackOf({ sessionKey: "user" })
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(yield* refusal({ callback, pending }), "TransactionExpired")
        assert.strictEqual(yield* refusal({ callback, sessionKey: "user" }), "TransactionExpired")
      }).pipe(Effect.provide(layer())))

    it.effect("S14 a sign-in may be given less time", () =>
      Effect.gen(function*() {
        const { callback, pending } = yield* callbackOf()
        assert.strictEqual(pending.expiresAt, 60_000)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* refusal({ callback, pending }), "TransactionExpired")
      }).pipe(Effect.provide(layer({ client: { signInTimeout: "1 minute" } }))))

    it.effect("S24 B113 another state, and none, are refused before anything else, and use nothing up", () =>
      Effect.gen(function*() {
        const { callback, pending } = yield* callbackOf({ sessionKey: "user" })
        const strange = new URL(callback)
        strange.searchParams.set("state", "another")
        strange.searchParams.set("error", canary)
        strange.searchParams.set("error_description", canary)
        const stateless = new URL(callback)
        stateless.searchParams.delete("state")
        assert.strictEqual(yield* refusal({ callback: strange, pending }), "StateMismatch")
        assert.strictEqual(yield* refusal({ callback: strange, sessionKey: "user" }), "TransactionUnknown")
        assert.strictEqual(yield* refusal({ callback: stateless, pending }), "MissingState")
        assert.strictEqual(yield* refusal({ callback: stateless, sessionKey: "user" }), "MissingState")
        assert.deepStrictEqual(leaks(yield* Effect.flip(complete({ callback: strange, pending })), [canary]), [])
        yield* complete({ callback, pending })
      }).pipe(Effect.provide(layer())))

    it.effect("S27 R36 who finishes has to be who began: another session's callback is refused, and not used up", () =>
      Effect.gen(function*() {
        const victim = yield* callbackOf({ sessionKey: "victim" })
        const attacker = yield* callbackOf({ sessionKey: "attacker" })
        assert.strictEqual(yield* refusal({ callback: attacker.callback, sessionKey: "victim" }), "SessionMismatch")
        assert.strictEqual(yield* refusal({ callback: attacker.callback, pending: victim.pending }), "StateMismatch")
        for (const sessionKey of ["", "attackers", "Attacker"]) {
          assert.strictEqual(yield* refusal({ callback: attacker.callback, sessionKey }), "SessionMismatch")
        }
        yield* complete({ callback: attacker.callback, sessionKey: "attacker" })
        yield* complete({ callback: victim.callback, sessionKey: "victim" })
      }).pipe(Effect.provide(layer())))

    it.effect("S16 each thing that a sign-in is bound to is checked before a token request is made", () =>
      Effect.gen(function*() {
        const { callback, pending } = yield* callbackOf({ sessionKey: "user" })
        for (
          const [change, expected] of [
            [{ state: `${pending.state}x` }, "StateMismatch"],
            [{ clientId: "another" }, "ClientMismatch"],
            [{ server: "https://evil.test" }, "ClientMismatch"],
            [{ redirectUri: "https://evil.test/callback" }, "RedirectUriMismatch"],
            [{ redirectUri: "https://app.test/other" }, "RedirectUriMismatch"],
            [{ expiresAt: 0 }, "TransactionExpired"]
          ] as const
        ) {
          assert.strictEqual(yield* refusal({ callback, pending: { ...pending, ...change } }), expected)
        }
        yield* complete({ callback, pending })
      }).pipe(Effect.provide(layer())))

    it.effect("S12 S16 a verifier that is not the one of the request gets no token", () =>
      Effect.gen(function*() {
        const { callback, pending } = yield* callbackOf({ sessionKey: "user" })
        const { pending: other } = yield* begin({ sessionKey: "other" })
        const error = yield* Effect.flip(
          complete({ callback, pending: { ...pending, codeVerifier: other.codeVerifier } })
        )
        assert.deepInclude(error, { _tag: "ErrorResponse", code: "invalid_grant" })
        assert.isFalse(yield* Effect.flatMap(Client, (client) => client.session("user").isAuthorized))
      }).pipe(Effect.provide(layer())))

    it.effect("S23 S26 S29 S30 a callback that is not in order is refused, and the real one still completes", () =>
      Effect.gen(function*() {
        const { callback, pending } = yield* callbackOf({ sessionKey: "user" })
        for (
          const [spoilt, expected] of [
            [`${callback.href}&code=another`, "RepeatedParameter"],
            [`${callback.href}&state=${pending.state}`, "RepeatedParameter"],
            [`${callback.href}&iss=https://evil.test`, "RepeatedParameter"],
            [`${callback.href}&response=a.b.c`, "UnexpectedResponseMode"],
            [`${callback.href}&access_token=${canary}`, "TokenInFrontChannel"],
            [`${callback.href}#access_token=${canary}`, "TokenInFrontChannel"],
            [callback.href.replace("/callback", "/other"), "RedirectUriMismatch"],
            [callback.href.replace("app.test", "evil.test"), "RedirectUriMismatch"],
            [callback.href.replace("https:", "http:"), "RedirectUriMismatch"],
            [callback.href.replace(/code=[^&]*/, "code="), "MissingCode"],
            [callback.href.replace(/code=[^&]*/, "code=%0a"), "InvalidCode"],
            ["", "InvalidUrl"]
          ] as const
        ) {
          assert.strictEqual(yield* refusal({ callback: spoilt, pending }), expected)
          assert.deepStrictEqual(leaks(yield* Effect.flip(complete({ callback: spoilt, pending })), [canary]), [])
        }
        yield* complete({ callback, pending })
      }).pipe(Effect.provide(layer())))

    it.effect("B116 B283 the server's no is its own error, uses the sign-in up, and makes no token request", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const { pending, url } = yield* begin({ sessionKey: "user" })
        const callback = yield* server.authorize(url, { error: "access_denied", description: "nope" })
        const error = yield* Effect.flip(complete({ callback, pending }))
        assert.deepInclude(error, {
          _tag: "ErrorResponse",
          endpoint: "authorization",
          code: "access_denied",
          description: "nope",
          remedy: "user"
        })
        assert.strictEqual(yield* tokenRequests, 0)
        assert.strictEqual(yield* refusal({ callback, pending }), "TransactionConsumed")
      }).pipe(Effect.provide(layer())))

    it.effect("S25 B111 an issuer that is promised has to come, and has to be the configured one", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const { callback, pending } = yield* callbackOf()
        assert.strictEqual(callback.searchParams.get("iss"), "https://as.test")
        const other = new URL(callback)
        other.searchParams.set("iss", "https://as.test/")
        const none = new URL(callback)
        none.searchParams.delete("iss")
        assert.strictEqual(yield* refusal({ callback: other, pending }), "IssuerMismatch")
        assert.strictEqual(yield* refusal({ callback: none, pending }), "MissingIssuer")
        yield* complete({ callback, pending })
        yield* server.configure({ sendIssuer: false })
        const silent = yield* callbackOf()
        assert.strictEqual(yield* refusal({ callback: silent.callback, pending: silent.pending }), "MissingIssuer")
      }).pipe(Effect.provide(layer({ client: { authorizationResponseIssParameterSupported: true } }))))

    it.effect("S25 S28 R35 of two servers, one hostile, neither gets the other's code, verifier or client secret", () =>
      Effect.gen(function*() {
        const hostileIssuer = "https://hostile.test"
        const honest = yield* Server
        const hostile = yield* TestAuthorizationServer.make({
          issuer: hostileIssuer,
          resourceOrigins: ["https://api.hostile.test"]
        })
        class Honest extends OAuth2Client.Tag<Honest>()("honest") {}
        class Hostile extends OAuth2Client.Tag<Hostile>()("hostile") {}
        const clients = Layer.merge(
          Honest.layer(publicClient),
          Hostile.layer({
            ...publicClient,
            issuer: hostileIssuer,
            tokenEndpoint: `${hostileIssuer}/token`,
            authorizationEndpoint: `${hostileIssuer}/authorize`,
            revocationEndpoint: `${hostileIssuer}/revoke`
          })
        ).pipe(
          Layer.provide(Custody.layerMemory),
          Layer.provide(Layer.succeed(HttpClient.HttpClient, TestAuthorizationServer.httpClient([honest, hostile])))
        )
        yield* Effect.gen(function*() {
          const atHostile = yield* Hostile
          const atHonest = yield* Honest
          // The user begins at the hostile server, which sends the user agent on to the honest one with the state of its own.
          const begun = yield* atHostile.begin({ sessionKey: "user" })
          const detour = new URL("https://as.test/authorize")
          detour.search = begun.url.search
          const callback = yield* honest.authorize(detour)
          for (const options of [{ callback, pending: begun.pending }, { callback, sessionKey: "user" }]) {
            assert.deepInclude(yield* Effect.flip(atHostile.complete(options)), { reason: "IssuerMismatch" })
            const error = yield* Effect.flip(atHonest.complete(options))
            assert.deepInclude(error, { reason: "ClientMismatch" })
          }
          assert.strictEqual(yield* honest.tokenRequests(), 0)
          assert.strictEqual(yield* hostile.tokenRequests(), 0)
        }).pipe(Effect.provide(clients))
      }).pipe(Effect.provide(TestAuthorizationServer.layer())))

    it.effect("S31 B281 a code is sent once, however the exchange ends, and the sign-in cannot be tried again", () =>
      Effect.gen(function*() {
        const server = yield* Server
        for (
          const fault of [
            Fault.reset,
            Fault.afterActing(Fault.reset),
            Fault.status(503, { retryAfter: "0" }),
            Fault.status(500),
            Fault.html,
            Fault.truncated(),
            Fault.redirect("https://sink.test/"),
            Fault.status(400, { error: "invalid_grant" })
          ]
        ) {
          yield* server.clearLog
          const { callback, pending } = yield* callbackOf()
          yield* server.inject("token", fault)
          const error = yield* Effect.flip(complete({ callback, pending }))
          assert.include(["ErrorResponse", "InvalidResponse", "TransportError"], error._tag)
          assert.strictEqual(yield* tokenRequests, 1)
          assert.strictEqual(yield* refusal({ callback, pending }), "TransactionConsumed")
        }
      }).pipe(Effect.provide(layer())))

    it.effect("B405 who is interrupted while the code is exchanged loses nothing of what the server issues", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const client = yield* Client
        const { callback, pending } = yield* callbackOf({ sessionKey: "user" })
        yield* server.inject("token", Fault.delay("2 seconds"))
        const fiber = yield* Effect.fork(complete({ callback, pending }))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(fiber)
        yield* TestClock.adjust("1 second")
        // The server's digest of the verifier takes real time
        const later = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
        yield* Effect.repeat(Effect.zipRight(later, client.session("user").isAuthorized), { until: (is) => is })
        assert.strictEqual(yield* server.tokenRequests(), 1)
      }).pipe(Effect.provide(layer())))

    it.effect("B324 B330 an expired token is no obstacle to a new sign-in, and does not travel with it", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const client = yield* Client
        const old = yield* server.issue()
        yield* client.restore(old, { sessionKey: "user" })
        yield* TestClock.adjust("2 hours")
        const { callback, pending } = yield* callbackOf({ sessionKey: "user" })
        const session = yield* complete({ callback, pending })
        assert.notStrictEqual(reveal((yield* session.token).accessToken), reveal(old.accessToken))
        const [exchange] = yield* server.exchanges("token")
        assert.notInclude(exchange?.headerNames ?? [], "authorization")
        assert.notInclude(
          JSON.stringify(exchange?.form.map(([, value]) => Redacted.isRedacted(value) ? Redacted.value(value) : value)),
          textOf(old.accessToken)
        )
      }).pipe(Effect.provide(layer())))
  })

  describe("grants and tokens", () => {
    it.effect("B209 B277 B328 a grant becomes a session, or a token of nobody's", () =>
      Effect.gen(function*() {
        const client = yield* Client
        const session = yield* client.authorize(Grant.clientCredentials({ scope: "a" }), { sessionKey: "job" })
        assert.strictEqual(session.key, "job")
        assert.deepStrictEqual((yield* session.token).scope, ["a"])
        const token = yield* client.requestToken(Grant.clientCredentials())
        assert.notStrictEqual(reveal(token.accessToken), reveal(yield* session.accessToken))
        assert.isFalse(yield* client.session().isAuthorized)
      }).pipe(Effect.provide(layer({ client: confidentialClient }))))

    it.effect("B329 B351 a failed exchange leaves the held token as it was", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const store = yield* WatchedStore.make()
        const program = Effect.gen(function*() {
          const client = yield* Client
          const session = yield* client.restore(yield* server.issue({ clientId: "service" }))
          const before = yield* store.records
          assert.lengthOf(Object.keys(before), 1)
          for (
            const [fault, expected] of [
              [Fault.status(400, { error: "invalid_grant" }), { _tag: "ErrorResponse", code: "invalid_grant" }],
              [Fault.status(401, { error: "invalid_client" }), { _tag: "ErrorResponse", code: "invalid_client" }],
              [Fault.status(500), { _tag: "InvalidResponse", reason: "Status" }],
              [Fault.html, { _tag: "InvalidResponse", reason: "ContentType" }],
              [Fault.reset, { _tag: "TransportError" }],
              [Fault.editMembers((members) => ({ ...members, token_type: "mac" })), {
                _tag: "InvalidResponse",
                reason: "UnsupportedTokenType"
              }],
              [Fault.editMembers((members) => ({ ...members, access_token: "" })), {
                _tag: "InvalidResponse",
                reason: "InvalidMember"
              }]
            ] as const
          ) {
            yield* server.inject("token", fault)
            assert.deepInclude(yield* Effect.flip(client.authorize(Grant.clientCredentials())), expected)
            assert.deepStrictEqual(yield* store.records, before)
            assert.isTrue(yield* session.isAuthorized)
          }
        })
        yield* build(program, confidentialClient, WatchedStore.custodyOf(store))
      }).pipe(Effect.provide(TestAuthorizationServer.layer())))

    it.effect("S49 B346 B347 B348 a refresh token that the answer leaves out is kept, and one that it has replaces it", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const store = yield* WatchedStore.make()
        const program = Effect.gen(function*() {
          const client = yield* Client
          const issued = yield* server.issue()
          const session = yield* client.restore(issued)
          for (const refresh_token of [undefined, null, ""]) {
            yield* TestClock.adjust("2 hours")
            yield* server.inject("token", Fault.editMembers((members) => ({ ...members, refresh_token })))
            const token = yield* session.refresh
            assert.strictEqual(reveal(token.refreshToken), reveal(issued.refreshToken))
          }
          yield* server.inject("token", Fault.editMembers((members) => ({ ...members, refresh_token: "successor" })))
          assert.strictEqual(reveal((yield* session.refresh).refreshToken), "successor")
          const stored = JSON.stringify(yield* store.records)
          assert.include(stored, "successor")
          assert.notInclude(stored, textOf(issued.refreshToken))
        })
        yield* build(program, {}, WatchedStore.custodyOf(store))
      }).pipe(Effect.provide(TestAuthorizationServer.layer({ rotation: "none" }))))

    it.effect("S62 B183 a sign-out revokes the refresh token, and erases it here even where that fails, which it tells", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const store = yield* WatchedStore.make()
        const program = Effect.gen(function*() {
          const client = yield* Client
          const issued = yield* server.issue()
          const session = yield* client.restore(issued)
          assert.deepStrictEqual(yield* session.signOut, { revocation: "Revoked" })
          const [exchange] = yield* server.exchanges("revocation")
          assert.strictEqual(exchange && RequestLog.parameter(exchange, "token"), reveal(issued.refreshToken))
          assert.strictEqual(exchange && RequestLog.parameter(exchange, "token_type_hint"), "refresh_token")
          assert.deepStrictEqual(yield* store.records, {})
          assert.deepStrictEqual(yield* session.signOut, { revocation: "NothingHeld" })
          for (const fault of [Fault.status(503), Fault.reset, Fault.redirect("https://sink.test/")]) {
            yield* client.restore(yield* server.issue())
            yield* server.inject("revocation", fault)
            const result = yield* session.signOut
            assert.strictEqual(result.revocation, "Failed")
            assert.deepStrictEqual(yield* store.records, {})
            assert.isFalse(yield* session.isAuthorized)
          }
          assert.strictEqual((yield* server.counts).requests.elsewhere, 0)
        })
        yield* build(program, {}, WatchedStore.custodyOf(store))
        yield* build(
          Effect.gen(function*() {
            const session = yield* (yield* Client).restore(yield* server.issue())
            assert.deepStrictEqual(yield* session.signOut, { revocation: "NotConfigured" })
          }),
          { revocationEndpoint: undefined }
        )
      }).pipe(Effect.provide(TestAuthorizationServer.layer())))
  })

  it.effect("S73 no two sessions share a key in the store, whatever their keys, clients, servers and resources", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const piece = FastCheck.oneof(
        FastCheck.constantFrom(
          "a",
          "b",
          "\"",
          "[",
          "]",
          "\\",
          ",",
          "\"]\"",
          "\",\"",
          "",
          "default",
          "/",
          "|",
          "\u0000"
        ),
        FastCheck.string({ maxLength: 3 })
      )
      const text = FastCheck.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(""))
      const session = FastCheck.record({
        sessionKey: text,
        clientId: text.map((text) => `c${text}`),
        resource: FastCheck.array(
          text.map((text) => `urn:${encodeURIComponent(text.replace(/[\ud800-\udfff]/g, ""))}`),
          { maxLength: 2 }
        )
      })
      const store = yield* WatchedStore.make()
      const sessions = FastCheck.sample(
        FastCheck.uniqueArray(session, {
          selector: (session) => JSON.stringify(session),
          minLength: 60,
          maxLength: 60
        }),
        { ...runs(1), numRuns: 1 }
      ).flat()
      const token = yield* server.issue()
      for (const { clientId, resource, sessionKey } of sessions) {
        yield* build(
          Effect.flatMap(Client, (client) => client.restore(token, { sessionKey })),
          { clientId, resource },
          WatchedStore.custodyOf(store)
        )
      }
      assert.strictEqual(Object.keys(yield* store.records).length, sessions.length)
      for (const secret of [textOf(token.accessToken), textOf(token.refreshToken)]) {
        for (const { key } of store.asked) assert.notInclude(key, secret)
      }
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("S16 S73 S58 a session of another server, client or resource is not found", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const store = yield* WatchedStore.make()
      const stores = WatchedStore.custodyOf(store)
      yield* build(Effect.flatMap(Client, (client) => Effect.flatMap(server.issue(), client.restore)), {}, stores)
      const held = (options: Partial<OAuth2Client.Options>) =>
        build(Effect.flatMap(Client, (client) => client.session().isAuthorized), options, stores)
      assert.isTrue(yield* held({}))
      for (
        const options of [
          { issuer: "https://other.test" },
          { issuer: undefined },
          { clientId: "other" },
          { resource: "https://api.test" }
        ]
      ) {
        assert.isFalse(yield* held(options))
      }
      assert.strictEqual(yield* tokenRequests, 0)
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("B339 B365 S35 nothing of a resource request reaches the authorization server", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const client = yield* Client
      const http = yield* OAuth2HttpClient.OAuth2HttpClient
      const session = yield* client.restore(yield* server.issue())
      yield* TestClock.adjust("2 hours")
      yield* http.post(`https://api.test/x?q=${canary}`, {
        headers: { "x-own": canary, cookie: canary },
        urlParams: { more: canary }
      }).pipe(Effect.provideService(OAuth2Session.CurrentSession, session))
      const [exchange] = yield* server.exchanges("token")
      assert.deepStrictEqual(exchange?.form.map(([name]) => name).sort(), ["client_id", "grant_type", "refresh_token"])
      assert.deepStrictEqual([...exchange?.headerNames ?? []].sort(), ["accept", "content-length", "content-type"])
      assert.deepStrictEqual(exchange?.query, [])
      assert.strictEqual(Registration.server(client.registration), "https://as.test")
    }).pipe(Effect.provide(layer())))

  it.effect("S36 S41 one setting proves the client everywhere: at sign-in, refresh and sign-out", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { callback, pending } = yield* callbackOf()
      const session = yield* complete({ callback, pending })
      yield* session.refresh
      yield* session.signOut
      const exchanges = [...(yield* server.exchanges("token")), ...(yield* server.exchanges("revocation"))]
      assert.strictEqual(exchanges.length, 3)
      for (const exchange of exchanges) {
        assert.strictEqual(RequestLog.header(exchange, "authorization"), `Basic ${btoa("service:service-secret")}`)
        assert.isUndefined(RequestLog.parameter(exchange, "client_secret"))
        assert.isUndefined(RequestLog.parameter(exchange, "client_id"))
      }
    }).pipe(Effect.provide(layer({ client: confidentialClient }))))

  it("S10 S11 B200 B271 B275 the main entry has no implicit grant, no password grant, and no PKCE but S256", () => {
    const names = Object.keys(Grant)
    assert.deepStrictEqual(names.filter((name) => /password|implicit|owner/i.test(name)), [])
    assert.strictEqual(ClientAuthentication.none.method, "none")
  })
})
