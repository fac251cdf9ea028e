import type { OAuth2HttpClient } from "@effect-oauth2/core"
import { ClientAuthentication, Custody, Grant, OAuth2Client, Registration } from "@effect-oauth2/core"
import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Duration, Effect, Either, Layer, Redacted } from "effect"
import { publicClient } from "./fixtures.js"
import { canary } from "./fuzz.js"
import { leaks } from "./secrecy.js"

const Server = TestAuthorizationServer.TestAuthorizationServer

/** What building the client fails with, and how many requests that took. */
const failure = (
  options: Partial<OAuth2Client.Options>,
  httpClient: OAuth2HttpClient.Options = { origins: ["https://api.test"] }
) =>
  Effect.gen(function*() {
    const server = yield* Server
    const layer = OAuth2Client.layerHttpClient(httpClient).pipe(
      Layer.provideMerge(OAuth2Client.layer({ ...publicClient, ...options })),
      Layer.provide(Custody.layerMemory)
    )
    const error = yield* Layer.build(layer).pipe(Effect.scoped, Effect.flip)
    assert.strictEqual((yield* server.exchanges()).length, 0)
    assert.strictEqual(error._tag, "ConfigurationError")
    assert.strictEqual(error.remedy, "operator")
    assert.deepStrictEqual(leaks(error, [canary]), [])
    return error
  }).pipe(Effect.provide(TestAuthorizationServer.layer()))

/** Building works. */
const accepted = (options: Partial<OAuth2Client.Options>, httpClient?: OAuth2HttpClient.Options) =>
  Layer.build(
    OAuth2Client.layerHttpClient(httpClient ?? { origins: ["https://api.test"] }).pipe(
      Layer.provideMerge(OAuth2Client.layer({ ...publicClient, ...options })),
      Layer.provide(Custody.layerMemory),
      Layer.provide(TestAuthorizationServer.layer())
    )
  ).pipe(Effect.scoped)

type Case = readonly [field: string, options: Partial<OAuth2Client.Options>]

const endpoints: ReadonlyArray<Case> =
  (["tokenEndpoint", "authorizationEndpoint", "revocationEndpoint", "issuer"] as const)
    .flatMap((field) =>
      [
        "",
        "as.test",
        "/token",
        "http://as.test/x",
        "ftp://as.test",
        "https://as.test/x#y",
        `https://user:${canary}@as.test/x`,
        " https://as.test",
        "https://as.test/\n",
        "https://"
      ].map((text): Case => [field, { [field]: text }])
    )

const registration: ReadonlyArray<Case> = [
  ["clientId", { clientId: "" }],
  ["clientId", { clientId: " " }],
  ...["", " ", "\n"].map(Redacted.make).flatMap((secret): ReadonlyArray<Case> => [
    ["clientAuthentication", { clientAuthentication: ClientAuthentication.clientSecretBasic(secret) }],
    ["clientAuthentication", {
      clientAuthentication: ClientAuthentication.clientSecretBasic(secret, { formEncode: false })
    }],
    ["clientAuthentication", { clientAuthentication: ClientAuthentication.clientSecretPost(secret) }]
  ]),
  ...endpoints,
  ["tokenEndpoint", { tokenEndpoint: `https://as.test/token?client_secret=${canary}` }],
  ["tokenEndpoint", { tokenEndpoint: "https://as.test/token?grant_type=password" }],
  ["revocationEndpoint", { revocationEndpoint: "https://as.test/revoke?client_id=x" }],
  ["authorizationEndpoint", { authorizationEndpoint: "https://as.test/authorize?response_type=token" }],
  ["authorizationEndpoint", { authorizationEndpoint: "https://as.test/authorize?state=x" }],
  ["issuer", { issuer: undefined, authorizationResponseIssParameterSupported: true }],
  ...[
    "",
    "/callback",
    "http://app.test/callback",
    "http://localhost.evil.test/cb",
    "https://app.test/cb#x",
    "https://app.test/cb#",
    " https://app.test/cb",
    "https://app.test/c b",
    "https://app.test/cb\t",
    "myapp:/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///cb",
    "blob:https://app.test/x",
    "about:blank"
  ].map((redirectUri): Case => ["redirectUri", { redirectUri }]),
  ...["", "api", "/api", "https://api.test#x", " https://api.test", ["https://api.test", "api"]].map(
    (resource): Case => ["resource", { resource }]
  ),
  ["authorizationParameters.state", { authorizationParameters: { state: canary } }],
  ["authorizationParameters.client_secret", { authorizationParameters: { client_secret: Redacted.make(canary) } }],
  ["tokenParameters.grant_type", { tokenParameters: { grant_type: "password" } }],
  ["tokenParameters.client_secret", { tokenParameters: { client_secret: Redacted.make(canary) } }],
  ["requestDeadline", { requestDeadline: 0 }],
  ["requestDeadline", { requestDeadline: -1 }],
  ["requestDeadline", { requestDeadline: NaN }],
  ["requestDeadline", { requestDeadline: Duration.infinity }],
  ["maxResponseBytes", { maxResponseBytes: 0 }],
  ["maxResponseBytes", { maxResponseBytes: -1 }],
  ["maxResponseBytes", { maxResponseBytes: NaN }],
  ["maxResponseBytes", { maxResponseBytes: 1_048_577 }],
  ["maxResponseBytes", { maxResponseBytes: Infinity }],
  ["signInTimeout", { signInTimeout: 0 }],
  ["signInTimeout", { signInTimeout: "11 minutes" }],
  ["signInTimeout", { signInTimeout: Duration.infinity }],
  ["grant", { grant: Grant.refreshToken({ refreshToken: Redacted.make(canary) }) }]
]

