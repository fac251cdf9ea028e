import { Grant, OAuth2Client } from "@effect-oauth2/core"
import { RequestLog, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { confidentialClient, layer, publicClient } from "../fixtures.js"

const Server = TestAuthorizationServer.TestAuthorizationServer
const Client = OAuth2Client.OAuth2Client

/** A sign-in up to the callback. */
const callbackOf = (options?: OAuth2Client.BeginOptions) =>
  Effect.gen(function*() {
    const begun = yield* (yield* Client).begin(options)
    return { ...begun, callback: yield* (yield* Server).authorize(begun.url) }
  })

/** Why the callback is refused. */
const refusal = (options: OAuth2Client.CompleteOptions) =>
  Effect.flatMap(Client, (client) => Effect.flip(client.complete(options))).pipe(
    Effect.map((error) => error._tag === "AuthorizationResponseError" ? error.reason : error._tag)
  )

const tokenRequests = Effect.flatMap(Server, (server) => server.tokenRequests())

describe("an authorization request", () => {
  it.effect("B169 is written without sending anything", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { url } = yield* (yield* Client).begin({ scope: "a", parameters: { prompt: "login" } })
      assert.deepStrictEqual(yield* server.exchanges(), [])
      yield* server.authorize(url)
      assert.strictEqual((yield* server.exchanges()).length, 1)
    }).pipe(Effect.provide(layer())))

  it.effect("B170 B269 has a state of its own, which is the one that is checked", () =>
    Effect.gen(function*() {
      const one = yield* callbackOf()
      const other = yield* callbackOf()
      for (const { callback, pending, url } of [one, other]) {
        assert.strictEqual(url.searchParams.get("state"), pending.state)
        assert.strictEqual(callback.searchParams.get("state"), pending.state)
      }
      assert.notStrictEqual(one.pending.state, other.pending.state)
      assert.strictEqual(yield* refusal({ callback: one.callback, pending: other.pending }), "StateMismatch")
      const session = yield* (yield* Client).complete({ callback: one.callback, pending: one.pending })
      assert.isTrue(yield* session.isAuthorized)
    }).pipe(Effect.provide(layer())))

  it.effect("B244 B262 B265 refuses a state of the program's own, an empty one too", () =>
    Effect.gen(function*() {
      const client = yield* Client
      for (const state of ["fix", ""]) {
        assert.deepInclude(yield* Effect.flip(client.begin({ parameters: { state } })), {
          _tag: "InputError",
          field: "state"
        })
        const configured = OAuth2Client.make({ ...publicClient, authorizationParameters: { state } })
        assert.deepInclude(yield* Effect.flip(Effect.scoped(configured)), {
          _tag: "ConfigurationError",
          field: "authorizationParameters.state"
        })
      }
    }).pipe(Effect.provide(layer())))

  it.effect("B171 B172 B241 B251 what one sign-in says is not kept for the next", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const own = yield* client.begin({ redirectUri: "http://127.0.0.1:1/cb", scope: "c" })
      assert.strictEqual(own.url.searchParams.get("redirect_uri"), "http://127.0.0.1:1/cb")
      assert.strictEqual(own.url.searchParams.get("scope"), "c")
      const next = yield* client.begin()
      assert.strictEqual(next.url.searchParams.get("redirect_uri"), "https://app.test/callback")
      assert.strictEqual(next.url.searchParams.get("scope"), "a b")
      assert.deepStrictEqual(client.registration.scope, ["a", "b"])
    }).pipe(Effect.provide(layer({ client: { scope: "a b" } }))))

  it.effect("B137 needs an authorization endpoint and a redirect URI", () =>
    Effect.gen(function*() {
      for (const field of ["authorizationEndpoint", "redirectUri"] as const) {
        const client = yield* OAuth2Client.make({ ...publicClient, [field]: undefined })
        assert.deepInclude(yield* Effect.flip(client.begin()), { _tag: "ConfigurationError", field })
      }
    }).pipe(Effect.scoped, Effect.provide(layer())))
})

