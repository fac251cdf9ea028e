import { Fault, ServerReply, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Option, pipe, Redacted, Stream, TestClock } from "effect"
import { call, refresh, Server, text } from "./requests.js"

const issued = Effect.gen(function*() {
  const { accessToken, refreshToken } = yield* (yield* Server).issue()
  return {
    accessToken: Redacted.value(accessToken),
    refreshToken: refreshToken === undefined ? "" : Redacted.value(refreshToken)
  }
})

/** The last token request: what it met, whether the server acted, and what became of it. */
const last = Effect.gen(function*() {
  const exchange = (yield* (yield* Server).exchanges("token")).at(-1)
  return exchange === undefined ? [] : [exchange.fault, exchange.acted, exchange.outcome, exchange.status]
})

const generation = (refreshToken: string) =>
  Effect.flatMap(Server, (server) => Effect.map(server.family(refreshToken), ({ generation }) => generation))

const provided = Effect.provide(TestAuthorizationServer.layer())

describe("answers in the server's place", () => {
  it.effect("a status comes with its error, its Retry-After or its body, and nothing is done", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* server.inject("token", Fault.status(503, { retryAfter: "30" }))
      yield* server.inject("token", Fault.status(400, { error: "invalid_grant", description: "gone" }))
      yield* server.inject("token", Fault.status(502, { body: "<h1>Bad</h1>", contentType: "text/html" }))
      const busy = yield* refresh(refreshToken)
      assert.deepEqual([busy.status, busy.headers["retry-after"], busy.text], [503, "30", ""])
      const dead = yield* refresh(refreshToken)
      assert.deepEqual(dead.json, { error: "invalid_grant", error_description: "gone" })
      const gateway = yield* refresh(refreshToken)
      assert.deepEqual([gateway.status, gateway.headers["content-type"]], [502, "text/html"])
      assert.deepEqual(yield* last, ["status 502", false, "answered", 502])
      assert.strictEqual((yield* refresh(refreshToken)).status, 200)
    }).pipe(provided))

  it.effect("wrong shapes: a page, nothing at all, any text, any bytes, a redirect that is not followed", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      const meets = (fault: Fault.Fault) => Effect.zipRight(server.inject("token", fault), refresh(refreshToken))
      assert.match((yield* meets(Fault.html)).text, /^<!doctype html>/)
      assert.deepInclude(yield* meets(Fault.emptyBody), { status: 200, text: "" })
      const form = yield* meets(Fault.respond(ServerReply.text(200, "text/plain", "access_token=x")))
      assert.deepInclude(form, { status: 200, text: "access_token=x" })
      const bytes = yield* meets(
        Fault.respond({ status: 200, headers: {}, body: Uint8Array.of(0xef, 0xbb, 0xbf, 0x5b) })
      )
      assert.strictEqual(bytes.text, "[")
      const redirect = yield* meets(Fault.redirect("https://api.test/sink", 302))
      assert.deepEqual([redirect.status, redirect.headers["location"]], [302, "https://api.test/sink"])
      assert.deepEqual(yield* server.exchanges("resource"), [])
      assert.strictEqual(yield* generation(refreshToken), 0)
    }).pipe(provided))
})

describe("the line", () => {
  it.effect("a refused connection is a transport error with its code", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* server.inject("token", Fault.connectionRefused)
      const error = yield* Effect.flip(refresh(refreshToken))
      assert.deepInclude(error, { _tag: "RequestError", reason: "Transport" })
      assert.deepInclude(error.cause, { code: "ECONNREFUSED" })
      assert.deepEqual(yield* last, ["ECONNREFUSED", false, "failed", undefined])
    }).pipe(provided))

  it.effect("a reset before the server acts leaves the refresh token as it was", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* server.inject("token", Fault.reset)
      assert.deepInclude((yield* Effect.flip(refresh(refreshToken))).cause, { code: "ECONNRESET" })
      assert.deepEqual(yield* last, ["ECONNRESET", false, "failed", undefined])
      assert.strictEqual((yield* refresh(refreshToken)).status, 200)
    }).pipe(provided))

  it.effect("a reset after the server acted has rotated the refresh token and lost the answer", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* server.inject("token", Fault.afterActing(Fault.reset))
      assert.deepInclude((yield* Effect.flip(refresh(refreshToken))).cause, { code: "ECONNRESET" })
      assert.deepEqual(yield* last, ["ECONNRESET after acting", true, "failed", undefined])
      assert.strictEqual(yield* generation(refreshToken), 1)
      assert.strictEqual((yield* refresh(refreshToken)).json["error"], "invalid_grant")
    }).pipe(provided))

  it.effect("a gateway that gives up after the server acted answers in its place", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* server.inject("token", Fault.afterActing(Fault.status(504)))
      assert.strictEqual((yield* refresh(refreshToken)).status, 504)
      assert.strictEqual(yield* generation(refreshToken), 1)
    }).pipe(provided))

  it.effect("an answer that never comes can be hung up on", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* server.inject("token", Fault.hang)
      const fiber = yield* Effect.fork(Effect.timeoutOption(refresh(refreshToken), "8 seconds"))
      yield* TestClock.adjust("8 seconds")
      assert.deepEqual(yield* Fiber.join(fiber), Option.none())
      assert.deepEqual(yield* last, ["hang", false, "interrupted", undefined])
    }).pipe(provided))
})

