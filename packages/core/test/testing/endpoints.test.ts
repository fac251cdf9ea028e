import * as BearerChallenge from "@effect-oauth2/core/BearerChallenge"
import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Stream, TestClock } from "effect"
import { call, post, refresh, Server, text, tokenRequest } from "./requests.js"

const issued = Effect.gen(function*() {
  const { accessToken, refreshToken } = yield* (yield* Server).issue({ clientId: "app", scope: "read" })
  return {
    accessToken: Redacted.value(accessToken),
    refreshToken: refreshToken === undefined ? "" : Redacted.value(refreshToken)
  }
})

const getJson = (url: string) =>
  Effect.flatMap(HttpClient.get(url), ({ json }) => Effect.map(json, (json) => json as Record<string, unknown>))

describe("metadata", () => {
  it.effect("both well-known documents name the issuer and the endpoints", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const metadata = yield* getJson("https://as.test/.well-known/oauth-authorization-server")
      assert.deepInclude(metadata, {
        issuer: "https://as.test",
        token_endpoint: server.endpoints.token,
        authorization_endpoint: server.endpoints.authorization,
        revocation_endpoint: server.endpoints.revocation,
        introspection_endpoint: server.endpoints.introspection,
        device_authorization_endpoint: server.endpoints.deviceAuthorization,
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["none", "client_secret_basic"],
        authorization_response_iss_parameter_supported: true
      })
      assert.deepEqual(yield* getJson("https://as.test/.well-known/openid-configuration"), metadata)
      assert.deepEqual(yield* getJson("https://as.test/jwks"), { keys: [] })
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("an issuer may have a path, which is inserted into the well-known URL", () =>
    Effect.gen(function*() {
      const metadata = yield* getJson("https://as.test/.well-known/oauth-authorization-server/tenant")
      assert.deepInclude(metadata, { issuer: "https://as.test/tenant", token_endpoint: "https://as.test/tenant/token" })
      const openid = yield* getJson("https://as.test/tenant/.well-known/openid-configuration")
      assert.strictEqual(openid["issuer"], "https://as.test/tenant")
    }).pipe(Effect.provide(TestAuthorizationServer.layer({ issuer: "https://as.test/tenant" }))))
})

describe("the resource", () => {
  const challengeOf = (header: string | undefined) => {
    const challenge = BearerChallenge.bearer(header ?? "")
    return { error: challenge?.parameters.get("error"), scope: challenge?.parameters.get("scope") }
  }

  it.effect("no token is challenged without an error, an unknown one with invalid_token", () =>
    Effect.gen(function*() {
      const none = yield* call()
      assert.strictEqual(none.status, 401)
      assert.deepEqual(challengeOf(none.challenge), { error: undefined, scope: undefined })
      const unknown = yield* call("unknown")
      assert.strictEqual(unknown.status, 401)
      assert.deepEqual(challengeOf(unknown.challenge), { error: "invalid_token", scope: undefined })
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("a token is good until its expiry, that millisecond included, and not after", () =>
    Effect.gen(function*() {
      const { accessToken } = yield* issued
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* call(accessToken)).status, 200)
      yield* TestClock.adjust("1 millis")
      const expired = yield* call(accessToken)
      assert.strictEqual(expired.status, 401)
      assert.strictEqual(challengeOf(expired.challenge).error, "invalid_token")
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("all access tokens can be made to expire at once, those to come not", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { accessToken, refreshToken } = yield* issued
      yield* server.expireAccessTokens
      assert.strictEqual((yield* call(accessToken)).status, 401)
      const { json } = yield* refresh(refreshToken)
      assert.strictEqual((yield* call(text(json["access_token"]))).status, 200)
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("a scope can be demanded of every token", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { accessToken } = yield* issued
      yield* server.configure({ requiredScope: ["read", "write"] })
      const refused = yield* call(accessToken)
      assert.strictEqual(refused.status, 403)
      assert.deepEqual(challengeOf(refused.challenge), { error: "insufficient_scope", scope: "read write" })
      yield* server.configure({ requiredScope: ["read"] })
      assert.strictEqual((yield* call(accessToken)).status, 200)
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("every token can be rejected for good", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { accessToken } = yield* issued
      yield* server.configure({ rejectTokens: true })
      for (let i = 0; i < 3; i++) {
        assert.strictEqual(challengeOf((yield* call(accessToken)).challenge).error, "invalid_token")
      }
      yield* server.configure({ rejectTokens: false })
      assert.strictEqual((yield* call(accessToken)).status, 200)
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("a token in the URL is no token", () =>
    Effect.gen(function*() {
      const { accessToken } = yield* issued
      assert.strictEqual((yield* call(undefined, `https://api.test/x?access_token=${accessToken}`)).status, 401)
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("the echo tells method, names of headers and length of a body of any kind", () =>
    Effect.gen(function*() {
      const echo = (request: HttpClientRequest.HttpClientRequest) =>
        HttpClient.execute(request).pipe(Effect.flatMap((response) => response.json))
      const put = HttpClientRequest.put("https://api.test/echo?q=1", { headers: { "x-own": "1" } })
      const answer = yield* echo(HttpClientRequest.bodyText(put, "héllo"))
      assert.deepInclude(answer, { method: "PUT", path: "/echo", query: ["q"], bodyLength: 6 })
      assert.include((answer as { headers: ReadonlyArray<string> }).headers, "x-own")
      const chunks = Stream.fromIterable([new Uint8Array(1000), new Uint8Array(24)])
      assert.deepInclude(yield* echo(HttpClientRequest.bodyStream(put, chunks)), { bodyLength: 1024 })
      assert.deepInclude(yield* echo(put), { bodyLength: 0 })
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))
})

describe("revocation", () => {
  it.effect("revoking a refresh token ends its family, and revoking again, or nothing known, is 200 too", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { accessToken, refreshToken } = yield* issued
      const revoke = (token: string) => post(server.endpoints.revocation, { token, client_id: "app" })
      for (const token of [refreshToken, refreshToken, "unknown"]) {
        assert.deepInclude(yield* revoke(token), { status: 200, text: "" })
      }
      assert.strictEqual((yield* server.family(refreshToken)).revoked?.reason, "revocation_request")
      assert.strictEqual((yield* call(accessToken)).status, 401)
      assert.strictEqual((yield* refresh(refreshToken)).json["error"], "invalid_grant")
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("revoking an access token leaves its family alive", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { accessToken, refreshToken } = yield* issued
      yield* post(server.endpoints.revocation, { token: accessToken, client_id: "app" })
      assert.strictEqual((yield* call(accessToken)).status, 401)
      assert.strictEqual((yield* refresh(refreshToken)).status, 200)
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("a token of another client is not revoked, and neither is anything without a client", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      const other = yield* post(server.endpoints.revocation, { token: refreshToken, client_id: "other" })
      assert.deepEqual([other.status, other.json["error"]], [400, "invalid_grant"])
      const nobody = yield* post(server.endpoints.revocation, { token: refreshToken })
      assert.deepEqual([nobody.status, nobody.json["error"]], [401, "invalid_client"])
      assert.isUndefined((yield* server.family(refreshToken)).revoked)
    }).pipe(Effect.provide(TestAuthorizationServer.layer({ clients: [{ id: "app" }, { id: "other" }] }))))

  it.effect("a test can revoke a token or a family itself", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { accessToken, refreshToken } = yield* issued
      yield* server.revokeToken(Redacted.make(accessToken))
      assert.strictEqual((yield* call(accessToken)).status, 401)
      assert.isUndefined((yield* server.family(refreshToken)).revoked)
      yield* server.revokeFamily("family-1")
      assert.strictEqual((yield* server.family(refreshToken)).revoked?.reason, "control")
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))
})

it.effect("introspection tells a confidential client what a token is good for, and nothing of a dead one", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const { accessToken, refreshToken } = yield* issued
    const introspect = (token: string) =>
      post(server.endpoints.introspection, { token }, { authorization: `Basic ${btoa("service:service-secret")}` })
    assert.deepEqual((yield* introspect(accessToken)).json, {
      active: true,
      iss: "https://as.test",
      sub: "user-1",
      client_id: "app",
      scope: "read",
      token_type: "Bearer",
      iat: 0,
      exp: 3600
    })
    assert.deepInclude((yield* introspect(refreshToken)).json, { active: true, sub: "user-1" })
    yield* refresh(refreshToken)
    assert.deepEqual((yield* introspect(refreshToken)).json, { active: false })
    yield* server.expireAccessTokens
    assert.deepEqual((yield* introspect(accessToken)).json, { active: false })
    assert.deepEqual((yield* introspect("unknown")).json, { active: false })
    const public_ = yield* post(server.endpoints.introspection, { token: accessToken, client_id: "app" })
    assert.strictEqual(public_.status, 401)
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

describe("the device flow", () => {
  const start = Effect.gen(function*() {
    const { json } = yield* post((yield* Server).endpoints.deviceAuthorization, { client_id: "app", scope: "read" })
    const poll = tokenRequest({
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      client_id: "app",
      device_code: text(json["device_code"])
    })
    return { json, poll, error: Effect.map(poll, ({ json }) => json["error"]) }
  })

  it.effect("a device polls at its interval until the user approves, and gets its token once", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { error, json, poll } = yield* start
      assert.deepInclude(json, { expires_in: 600, interval: 5, verification_uri: "https://as.test/device" })
      assert.strictEqual(yield* error, "authorization_pending")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* error, "authorization_pending")
      yield* server.approveDevice(text(json["user_code"]), { subject: "alice" })
      yield* TestClock.adjust("5 seconds")
      const answer = yield* poll
      assert.deepInclude(answer.json, { token_type: "Bearer", scope: "read" })
      assert.property(answer.json, "refresh_token")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* error, "invalid_grant")
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("a device that polls too soon has to wait 5 seconds longer", () =>
    Effect.gen(function*() {
      const { error } = yield* start
      yield* error
      yield* TestClock.adjust("4999 millis")
      assert.strictEqual(yield* error, "slow_down")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* error, "slow_down")
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(yield* error, "authorization_pending")
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("a user may refuse a device, and a device code has an end", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const refused = yield* start
      yield* server.approveDevice(text(refused.json["user_code"]), { error: "access_denied" })
      assert.strictEqual(yield* refused.error, "access_denied")
      const late = yield* start
      yield* TestClock.adjust("600001 millis")
      assert.strictEqual(yield* late.error, "expired_token")
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))
})

it.effect("an unknown path of the server is not found, an unknown host not even connected to", () =>
  Effect.gen(function*() {
    const server = yield* Server
    assert.strictEqual((yield* HttpClient.get("https://as.test/other")).status, 404)
    const error = yield* Effect.flip(HttpClient.get("https://sink.test/"))
    assert.deepInclude(error, { _tag: "RequestError", reason: "Transport" })
    assert.deepInclude(error.cause, { code: "ENOTFOUND" })
    const seen = yield* server.exchanges("elsewhere")
    assert.deepEqual(seen.map(({ status, url }) => [url, status]), [
      ["https://as.test/other", 404],
      ["https://sink.test/", undefined]
    ])
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("several servers can be reached by one client, each at its own origins", () =>
  Effect.gen(function*() {
    const honest = yield* TestAuthorizationServer.make({ issuer: "https://honest.test" })
    const hostile = yield* TestAuthorizationServer.make({
      issuer: "https://hostile.test",
      resourceOrigins: ["https://api.hostile.test"]
    })
    const client = TestAuthorizationServer.httpClient([honest, hostile])
    for (const server of [honest, hostile]) {
      const { json } = yield* client.get(server.endpoints.metadata)
      assert.deepInclude(yield* json, { issuer: server.issuer })
    }
    const [first, second] = yield* Effect.all([honest.issue(), hostile.issue()])
    assert.notStrictEqual(Redacted.value(first.accessToken), Redacted.value(second.accessToken))
    assert.strictEqual((yield* honest.exchanges()).length, 1)
    assert.strictEqual((yield* hostile.exchanges()).length, 1)
  }))