const refreshPolicy: ReadonlyArray<Case> = [
  ...([
    "earlyWindow",
    "minimumInterval",
    "persistDeadline",
    "hold",
    "drainTimeout",
    "idleTimeToLive",
    "revalidateAfter",
    "rejectionInterval"
  ] as const).map((field): Case => [`refreshPolicy.${field}`, { refreshPolicy: { [field]: Duration.infinity } }]),
  ...[-0.1, 1.1, NaN, Infinity].map((earlyFraction): Case => [
    "refreshPolicy.earlyFraction",
    { refreshPolicy: { earlyFraction } }
  ]),
  ["refreshPolicy.hold", { refreshPolicy: { hold: "10 seconds" } }],
  ["refreshPolicy.hold", { requestDeadline: "20 seconds", refreshPolicy: { hold: "22 seconds" } }],
  ["refreshPolicy.hold", { refreshPolicy: { persistDeadline: "10 seconds", hold: "11 seconds" } }]
]

const httpClient: ReadonlyArray<readonly [field: string, options: OAuth2HttpClient.Options]> = [
  ["origins", {}],
  ["origins", { origins: [] }],
  ["origins", { origins: ["api.test"] }],
  ["origins", { origins: ["http://api.test"] }],
  ["origins", { origins: ["https://api.test/v1"] }],
  ["origins", { origins: ["https://api.test/?x"] }],
  ["origins", { origins: ["https://api.test/#"] }],
  ["origins", { origins: ["https://user@api.test"] }],
  ["origins", { origins: ["https://api.test", ""] }],
  ["origins", { origins: ["*"] }],
  ["origins", { origins: ["https://*"] }],
  ["origins", { origins: ["null"] }],
  ["originFromToken.matches", { originFromToken: { member: "instance_url", matches: /^https:/g } }],
  ["originFromToken.matches", { originFromToken: { member: "instance_url", matches: /^https:/y } }]
]

const shown = (options: object) =>
  JSON.stringify(
    options,
    (_, value: unknown) => typeof value === "number" || value instanceof RegExp ? String(value) : value
  )
    .replaceAll(canary, "…")

