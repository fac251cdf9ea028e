import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, TestClock } from "effect"
import { call, refresh, Server, text } from "./requests.js"

const issued = Effect.gen(function*() {
  const token = yield* (yield* Server).issue({ scope: "read write" })
  return {
    accessToken: Redacted.value(token.accessToken),
    refreshToken: token.refreshToken === undefined ? "" : Redacted.value(token.refreshToken),
    token
  }
})

describe("strict rotation", () => {
  it.effect("a refresh token is replaced by the one that the family holds from then on", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { accessToken, refreshToken } = yield* issued
      const { json } = yield* refresh(refreshToken)
      const family = yield* server.family(refreshToken)
      assert.deepInclude(family, { generation: 1, accessTokens: 2, revoked: undefined, subject: "user-1" })
      assert.strictEqual(family.refreshToken && Redacted.value(family.refreshToken), json["refresh_token"])
      assert.strictEqual(Redacted.value(family.accessToken), json["access_token"])
      assert.notStrictEqual(json["refresh_token"], refreshToken)
      assert.strictEqual((yield* call(accessToken)).status, 200)
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("a refresh token that is presented again ends its whole family", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      const bystander = yield* issued
      const first = yield* refresh(refreshToken)
      yield* TestClock.adjust("1 millis")
      const again = yield* refresh(refreshToken)
      assert.strictEqual(again.status, 400)
      assert.strictEqual(again.json["error"], "invalid_grant")
      const family = yield* server.family(refreshToken)
      assert.deepEqual(family.revoked, { reason: "refresh_token_reuse", at: 1 })
      assert.isUndefined(family.refreshToken)
      assert.strictEqual((yield* refresh(text(first.json["refresh_token"]))).json["error"], "invalid_grant")
      assert.strictEqual((yield* call(text(first.json["access_token"]))).status, 401)
      assert.strictEqual((yield* refresh(bystander.refreshToken)).status, 200)
      assert.deepInclude(yield* server.counts, { reuses: 1, issued: 2 })
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("of many that present one refresh token at a time, one is served and the family is lost", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      const answers = yield* Effect.all(Array.from({ length: 100 }, () => refresh(refreshToken)), {
        concurrency: "unbounded"
      })
      assert.strictEqual(answers.filter(({ status }) => status === 200).length, 1)
      assert.deepInclude(yield* server.counts, { concurrentPresentations: 100, reuses: 99, issued: 1 })
      assert.strictEqual((yield* server.family(refreshToken)).revoked?.reason, "refresh_token_reuse")
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("presentations one after another are never counted as concurrent", () =>
    Effect.gen(function*() {
      const server = yield* Server
      let { refreshToken } = yield* issued
      for (let i = 0; i < 10; i++) refreshToken = text((yield* refresh(refreshToken)).json["refresh_token"])
      assert.deepInclude(yield* server.counts, { concurrentPresentations: 1, reuses: 0 })
      assert.strictEqual((yield* server.family(refreshToken)).generation, 10)
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))
})

describe("rotation with a grace", () => {
  it.effect("a replaced refresh token may be presented until the grace has passed, and replaces its successor", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      const first = text((yield* refresh(refreshToken)).json["refresh_token"])
      yield* TestClock.adjust("10 seconds")
      const second = text((yield* refresh(refreshToken)).json["refresh_token"])
      const family = yield* server.family(refreshToken)
      assert.strictEqual(family.refreshToken && Redacted.value(family.refreshToken), second)
      assert.notStrictEqual(first, second)
      // The sibling that lost has its own grace, from when it was replaced
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* refresh(first)).status, 200)
    }).pipe(Effect.provide(TestAuthorizationServer.layer({ rotation: { grace: "10 seconds" } }))))

  it.effect("after the grace the presentation ends the whole family", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* refresh(refreshToken)
      yield* TestClock.adjust("10001 millis")
      assert.strictEqual((yield* refresh(refreshToken)).json["error"], "invalid_grant")
      assert.strictEqual((yield* server.family(refreshToken)).revoked?.reason, "refresh_token_reuse")
    }).pipe(Effect.provide(TestAuthorizationServer.layer({ rotation: { grace: "10 seconds" } }))))
})

it.effect("without rotation the refresh token stays, and the answer has none", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const { refreshToken } = yield* issued
    for (let i = 0; i < 3; i++) {
      const { json, status } = yield* refresh(refreshToken)
      assert.strictEqual(status, 200)
      assert.notProperty(json, "refresh_token")
    }
    assert.deepInclude(yield* server.family(refreshToken), { generation: 0, accessTokens: 4 })
  }).pipe(Effect.provide(TestAuthorizationServer.layer({ rotation: "none" }))))

it.effect("rotation and lives can be changed while the server runs", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const { refreshToken } = yield* issued
    yield* server.configure({ rotation: "none", accessTokenLifetime: "5 seconds" })
    assert.strictEqual((yield* refresh(refreshToken)).json["expires_in"], 5)
    yield* server.configure({ rotation: "strict", sendExpiresIn: false })
    const { json } = yield* refresh(refreshToken)
    assert.notProperty(json, "expires_in")
    assert.property(json, "refresh_token")
    yield* server.configure({ sendExpiresIn: true, accessTokenLifetime: Infinity })
    assert.notProperty((yield* refresh(text(json["refresh_token"]))).json, "expires_in")
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("a refresh may narrow the scope for its access token, and never widen it", () =>
  Effect.gen(function*() {
    const { refreshToken } = yield* issued
    const narrowed = yield* refresh(refreshToken, { scope: "read" })
    assert.strictEqual(narrowed.json["scope"], "read")
    const whole = yield* refresh(text(narrowed.json["refresh_token"]))
    assert.strictEqual(whole.json["scope"], "read write")
    const wider = yield* refresh(text(whole.json["refresh_token"]), { scope: "read admin" })
    assert.strictEqual(wider.json["error"], "invalid_scope")
    assert.strictEqual((yield* refresh(text(whole.json["refresh_token"]))).status, 200)
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("a refresh token is refused to another client, unharmed, and after its life", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const { refreshToken } = yield* issued
    assert.strictEqual((yield* refresh(refreshToken, { client_id: "other" })).json["error"], "invalid_grant")
    assert.isUndefined((yield* server.family(refreshToken)).revoked)
    yield* TestClock.adjust("1 day")
    const next = yield* refresh(refreshToken)
    assert.strictEqual(next.status, 200)
    yield* TestClock.adjust("1 day")
    yield* TestClock.adjust("1 millis")
    assert.strictEqual((yield* refresh(text(next.json["refresh_token"]))).json["error"], "invalid_grant")
  }).pipe(Effect.provide(
    TestAuthorizationServer.layer({ clients: [{ id: "app" }, { id: "other" }], refreshTokenLifetime: "1 day" })
  )))

it.effect("a server may issue no refresh tokens", () =>
  Effect.gen(function*() {
    const { token } = yield* issued
    assert.isUndefined(token.refreshToken)
  }).pipe(Effect.provide(TestAuthorizationServer.layer({ refreshTokens: false }))))