describe("delay, by the clock", () => {
  it.effect("a request that is held up is acted upon when the time has passed", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* server.inject("token", Fault.delay("5 seconds"))
      const fiber = yield* Effect.fork(refresh(refreshToken))
      yield* TestClock.adjust("4999 millis")
      assert.deepEqual(yield* last, ["delay", false, "pending", undefined])
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      assert.deepEqual(yield* last, ["delay", true, "answered", 200])
    }).pipe(provided))

  it.effect("an answer that is late belongs to a server that has acted at once", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* server.inject("token", Fault.afterActing(Fault.delay("5 seconds")))
      const fiber = yield* Effect.fork(refresh(refreshToken))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* generation(refreshToken), 1)
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      assert.deepEqual(yield* last, ["delay after acting", true, "interrupted", undefined])
    }).pipe(provided))

  it.effect("a client that hangs up withdraws a request that is held up, unless the server goes on without it", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      const hangUp = (fault: Fault.Fault) =>
        Effect.gen(function*() {
          yield* server.inject("token", fault)
          const fiber = yield* Effect.fork(Effect.timeoutOption(refresh(refreshToken), "8 seconds"))
          yield* TestClock.adjust("8 seconds")
          assert.deepEqual(yield* Fiber.join(fiber), Option.none())
          yield* TestClock.adjust("2 seconds")
          return yield* generation(refreshToken)
        })
      assert.strictEqual(yield* hangUp(Fault.delay("10 seconds")), 0)
      assert.strictEqual(yield* hangUp(Fault.detached(Fault.delay("10 seconds"))), 1)
      assert.deepEqual(yield* last, ["delay detached", true, "interrupted", undefined])
    }).pipe(provided))

  it.effect("two faults can be put together", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* server.inject("token", pipe(Fault.delay("2 seconds"), Fault.and(Fault.status(503))))
      const fiber = yield* Effect.fork(refresh(refreshToken))
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 503)
      assert.deepEqual(yield* last, ["delay and status 503", false, "answered", 503])
    }).pipe(provided))
})

describe("edited answers", () => {
  it.effect("members are added, removed and overridden in the answer to a rotation that was done", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* server.inject(
        "token",
        Fault.editMembers((members) => ({ ...members, token_type: undefined, expires_in: "60", instance_url: "x" }))
      )
      const { json } = yield* refresh(refreshToken)
      assert.notProperty(json, "token_type")
      assert.deepInclude(json, { expires_in: "60", instance_url: "x" })
      const live = (yield* server.family(refreshToken)).refreshToken
      assert.strictEqual(live && Redacted.value(live), json["refresh_token"])
    }).pipe(provided))

  it.effect("the answer's text, its end and its whole can be edited", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { accessToken, refreshToken } = yield* issued
      yield* server.inject("token", Fault.editBody((body) => body.replace("{", `{"access_token":"another",`)))
      assert.match((yield* refresh(refreshToken)).text, /^\{"access_token":"another","access_token":"at-2-/)
      yield* server.inject("resource", Fault.truncated())
      const error = yield* Effect.flip(call(accessToken))
      assert.deepInclude(error, { _tag: "ResponseError", reason: "Decode" })
      yield* server.inject("resource", Fault.editReply((reply) => ({ ...reply, status: 201 })))
      assert.strictEqual((yield* call(accessToken)).status, 201)
    }).pipe(provided))
})

