import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { HttpClient } from "@effect/platform"
import { assert, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { authorized, begin, call, redirectUri, Server, text, tokenRequest } from "./requests.js"

const error = (url: URL) => url.searchParams.get("error")

it.effect("an authorization is answered with a code, the state and the issuer, and the code buys a token", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const { codeVerifier, url } = yield* begin()
    const callback = yield* server.authorize(url)
    assert.strictEqual(callback.origin + callback.pathname, redirectUri)
    assert.strictEqual(callback.searchParams.get("state"), "state-1")
    assert.strictEqual(callback.searchParams.get("iss"), "https://as.test")
    const { json, status } = yield* tokenRequest({
      grant_type: "authorization_code",
      client_id: "app",
      code: text(callback.searchParams.get("code")),
      redirect_uri: redirectUri,
      code_verifier: codeVerifier
    })
    assert.strictEqual(status, 200)
    assert.deepInclude(json, { token_type: "Bearer", expires_in: 3600, scope: "read" })
    const answer = yield* call(text(json["access_token"]))
    assert.deepInclude(answer.json, { ok: true, subject: "user-1", path: "/things", tokenNumber: 1 })
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("a client or a redirect URI that is not registered is answered with a page and no redirect", () =>
  Effect.gen(function*() {
    for (
      const overrides of [
        { clientId: "nobody" },
        { redirectUri: "https://app.test/callback/" },
        { redirectUri: "https://evil.test/callback" },
        { redirectUri: "https://app.test:8443/callback" }
      ]
    ) {
      const response = yield* HttpClient.get((yield* begin(overrides)).url)
      assert.strictEqual(response.status, 400)
      assert.isUndefined(response.headers["location"])
    }
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("a loopback redirect URI may have any port, and nothing else that differs", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const { url } = yield* begin({ redirectUri: "http://127.0.0.1:54321/callback" })
    assert.strictEqual((yield* server.authorize(url)).port, "54321")
    const other = yield* begin({ redirectUri: "http://127.0.0.1:54321/other" })
    assert.strictEqual((yield* HttpClient.get(other.url)).status, 400)
  }).pipe(Effect.provide(
    TestAuthorizationServer.layer({ clients: [{ id: "app", redirectUris: ["http://127.0.0.1/callback"] }] })
  )))

it.effect("a request without PKCE, with PKCE plain, without state or of another flow is sent back with an error", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const { url } = yield* begin()
    const changed = (change: (params: URLSearchParams) => void) => {
      const copy = new URL(url)
      change(copy.searchParams)
      return server.authorize(copy)
    }
    assert.strictEqual(error(yield* changed((params) => params.delete("code_challenge"))), "invalid_request")
    assert.strictEqual(error(yield* changed((params) => params.set("code_challenge", "short"))), "invalid_request")
    assert.strictEqual(
      error(yield* changed((params) => params.set("code_challenge_method", "plain"))),
      "invalid_request"
    )
    assert.strictEqual(error(yield* changed((params) => params.delete("state"))), "invalid_request")
    assert.strictEqual(error(yield* changed((params) => params.append("scope", "again"))), "invalid_request")
    assert.strictEqual(
      error(yield* changed((params) => params.set("response_type", "token"))),
      "unsupported_response_type"
    )
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("a scope or a resource that does not exist is sent back as an error", () =>
  Effect.gen(function*() {
    const server = yield* Server
    assert.strictEqual(error(yield* server.authorize((yield* begin({ scope: ["other"] })).url)), "invalid_scope")
    const foreign = yield* begin({ resource: ["https://elsewhere.test"] })
    assert.strictEqual(error(yield* server.authorize(foreign.url)), "invalid_target")
  }).pipe(Effect.provide(TestAuthorizationServer.layer({ scopes: ["read"] }))))

it.effect("a user may say no, be somebody else, or grant less", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const { url } = yield* begin({ scope: ["read", "write"] })
    const denied = yield* server.authorize(url, { error: "access_denied", description: "Not today" })
    assert.strictEqual(error(denied), "access_denied")
    assert.strictEqual(denied.searchParams.get("error_description"), "Not today")
    assert.strictEqual(denied.searchParams.get("state"), "state-1")
    yield* server.configure({ approval: { subject: "user-2", scope: ["read"] } })
    const { json } = yield* tokenRequest(yield* authorized({ scope: ["read", "write"] }))
    assert.strictEqual(json["scope"], "read")
    assert.strictEqual((yield* call(text(json["access_token"]))).json["subject"], "user-2")
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("a server may leave the issuer out", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const { url } = yield* begin()
    assert.isNull((yield* server.authorize(url)).searchParams.get("iss"))
  }).pipe(Effect.provide(TestAuthorizationServer.layer({ sendIssuer: false }))))

it.effect("a code that is presented again is refused, and what it bought is revoked", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const form = yield* authorized()
    const first = yield* tokenRequest(form)
    const second = yield* tokenRequest(form)
    assert.deepInclude(second, { status: 400 })
    assert.strictEqual(second.json["error"], "invalid_grant")
    assert.strictEqual((yield* call(text(first.json["access_token"]))).status, 401)
    const family = yield* server.family(text(first.json["refresh_token"]))
    assert.deepEqual(family.revoked, { reason: "code_reuse", at: 0 })
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("a code is refused to another client, with another redirect URI, another verifier, and after its life", () =>
  Effect.gen(function*() {
    const refused = (change: Readonly<Record<string, string>>) =>
      Effect.flatMap(authorized(), (form) => tokenRequest({ ...form, ...change }))
    for (
      const [change, expected] of [
        [{ client_id: "other" }, "invalid_grant"],
        [{ redirect_uri: "https://app.test/other" }, "invalid_grant"],
        [{ code_verifier: "x".repeat(43) }, "invalid_grant"],
        [{ code_verifier: "short" }, "invalid_grant"],
        [{ code_verifier: "" }, "invalid_request"],
        [{ redirect_uri: "" }, "invalid_request"],
        [{ code: "" }, "invalid_request"],
        [{ code: "unknown" }, "invalid_grant"]
      ] as const
    ) {
      const { json, status } = yield* refused(change)
      assert.strictEqual(status, 400)
      assert.strictEqual(json["error"], expected, JSON.stringify(change))
    }
    const form = yield* authorized()
    yield* TestClock.adjust("61 seconds")
    assert.strictEqual((yield* tokenRequest(form)).json["error"], "invalid_grant")
  }).pipe(Effect.provide(
    TestAuthorizationServer.layer({
      clients: [{ id: "app", redirectUris: [redirectUri] }, { id: "other", redirectUris: [redirectUri] }]
    })
  )))

it.effect("a code that was presented with a wrong verifier cannot be used any more", () =>
  Effect.gen(function*() {
    const form = yield* authorized()
    yield* tokenRequest({ ...form, code_verifier: "x".repeat(43) })
    assert.strictEqual((yield* tokenRequest(form)).json["error"], "invalid_grant")
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))
