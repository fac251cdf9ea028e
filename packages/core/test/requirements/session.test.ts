import { Grant, OAuth2Session, Registration, Token } from "@effect-oauth2/core"
import { Fault, RequestLog, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Redacted, Schema } from "effect"
import { publicClient } from "../fixtures.js"
import { Client, hour, HttpClient, layer, minute, second, Server, signIn, watchEvents } from "../reliability/house.js"
import * as Simulation from "../reliability/Simulation.js"
import * as WatchedStore from "../reliability/WatchedStore.js"

const thing = "https://api.test/things"

const get = (session: OAuth2Session.OAuth2Session) =>
  Effect.flatMap(HttpClient, (http) => Effect.provideService(http.get(thing), OAuth2Session.CurrentSession, session))

const tags = (events: ReadonlyArray<{ readonly _tag: string }>) => events.map(({ _tag }) => _tag)

const bearerTokens = Effect.flatMap(
  Server,
  (server) =>
    Effect.map(
      server.exchanges("resource"),
      (exchanges) => exchanges.map((exchange) => RequestLog.header(exchange, "authorization"))
    )
)

/** A token in clear: two secrets are always equal to an assertion. */
const inClear = Schema.encodeSync(Token.Token)

const headerOf = (token: { readonly accessToken: Token.Token["accessToken"] }) =>
  `Bearer ${Redacted.value(token.accessToken)}`

describe("a token", () => {
  it("B133 B243 obtained elsewhere is what the session sends, whatever is known of its expiry", () =>
    Simulation.run(1, () =>
      Effect.gen(function*() {
        const [server, client] = yield* Effect.all([Server, Client])
        const issued = yield* server.issue()
        for (const expiresAt of [undefined, 3_600_000, 3_600_000.5]) {
          const { expiresAt: _, ...rest } = issued
          const token = expiresAt === undefined ? rest : { ...rest, expiresAt }
          const session = yield* client.restore(token, { sessionKey: String(expiresAt) })
          assert.deepStrictEqual(inClear(yield* session.token), inClear(token))
          yield* get(session)
        }
        assert.deepStrictEqual(yield* bearerTokens, Array.from({ length: 3 }, () => headerOf(issued)))
        assert.strictEqual(yield* server.tokenRequests(), 0)
        yield* Effect.sleep(minute)
        const expired = yield* client.restore({ ...issued, expiresAt: second }, { sessionKey: "expired" })
        assert.notStrictEqual(headerOf(yield* expired.token), headerOf(issued))
        assert.strictEqual(yield* server.tokenRequests("refresh_token"), 1)
      }).pipe(Effect.provide(layer()))))

  it("B134 B253 says what its session has, and nothing of what the client asks for", () =>
    Simulation.run(2, () =>
      Effect.gen(function*() {
        const [server, client] = yield* Effect.all([Server, Client])
        const token = yield* server.issue({ scope: "granted" })
        const session = yield* client.restore(token)
        assert.deepStrictEqual((yield* session.token).scope, ["granted"])
        assert.strictEqual(headerOf({ accessToken: yield* session.accessToken }), headerOf(token))
        assert.strictEqual((yield* client.begin()).url.searchParams.get("scope"), "asked for")
      }).pipe(Effect.provide(layer({ client: { scope: "asked for" } })))))

  it("B135 inherits nothing from the token before it", () =>
    Simulation.run(3, () =>
      Effect.gen(function*() {
        const [server, client] = yield* Effect.all([Server, Client])
        const first = yield* server.issue({ scope: "a" })
        assert.containsAllKeys(first, ["expiresAt", "refreshToken", "scope"])
        const session = yield* client.restore(first)
        const second: Token.Token = { accessToken: Redacted.make("AT"), tokenType: "bearer", issuedAt: 0 }
        yield* client.restore(second)
        assert.deepStrictEqual(inClear(yield* session.token), inClear(second))
      }).pipe(Effect.provide(layer()))))

  it("B234 changes nothing of the client, whatever its members are called", () =>
    Simulation.run(4, () =>
      Effect.gen(function*() {
        const [server, client, session] = yield* Effect.all([Server, Client, signIn()])
        const before = { ...client.registration }
        const hostile = {
          client_id: "EVIL",
          clientId: "EVIL",
          token_endpoint: "https://evil.test/token",
          tokenEndpoint: "https://evil.test/token",
          registration: {},
          redirect_uri: "https://evil.test/"
        }
        yield* server.inject("token", Fault.editMembers((members) => ({ ...members, ...hostile })))
        yield* session.refresh
        yield* session.refresh
        assert.deepStrictEqual({ ...client.registration }, before)
        const exchanges = yield* server.exchanges("token")
        assert.deepStrictEqual(
          exchanges.map((exchange) => [exchange.url, RequestLog.parameter(exchange, "client_id")]),
          [["https://as.test/token", "app"], ["https://as.test/token", "app"]]
        )
        assert.deepStrictEqual(yield* server.exchanges("elsewhere"), [])
      }).pipe(Effect.provide(layer()))))
})