describe("a callback", () => {
  it.effect("B173 B242 becomes a token request in one step, its state checked first", () =>
    Effect.gen(function*() {
      const { callback, pending, url } = yield* callbackOf()
      assert.strictEqual(url.searchParams.get("redirect_uri"), "https://app.test/callback")
      const tampered = new URL(callback)
      tampered.searchParams.set("state", "other")
      assert.strictEqual(yield* refusal({ callback: tampered, pending }), "StateMismatch")
      assert.strictEqual(yield* tokenRequests, 0)
      yield* (yield* Client).complete({ callback, pending })
      const [exchange, ...others] = yield* (yield* Server).exchanges("token")
      assert.isDefined(exchange)
      assert.deepStrictEqual(others, [])
      assert.strictEqual(exchange.grantType, "authorization_code")
      assert.strictEqual(RequestLog.parameter(exchange, "code"), callback.searchParams.get("code"))
      assert.strictEqual(RequestLog.parameter(exchange, "redirect_uri"), "https://app.test/callback")
    }).pipe(Effect.provide(layer())))

  it.effect("B174 B281 without a code makes no token request, and the one with the code still completes", () =>
    Effect.gen(function*() {
      const { callback, pending } = yield* callbackOf()
      for (const code of [undefined, ""]) {
        const without = new URL(callback)
        if (code === undefined) without.searchParams.delete("code")
        else without.searchParams.set("code", code)
        assert.strictEqual(yield* refusal({ callback: without, pending }), "MissingCode")
      }
      assert.strictEqual(yield* tokenRequests, 0)
      yield* (yield* Client).complete({ callback, pending })
      assert.strictEqual(yield* tokenRequests, 1)
    }).pipe(Effect.provide(layer())))

  it.effect("B278 is checked whatever its code is worth, and a code by hand is a grant, which needs its verifier", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const { callback, pending } = yield* callbackOf()
      const code = Redacted.make(callback.searchParams.get("code")!)
      // @ts-expect-error a code alone is no callback
      const byCode: OAuth2Client.CompleteOptions = { code, pending }
      assert.notProperty(byCode, "callback")
      const withoutState = `?code=${Redacted.value(code)}`
      assert.strictEqual(yield* refusal({ callback: withoutState, pending }), "MissingState")
      assert.strictEqual(yield* tokenRequests, 0)
      const session = yield* client.authorize(Grant.authorizationCode({ ...pending, code }))
      assert.isTrue(yield* session.isAuthorized)
    }).pipe(Effect.provide(layer())))

  it.effect("B282 B285 without a sign-in is a typed error without effect, whatever the client's grant is", () =>
    Effect.gen(function*() {
      const session = (yield* Client).session()
      const { accessToken } = yield* session.token
      const before = yield* tokenRequests
      for (const callback of ["?code=x&state=y", "https://service.test/callback?code=x&state=y"]) {
        assert.strictEqual(yield* refusal({ callback, sessionKey: "default" }), "TransactionUnknown")
      }
      assert.strictEqual(yield* tokenRequests, before)
      assert.strictEqual(Redacted.value((yield* session.token).accessToken), Redacted.value(accessToken))
    }).pipe(Effect.provide(layer({
      client: { ...confidentialClient, authorizationEndpoint: undefined, grant: Grant.clientCredentials() }
    }))))
})

describe("a client", () => {
  it.effect("B009 B191 has an id and a token endpoint: the compiler says so, and the layer for what comes from data", () =>
    Effect.gen(function*() {
      // @ts-expect-error the token endpoint is missing
      const withoutEndpoint: OAuth2Client.Options = { clientId: "app" }
      // @ts-expect-error the client id is missing
      const withoutId: OAuth2Client.Options = { tokenEndpoint: "https://as.test/token" }
      assert.deepStrictEqual([withoutEndpoint.tokenEndpoint, withoutId.clientId], [undefined, undefined])
      for (const [field, value] of [["clientId", ""], ["clientId", " "], ["tokenEndpoint", ""]] as const) {
        const error = yield* Effect.flip(OAuth2Client.make({ ...publicClient, [field]: value }))
        assert.deepInclude(error, { _tag: "ConfigurationError", field })
      }
    }).pipe(Effect.scoped, Effect.provide(layer())))

  it.effect("B132 B152 B246 B247 B297 an unknown option does not compile, and changes nothing", () =>
    Effect.gen(function*() {
      // @ts-expect-error there is no such option
      const options: OAuth2Client.Options = { ...publicClient, usePkce: false }
      // @ts-expect-error PKCE is declined by a value of a legacy module, and by nothing else
      const plain: OAuth2Client.Options = { ...publicClient, pkce: "plain" }
      assert.deepInclude(yield* Effect.flip(OAuth2Client.make(plain)), { _tag: "ConfigurationError", field: "pkce" })
      // @ts-expect-error a secret is part of a method, and there is one method
      const withSecret: OAuth2Client.Options = { ...publicClient, clientSecret: "s" }
      assert.strictEqual((yield* OAuth2Client.make(withSecret)).registration.clientAuthentication.method, "none")
      const { begin } = yield* OAuth2Client.make(options)
      const { searchParams } = (yield* begin()).url
      assert.strictEqual(searchParams.get("code_challenge_method"), "S256")
      assert.isFalse(searchParams.has("pkce"))
    }).pipe(Effect.scoped, Effect.provide(layer())))

  it.effect("B238 B252 made elsewhere is used as it is, and says who it is", () =>
    Effect.gen(function*() {
      const made = yield* OAuth2Client.make({ ...publicClient, scope: "own" })
      const used = yield* Effect.provide(Client, Layer.succeed(Client, made))
      assert.strictEqual(used, made)
      assert.strictEqual(used.registration.clientId, "app")
      // @ts-expect-error it does not change
      const rename = () => void (used.registration.clientId = "other")
      assert.isFunction(rename)
    }).pipe(Effect.scoped, Effect.provide(layer())))
})