describe("bodies", () => {
  const body = Effect.flatMap(HttpClient.get("https://api.test/echo"), ({ stream }) => Stream.runCount(stream))

  it.effect("an endless body never ends, and can be given up at any size", () =>
    Effect.gen(function*() {
      const server = yield* Server
      yield* server.inject("resource", Fault.endlessBody)
      const response = yield* HttpClient.get("https://api.test/echo")
      const size = yield* response.stream.pipe(
        Stream.runFoldWhile(0, (size) => size <= 1_000_000, (size, chunk) => size + chunk.length)
      )
      assert.isAbove(size, 1_000_000)
      assert.isBelow(size, 1_020_000)
    }).pipe(provided))

  it.effect("a broken body fails after some bytes with the code of the connection", () =>
    Effect.gen(function*() {
      const server = yield* Server
      yield* server.inject("resource", Fault.brokenBody(4), { times: 2 })
      const error = yield* Effect.flip(body)
      assert.deepInclude(error, { _tag: "ResponseError", reason: "Decode" })
      assert.deepInclude(error.cause, { code: "ECONNRESET" })
      const whole = yield* Effect.flip(call(undefined, "https://api.test/echo"))
      assert.deepInclude(whole.cause, { code: "ECONNRESET" })
    }).pipe(provided))

  it.effect("a slow body takes its time for every byte", () =>
    Effect.gen(function*() {
      const server = yield* Server
      yield* server.inject("resource", Fault.slowBody("1 second"))
      const fiber = yield* Effect.fork(Effect.timed(body))
      yield* TestClock.adjust("1 hour")
      const [duration, count] = yield* Fiber.join(fiber)
      assert.isAbove(count, 10)
      assert.strictEqual(Duration.toSeconds(duration), count)
    }).pipe(provided))
})

describe("which requests a fault meets", () => {
  it.effect("as many as were said, at that endpoint, in the order of injection, before one that stands", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { accessToken } = yield* issued
      yield* server.inject("resource", Fault.status(500), { times: Infinity })
      yield* server.inject("resource", Fault.status(501), { times: 2 })
      yield* server.inject("resource", Fault.status(502))
      yield* server.inject("resource", Fault.status(599), { times: 0 })
      yield* server.inject("token", Fault.status(503))
      const status = Effect.map(HttpClient.get("https://api.test/echo"), ({ status }) => status)
      const statuses = yield* Effect.all([status, status, status, status, status])
      assert.deepEqual(statuses, [501, 501, 502, 500, 500])
      yield* server.clearFaults("resource")
      assert.strictEqual((yield* call(accessToken)).status, 200)
      assert.strictEqual((yield* refresh("unknown")).status, 503)
      yield* server.inject("token", Fault.status(503))
      yield* server.clearFaults()
      assert.strictEqual((yield* refresh("unknown")).status, 400)
    }).pipe(provided))

  it.effect("those that a predicate picks, while the others pass", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken } = yield* issued
      yield* server.inject("resource", Fault.status(500), { where: ({ url }) => url.endsWith("/one") })
      yield* server.inject("token", Fault.reset, { where: ({ grantType }) => grantType === "authorization_code" })
      assert.strictEqual((yield* HttpClient.get("https://api.test/echo")).status, 200)
      assert.strictEqual((yield* HttpClient.get("https://api.test/one")).status, 500)
      assert.strictEqual((yield* refresh(refreshToken)).status, 200)
    }).pipe(provided))

  it.effect("a fault of one's own may run the server's doing, or not", () =>
    Effect.gen(function*() {
      const server = yield* Server
      let seen = 0
      const counting = Fault.make("counting", (act) => Effect.tap(act, () => Effect.sync(() => seen++)))
      yield* server.inject("token", counting, { times: 3 })
      yield* Effect.all([refresh("a"), refresh("b"), refresh("c"), refresh("d")])
      assert.strictEqual(seen, 3)
    }).pipe(provided))
})

it.effect("interrupting a client at any moment finds the rotation done or not done, and never half done", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const done = new Set<number>()
    for (let steps = 0; steps < 60; steps++) {
      const { refreshToken } = yield* issued
      const fiber = yield* Effect.fork(refresh(refreshToken))
      for (let step = 0; step < steps; step++) yield* Effect.yieldNow()
      const exit = yield* Fiber.interrupt(fiber)
      const family = yield* server.family(refreshToken)
      assert.strictEqual(family.accessTokens, family.generation + 1)
      const live = family.refreshToken === undefined ? "" : Redacted.value(family.refreshToken)
      if (Exit.isSuccess(exit)) assert.strictEqual(text(exit.value.json["refresh_token"]), live)
      if (family.generation === 0) assert.strictEqual(live, refreshToken)
      done.add(family.generation)
    }
    assert.deepEqual(done, new Set([0, 1]))
    assert.isTrue((yield* server.exchanges("token")).every(({ outcome }) => outcome !== "pending"))
  }).pipe(provided))