describe("a session", () => {
  it("B255 B256 B257 B258 is authorized as long as it sends a token, and sends nothing afterwards", () =>
    Simulation.run(12, () =>
      Effect.gen(function*() {
        const client = yield* Client
        const empty = client.session("empty")
        assert.isFalse(yield* empty.isAuthorized)
        const session = yield* signIn()
        assert.isTrue(yield* session.isAuthorized)
        const sent = [headerOf(yield* session.token)]
        yield* get(session)
        yield* session.signOut
        for (const without of [session, client.session(), empty]) {
          assert.isFalse(yield* without.isAuthorized)
          assert.deepInclude(yield* Effect.flip(get(without)), { _tag: "ReauthorizationRequired", reason: "NoSession" })
        }
        assert.deepStrictEqual(yield* bearerTokens, sent)
      }).pipe(Effect.provide(layer()))))
})

describe("a new token", () => {
  it("B245 B350 goes the same way into the store and to those who listen, whatever it came by", () =>
    Simulation.run(6, () =>
      Effect.gen(function*() {
        const [events, store] = yield* Effect.all([watchEvents, WatchedStore.WatchedStore])
        const assertStored = (token: Token.Token) =>
          Effect.map(store.stored(), (record) => {
            assert.isDefined(record?.token)
            assert.deepStrictEqual(inClear(record.token), inClear(token))
          })
        const session = yield* signIn()
        yield* assertStored(yield* session.token)
        yield* assertStored(yield* session.refresh)
        yield* Effect.sleep(hour + second)
        yield* get(session)
        yield* assertStored(yield* session.token)
        yield* Effect.sleep(second)
        assert.deepStrictEqual(tags(events), ["Authorized", "Refreshed", "Refreshed"])
      }).pipe(Effect.provide(layer()))))

  it("B343 B363 B366 B367 is fetched by itself where the old one has expired, and the request sent once with it", () =>
    Simulation.run(7, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        const old = yield* session.token
        yield* Effect.sleep(hour + second)
        const response = yield* get(session)
        assert.strictEqual(response.status, 200)
        const [refresh, ...others] = yield* server.exchanges("token")
        assert.deepInclude(refresh, { method: "POST", grantType: "refresh_token" })
        assert.isUndefined(refresh && RequestLog.header(refresh, "authorization"))
        assert.deepStrictEqual(others, [])
        const now = yield* session.token
        assert.notStrictEqual(headerOf(now), headerOf(old))
        assert.deepStrictEqual(yield* bearerTokens, [headerOf(now)])
      }).pipe(Effect.provide(layer()))))

  it("B369 without known expiry is used, where the one before it had one", () =>
    Simulation.run(8, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        yield* server.configure({ sendExpiresIn: false, accessTokenLifetime: Infinity })
        yield* Effect.sleep(hour + second)
        for (let call = 0; call < 3; call++) {
          assert.strictEqual((yield* get(session)).status, 200)
          yield* Effect.sleep(minute)
        }
        assert.strictEqual(yield* server.tokenRequests(), 1)
        assert.isUndefined((yield* session.token).expiresAt)
      }).pipe(Effect.provide(layer()))))
})

describe("a refresh", () => {
  it("B335 redeems the session's refresh token, or one that is given by hand", () =>
    Simulation.run(9, () =>
      Effect.gen(function*() {
        const [server, client] = yield* Effect.all([Server, Client])
        const token = yield* server.issue()
        const session = yield* client.restore(token)
        yield* session.refresh
        const other = yield* server.issue()
        assert.isDefined(other.refreshToken)
        yield* client.requestToken(Grant.refreshToken({ refreshToken: other.refreshToken }))
        const presented = (yield* server.exchanges("token")).map((exchange) =>
          RequestLog.parameter(exchange, "refresh_token")
        )
        assert.deepStrictEqual(
          presented,
          [token, other].map(({ refreshToken }) => refreshToken && Redacted.value(refreshToken))
        )
      }).pipe(Effect.provide(layer()))))

  it("B240 B340 sends what is configured for token requests beside its own, which that cannot replace", () =>
    Simulation.run(10, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        yield* session.refresh
        const [exchange] = yield* server.exchanges("token")
        assert.deepStrictEqual(exchange?.form.map(([name]) => name).sort(), [
          "client_id",
          "grant_type",
          "refresh_token",
          "tenant"
        ])
        for (const name of ["refresh_token", "grant_type", "client_id", "client_secret"]) {
          const made = Registration.make({ ...publicClient, tokenParameters: { [name]: "x" } })
          const result = yield* Effect.either(Effect.provide(made, TestAuthorizationServer.layer()))
          assert.deepInclude(Either.isLeft(result) && result.left, { field: `tokenParameters.${name}` })
        }
      }).pipe(Effect.provide(layer({ client: { tokenParameters: { tenant: "t" } } })))))

  it("B352 takes no token out of an answer of another status than 200", () =>
    Simulation.run(11, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        const old = yield* session.token
        for (const status of [201, 403, 500]) {
          yield* server.inject("token", Fault.editReply((reply) => ({ ...reply, status })))
          assert.isTrue(Either.isLeft(yield* Effect.either(session.refresh)), String(status))
          assert.deepStrictEqual(inClear(yield* session.token), inClear(old))
          yield* Effect.sleep(minute)
        }
      }).pipe(Effect.provide(layer({ server: { rotation: "none" } })))))
})
