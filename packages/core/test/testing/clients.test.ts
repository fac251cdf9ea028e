import * as ClientAuthentication from "@effect-oauth2/core/ClientAuthentication"
import * as Parameters from "@effect-oauth2/core/Parameters"
import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { call, post, Server, text, tokenRequest } from "./requests.js"

const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })
const form = { grant_type: "client_credentials" }

it.effect("a confidential client gets a token by its secret, without a refresh token", () =>
  Effect.gen(function*() {
    const { json, status } = yield* tokenRequest({ ...form, scope: "read" }, basic("service", "service-secret"))
    assert.strictEqual(status, 200)
    assert.notProperty(json, "refresh_token")
    const answer = yield* call(text(json["access_token"]))
    assert.deepInclude(answer.json, { subject: "service", clientId: "service", scope: ["read"] })
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("a client that is unknown, has another secret or uses another method is refused with 401", () =>
  Effect.gen(function*() {
    for (
      const [more, headers] of [
        [{}, basic("nobody", "service-secret")],
        [{}, basic("service", "wrong")],
        [{}, basic("service", "")],
        [{}, { authorization: "Basic !" }],
        [{}, { authorization: "Basic c2VydmljZQ==" }],
        [{}, { authorization: "Bearer service" }],
        [{ client_id: "service", client_secret: "service-secret" }, {}],
        [{ client_id: "service" }, {}],
        [{ client_id: "app", client_secret: "" }, {}],
        [{ client_id: "post" }, basic("post", "post-secret")],
        [{}, {}]
      ] as const
    ) {
      const answer = yield* tokenRequest({ ...form, ...more }, headers)
      assert.strictEqual(answer.status, 401, JSON.stringify([more, headers]))
      assert.strictEqual(answer.json["error"], "invalid_client")
      assert.strictEqual(answer.headers["www-authenticate"] !== undefined, "authorization" in headers)
    }
  }).pipe(Effect.provide(TestAuthorizationServer.layer({
    clients: [
      { id: "app" },
      { id: "service", secret: "service-secret" },
      { id: "post", secret: "post-secret", authentication: "client_secret_post" }
    ]
  }))))

it.effect("two methods at once, or two clients at once, are an invalid request", () =>
  Effect.gen(function*() {
    const header = basic("service", "service-secret")
    for (const more of [{ client_secret: "service-secret" }, { client_secret: "" }, { client_id: "app" }]) {
      const { json, status } = yield* tokenRequest({ ...form, ...more }, header)
      assert.deepEqual([status, json["error"]], [400, "invalid_request"])
    }
    assert.strictEqual((yield* tokenRequest({ ...form, client_id: "service" }, header)).status, 200)
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("both halves of the Basic header are read as form-encoded, so that any id and secret can come", () =>
  Effect.gen(function*() {
    const id = "client:1+1 %é"
    const secret = "s:e%c r+é€t~"
    const { headers } = yield* ClientAuthentication.clientSecretBasic(Redacted.make(secret)).authenticate({
      clientId: id,
      endpoint: new URL("https://as.test/token")
    })
    const authorization = headers["authorization"]
    assert.isDefined(authorization)
    const encoded = yield* tokenRequest(form, { authorization: Redacted.value(authorization) })
    assert.strictEqual(encoded.status, 200)
    assert.strictEqual((yield* tokenRequest(form, basic("plain", "p+q"))).status, 401)
    assert.strictEqual((yield* tokenRequest(form, basic("plain", "p%2Bq"))).status, 200)
  }).pipe(Effect.provide(TestAuthorizationServer.layer({
    clients: [{ id: "client:1+1 %é", secret: Redacted.make("s:e%c r+é€t~") }, { id: "plain", secret: "p+q" }]
  }))))

it.effect("a client that was disabled is unknown until it is enabled again", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const request = tokenRequest(form, basic("service", "service-secret"))
    yield* server.disableClient("service")
    assert.strictEqual((yield* request).json["error"], "invalid_client")
    yield* server.enableClient("service")
    assert.strictEqual((yield* request).status, 200)
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("a grant type that is unknown, or not the client's, is refused", () =>
  Effect.gen(function*() {
    const public_ = yield* tokenRequest({ ...form, client_id: "app" })
    assert.strictEqual(public_.json["error"], "unauthorized_client")
    const restricted = yield* tokenRequest({ ...form, client_id: "restricted" })
    assert.strictEqual(restricted.json["error"], "unauthorized_client")
    const unknown = yield* tokenRequest({ grant_type: "password", client_id: "app" })
    assert.strictEqual(unknown.json["error"], "unsupported_grant_type")
    const none = yield* tokenRequest({ client_id: "app" })
    assert.strictEqual(none.json["error"], "invalid_request")
  }).pipe(Effect.provide(TestAuthorizationServer.layer({
    clients: [{ id: "app" }, { id: "restricted", grants: ["authorization_code"] }]
  }))))

it.effect("a token request is a POST of a form that repeats nothing and has no secret in its URL", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const header = basic("service", "service-secret")
    const get = yield* HttpClient.get(`${server.endpoints.token}?grant_type=client_credentials`, { headers: header })
    assert.strictEqual(get.status, 405)
    const json = yield* HttpClientRequest.post(server.endpoints.token, { headers: header }).pipe(
      HttpClientRequest.bodyUnsafeJson(form),
      HttpClient.execute,
      Effect.flatMap((response) => response.json)
    )
    assert.deepInclude(json, { error: "invalid_request" })
    const repeated = yield* tokenRequest([["grant_type", "client_credentials"], ["scope", "a"], ["scope", "b"]], header)
    assert.strictEqual(repeated.json["error"], "invalid_request")
    const inUrl = yield* post(`${server.endpoints.token}?client_secret=x`, form, header)
    assert.strictEqual(inUrl.json["error"], "invalid_request")
    const ownQuery = yield* post(`${server.endpoints.token}?tenant=1`, form, header)
    assert.strictEqual(ownQuery.status, 200)
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("a resource may be repeated, and binds the token to those origins", () =>
  Effect.gen(function*() {
    const header = basic("service", "service-secret")
    const resources = [["resource", "https://a.test/x"], ["resource", "https://b.test"]] as const
    const { json } = yield* tokenRequest([["grant_type", "client_credentials"], ...resources], header)
    const token = text(json["access_token"])
    assert.strictEqual((yield* call(token, "https://a.test/y")).status, 200)
    assert.strictEqual((yield* call(token, "https://b.test/y")).status, 200)
    assert.strictEqual((yield* call(token, "https://c.test/y")).status, 401)
    const foreign = yield* tokenRequest({ ...form, resource: "https://d.test" }, header)
    assert.strictEqual(foreign.json["error"], "invalid_target")
  }).pipe(Effect.provide(TestAuthorizationServer.layer({
    resourceOrigins: ["https://a.test", "https://b.test", "https://c.test"]
  }))))

it.effect("a server may know grants of its own", () =>
  Effect.gen(function*() {
    const exchange = (subject: string) =>
      tokenRequest({ grant_type: "urn:example:exchange", client_id: "app", subject_token: subject })
    const { json } = yield* exchange("alice")
    assert.property(json, "refresh_token")
    assert.strictEqual((yield* call(text(json["access_token"]))).json["subject"], "alice")
    assert.strictEqual((yield* exchange("mallory")).json["error"], "invalid_grant")
  }).pipe(Effect.provide(TestAuthorizationServer.layer({
    extensionGrants: {
      "urn:example:exchange": (parameters) =>
        parameters.get("subject_token") === "alice"
          ? { subject: "alice", refreshToken: true }
          : { error: "invalid_grant" }
    }
  }))))

it.effect("options that cannot work are refused by the field's name when the layer is built", () =>
  Effect.gen(function*() {
    for (
      const [options, field] of [
        [{ issuer: "as.test" }, "issuer"],
        [{ issuer: "http://as.test" }, "issuer"],
        [{ resourceOrigins: ["api.test"] }, "resourceOrigins"],
        [{ clients: [{ id: "app", secret: "x", authentication: "none" as const }] }, "clients"],
        [{ clients: [{ id: "app", authentication: "client_secret_post" as const }] }, "clients"]
      ] as const
    ) {
      const defect = yield* TestAuthorizationServer.make(options).pipe(
        Effect.catchAllDefect((defect) => Effect.succeed(defect))
      )
      assert.include(defect, { _tag: "ConfigurationError", field })
    }
  }))

it.effect("a public client's parameters are encoded as the library encodes them", () =>
  Effect.gen(function*() {
    const { parameters } = yield* ClientAuthentication.none.authenticate({
      clientId: "app",
      endpoint: new URL("https://as.test/token")
    })
    const { json } = yield* tokenRequest([...Parameters.encode([["grant_type", "refresh_token"], ...parameters])])
    assert.strictEqual(json["error_description"], "refresh_token is missing")
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))