describe("Registration", () => {
  for (const [field, options] of [...registration, ...refreshPolicy]) {
    it.effect(`S01 B276 B334 B373 ${field} is named, and nothing sent, for ${shown(options)}`, () =>
      Effect.gen(function*() {
        const error = yield* failure(options)
        assert.strictEqual(error.field, field)
        assert.isNotEmpty(error.problem)
        assert.strictEqual(error.message, `${field}: ${error.problem}`)
      }))
  }

  for (const [field, options] of httpClient) {
    it.effect(`S05 ${field} is named, and nothing sent, for ${shown(options)}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* failure({}, options)).field, field)
      }))
  }

  it.effect("S05 the origins of the resources stand in for origins, where those are https", () =>
    Effect.gen(function*() {
      yield* accepted({ resource: ["https://api.test/v1", "https://other.test"] }, {})
      for (const resource of ["urn:example:api", "http://api.test", ["https://api.test", "com.example:/api"]]) {
        assert.strictEqual((yield* failure({ resource }, {})).field, "origins")
      }
    }))

  it.effect("B005 B006 S01 S83 a redirect URI is https, http on loopback, or of a scheme in reverse-domain form", () =>
    Effect.gen(function*() {
      for (
        const redirectUri of [
          "https://app.test/cb?x=1",
          "http://localhost:3000/cb",
          "http://127.0.0.1/cb",
          "http://[::1]:9/cb",
          "com.example.app:/cb",
          "com.example.app://cb"
        ]
      ) {
        yield* accepted({ redirectUri })
        assert.deepStrictEqual(Registration.redirectUri(redirectUri), Either.right(redirectUri))
      }
    }))

  it.effect("S01 B003 a server on this machine is reached by http where an option of its own says so", () =>
    Effect.gen(function*() {
      const local = {
        issuer: "http://localhost:8080",
        tokenEndpoint: "http://localhost:8080/token",
        authorizationEndpoint: "http://127.0.0.1:8080/authorize",
        revocationEndpoint: "http://[::1]:8080/revoke"
      }
      yield* accepted({ ...local, allowInsecureLoopback: true }, { origins: ["http://localhost:9090"] })
      assert.strictEqual((yield* failure(local)).field, "tokenEndpoint")
      assert.strictEqual(
        (yield* failure({ ...local, allowInsecureLoopback: true, tokenEndpoint: "http://as.test/token" })).field,
        "tokenEndpoint"
      )
    }))

  it.effect("S16 a session belongs to the issuer, or to the token endpoint where no issuer is configured", () =>
    Effect.gen(function*() {
      const server = (options: Partial<Registration.Options>) =>
        Effect.map(Registration.make({ ...publicClient, ...options }), Registration.server)
      assert.strictEqual(yield* server({}), "https://as.test")
      assert.strictEqual(yield* server({ issuer: undefined }), "https://as.test/token")
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("B237 B241 B242 what is not given has its default, and an own value is taken as it is", () =>
    Effect.gen(function*() {
      const registration = yield* Registration.make({ clientId: "cid", tokenEndpoint: "https://as.test/token" })
      assert.deepInclude(registration, {
        clientId: "cid",
        clientAuthentication: ClientAuthentication.none,
        resource: [],
        requireIssuer: false,
        limits: { requestDeadline: Duration.seconds(8), maxResponseBytes: 262_144 }
      })
      for (const name of ["authorizationEndpoint", "revocationEndpoint", "issuer", "redirectUri", "scope"] as const) {
        assert.isUndefined(registration[name])
      }
      const own = yield* Registration.make({
        ...publicClient,
        scope: "a b",
        resource: "urn:x",
        requestDeadline: "1 second"
      })
      assert.deepInclude(own, { scope: ["a", "b"], resource: ["urn:x"], redirectUri: "https://app.test/callback" })
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("B402 B405 any option may come out of Config, and a bad one fails the layer by the field's name", () =>
    Effect.gen(function*() {
      const build = (entries: ReadonlyArray<readonly [string, string]>) =>
        Layer.build(
          OAuth2Client.layerConfig({
            ...publicClient,
            clientId: Config.string("CLIENT_ID"),
            tokenEndpoint: Config.string("TOKEN_ENDPOINT"),
            clientAuthentication: Config.map(Config.redacted("SECRET"), ClientAuthentication.clientSecretBasic)
          }).pipe(Layer.provide(Custody.layerMemory), Layer.provide(TestAuthorizationServer.layer()))
        ).pipe(Effect.scoped, Effect.withConfigProvider(ConfigProvider.fromMap(new Map(entries))), Effect.flip)
      const missing = yield* build([["SECRET", canary]])
      assert.notStrictEqual((missing as { readonly _tag: string })._tag, "ConfigurationError")
      const bad = yield* build([["SECRET", canary], ["CLIENT_ID", "cid"], ["TOKEN_ENDPOINT", "http://as.test"]])
      assert.deepInclude(bad, { _tag: "ConfigurationError", field: "tokenEndpoint" })
      const empty = yield* build([["SECRET", ""], ["CLIENT_ID", "cid"], ["TOKEN_ENDPOINT", "https://as.test"]])
      assert.deepInclude(empty, { _tag: "ConfigurationError", field: "clientAuthentication" })
      assert.deepStrictEqual([...leaks(missing, [canary]), ...leaks(bad, [canary])], [])
    }))
})
