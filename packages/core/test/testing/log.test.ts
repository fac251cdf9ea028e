import { RequestLog, ServerReply, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { HttpClient } from "@effect/platform"
import { assert, it } from "@effect/vitest"
import { Effect, Redacted, TestClock } from "effect"
import { inspect } from "node:util"
import { authorized, call, post, refresh, Server, text, tokenRequest } from "./requests.js"

it.effect("the log tells of every request in the order of arrival, with its instant and what became of it", () =>
  Effect.gen(function*() {
    const server = yield* Server
    yield* TestClock.setTime(1_000)
    const { json } = yield* tokenRequest(yield* authorized())
    yield* TestClock.adjust("1 second")
    yield* call(text(json["access_token"]))
    yield* call("unknown")
    yield* refresh("unknown")
    const told = (yield* server.exchanges()).map((exchange) => [
      exchange.number,
      exchange.endpoint,
      exchange.at,
      exchange.method,
      exchange.status,
      exchange.error,
      exchange.family,
      exchange.tokenNumber
    ])
    assert.deepEqual(told, [
      [1, "authorization", 1_000, "GET", 302, undefined, undefined, undefined],
      [2, "token", 1_000, "POST", 200, undefined, "family-1", 1],
      [3, "resource", 2_000, "GET", 200, undefined, "family-1", 1],
      [4, "resource", 2_000, "GET", 401, "invalid_token", undefined, undefined],
      [5, "token", 2_000, "POST", 400, "invalid_grant", undefined, undefined]
    ])
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("parameters and headers can be read one by one, those that may be secret by asking for them", () =>
  Effect.gen(function*() {
    const server = yield* Server
    yield* post(
      `${server.endpoints.token}?tenant=t1`,
      { grant_type: "refresh_token", refresh_token: "rt", scope: "" },
      {
        "X-Own": "own"
      }
    )
    const [exchange] = yield* server.exchanges("token")
    assert.isDefined(exchange)
    assert.deepEqual(exchange.form.map(([name]) => name), ["grant_type", "refresh_token", "scope"])
    assert.strictEqual(exchange.form[0]?.[1], "refresh_token")
    assert.isTrue(Redacted.isRedacted(exchange.form[1]?.[1]))
    assert.strictEqual(RequestLog.parameter(exchange, "refresh_token"), "rt")
    assert.strictEqual(RequestLog.parameter(exchange, "tenant"), "t1")
    assert.strictEqual(RequestLog.parameter(exchange, "scope"), "")
    assert.isUndefined(RequestLog.parameter(exchange, "code"))
    assert.strictEqual(RequestLog.header(exchange, "X-Own"), "own")
    assert.isUndefined(RequestLog.header(exchange, "authorization"))
    assert.include(exchange.headerNames, "x-own")
    assert.strictEqual(exchange.url, "https://as.test/token")
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("requests are counted by endpoint and by grant type, until the log is cleared", () =>
  Effect.gen(function*() {
    const server = yield* Server
    yield* tokenRequest(yield* authorized())
    yield* refresh("unknown")
    yield* refresh("unknown")
    assert.strictEqual(yield* server.tokenRequests(), 3)
    assert.strictEqual(yield* server.tokenRequests("refresh_token"), 2)
    assert.strictEqual(yield* server.tokenRequests("password"), 0)
    const counts = yield* server.counts
    assert.deepInclude(counts, { issued: 1, reuses: 0, concurrentPresentations: 1 })
    assert.deepInclude(counts.requests, { authorization: 1, token: 3, resource: 0 })
    yield* server.clearLog
    assert.strictEqual(yield* server.tokenRequests(), 0)
    assert.deepEqual(yield* server.exchanges(), [])
    assert.strictEqual((yield* server.families).length, 1)
  }).pipe(Effect.provide(TestAuthorizationServer.layer())))

it.effect("the log keeps as many requests as it was told to, and loses the oldest first", () =>
  Effect.gen(function*() {
    const server = yield* Server
    for (let i = 0; i < 100; i++) yield* HttpClient.get("https://api.test/echo")
    const kept = yield* server.exchanges()
    assert.isAtLeast(kept.length, 10)
    assert.isBelow(kept.length, 21)
    assert.strictEqual(kept.at(-1)?.number, 100)
    assert.strictEqual((yield* server.counts).requests.resource, 100)
  }).pipe(Effect.provide(TestAuthorizationServer.layer({ logSize: 10 }))))

it.effect("nothing that the server or its log prints holds a secret, a code or a token", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const form = yield* authorized({ clientId: "service", redirectUri: "https://service.test/callback" })
    const headers = { authorization: `Basic ${btoa("service:canary-secret")}` }
    const { json } = yield* tokenRequest(form, headers)
    const accessToken = text(json["access_token"])
    const refreshToken = text(json["refresh_token"])
    yield* call(accessToken)
    yield* call(undefined, `https://api.test/x?access_token=${accessToken}`)
    yield* refresh(refreshToken)
    yield* post(server.endpoints.revocation, { token: refreshToken }, headers)
    const secrets = ["canary-secret", headers.authorization, form.code, form.code_verifier, accessToken, refreshToken]
    const values = [server, yield* server.exchanges(), yield* server.families, yield* server.counts]
    const printed = values.flatMap((value) => [
      JSON.stringify(value),
      inspect(value, { depth: Infinity, getters: true, showHidden: true })
    ])
    assert.isAbove(printed.join().length, 5_000)
    for (const secret of secrets) assert.notInclude(printed.join(), secret)
  }).pipe(Effect.provide(TestAuthorizationServer.layer({
    clients: [{ id: "service", secret: "canary-secret", redirectUris: ["https://service.test/callback"] }]
  }))))

it.effect("the same seed gives the same tokens, another seed others, and no two are ever the same", () =>
  Effect.gen(function*() {
    const tokens = (seed: number) =>
      Effect.gen(function*() {
        const server = yield* TestAuthorizationServer.make({ seed })
        const issued = yield* Effect.all(Array.from({ length: 500 }, () => server.issue()))
        return issued.flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken ?? accessToken]).map((
          token
        ) => Redacted.value(token))
      })
    const [first, again, other] = yield* Effect.all([tokens(1), tokens(1), tokens(2)])
    assert.deepEqual(first, again)
    assert.strictEqual(new Set([...first, ...other]).size, 2_000)
    assert.match(first[0] ?? "", /^at-1-[A-Za-z0-9_-]{22}$/)
    const random = first.map((token) => token.replace(/^\w+-\d+-/, ""))
    assert.strictEqual(new Set(random).size, 1_000)
  }))

it.effect("the server can be asked without any client, as a socket in front of it would", () =>
  Effect.gen(function*() {
    const server = yield* TestAuthorizationServer.make()
    const reply = yield* server.handle({
      method: "POST",
      url: new URL(server.endpoints.token),
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        authorization: `Basic ${btoa("service:service-secret")}`
      },
      body: new TextEncoder().encode("grant_type=client_credentials")
    })
    assert.strictEqual(reply.status, 200)
    const error = yield* Effect.flip(server.handle({
      method: "GET",
      url: new URL("https://elsewhere.test"),
      headers: {},
      body: new Uint8Array(0)
    }))
    assert.deepEqual(error, new ServerReply.Disconnected({ code: "ENOTFOUND" }))
  }))

it.effect("a mistake in a test is told at once, without the token that it named", () =>
  Effect.gen(function*() {
    const server = yield* TestAuthorizationServer.make()
    const problem = (effect: Effect.Effect<unknown>) =>
      effect.pipe(Effect.sandbox, Effect.flip, Effect.map((cause) => inspect(cause)))
    assert.include(yield* problem(server.family("canary")), "the family is unknown")
    assert.notInclude(yield* problem(server.family("canary")), "canary")
    assert.include(yield* problem(server.revokeToken("canary")), "the family is unknown")
    assert.include(yield* problem(server.disableClient("nobody")), "the client is unknown")
    assert.include(yield* problem(server.issue({ clientId: "nobody" })), "the client is unknown")
    assert.include(yield* problem(server.approveDevice("nothing")), "no device has this user code")
    assert.include(yield* problem(server.authorize(server.endpoints.authorization)), "no redirect, but status 400")
  }))
