import { ClientAuthentication, Registration, RevocationEndpoint } from "@effect-oauth2/core"
import { Fault, ServerReply, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, TestClock } from "effect"
import { confidentialClient, publicClient } from "./fixtures.js"
import { canary } from "./fuzz.js"
import { leaks } from "./secrecy.js"
import { recorder } from "./spans.js"
import { fakeFetch, form, redirect } from "./transports.js"

const Server = TestAuthorizationServer.TestAuthorizationServer
const token = Redacted.make(canary)

const revoke = (
  options: Registration.Options,
  hint?: RevocationEndpoint.TokenTypeHint,
  revoked: Redacted.Redacted<string> = token
) =>
  Effect.flatMap(Registration.make(options), (registration) => RevocationEndpoint.revoke(registration, revoked, hint))

const wire = (options: Registration.Options, hint?: RevocationEndpoint.TokenTypeHint) => {
  const { calls, layer } = fakeFetch(() => new Response(null, { status: 200 }))
  return revoke(options, hint).pipe(Effect.as(calls), Effect.provide(layer))
}

describe("RevocationEndpoint", () => {
  it.effect("B179 B180 B182 B183 S35 a token is revoked by one POST of a form, its kind named where it is known", () =>
    Effect.gen(function*() {
      for (const hint of ["access_token", "refresh_token", undefined] as const) {
        const calls = yield* wire(publicClient, hint)
        assert.strictEqual(calls.length, 1)
        assert.deepInclude(calls[0], { url: "https://as.test/revoke", method: "POST" })
        assert.deepStrictEqual(form(calls[0]), {
          token: canary,
          ...(hint === undefined ? undefined : { token_type_hint: hint }),
          client_id: "app"
        })
      }
    }))

  it.effect("S36 B181 the client proves itself as at the token endpoint", () =>
    Effect.gen(function*() {
      const basic = yield* wire(confidentialClient)
      assert.strictEqual(basic[0]?.headers["authorization"], `Basic ${btoa("service:service-secret")}`)
      assert.deepStrictEqual(form(basic[0]), { token: canary })
      const post = yield* wire({
        ...publicClient,
        clientAuthentication: ClientAuthentication.clientSecretPost(Redacted.make("s"))
      })
      assert.deepStrictEqual(form(post[0]), { token: canary, client_id: "app", client_secret: "s" })
    }))

  it.effect("B183 a token that is revoked, and one that nobody knows, are revoked", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { refreshToken = token } = yield* server.issue()
      yield* revoke(publicClient, "refresh_token", refreshToken)
      assert.strictEqual((yield* server.family(refreshToken)).revoked?.reason, "revocation_request")
      yield* revoke(publicClient, undefined, Redacted.make("unknown"))
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("B183 S43 any other status is a failure, told apart by what the server says", () =>
    Effect.gen(function*() {
      for (
        const [fault, expected] of [
          [Fault.status(400, { error: "unsupported_token_type" }), {
            _tag: "ErrorResponse",
            code: "unsupported_token_type"
          }],
          [Fault.status(503, { retryAfter: "5" }), { _tag: "InvalidResponse", reason: "Status", retryAfter: 5_000 }],
          [Fault.status(204), { _tag: "InvalidResponse", reason: "Status", status: 204 }],
          [Fault.status(404, { body: canary }), { _tag: "InvalidResponse", reason: "Status", status: 404 }],
          [Fault.endlessBody, { _tag: "InvalidResponse", reason: "TooLarge" }],
          [Fault.connectionRefused, { _tag: "TransportError", reason: "Unreachable" }],
          [Fault.reset, { _tag: "TransportError", reason: "ConnectionLost" }]
        ] as const
      ) {
        yield* Effect.gen(function*() {
          const server = yield* Server
          yield* server.inject("revocation", fault)
          const error = yield* Effect.flip(revoke(publicClient))
          assert.deepInclude(error, { endpoint: "revocation", ...expected })
          assert.strictEqual((yield* server.counts).requests.revocation, 1)
          assert.deepStrictEqual(leaks(error, [canary]), [])
        }).pipe(Effect.provide(TestAuthorizationServer.layer()))
      }
    }))

  it.effect("S74 a server that repeats the token does not make an error of it", () =>
    Effect.gen(function*() {
      const server = yield* Server
      yield* server.inject(
        "revocation",
        Fault.respond(
          ServerReply.json(400, { error: "invalid_request", error_description: `token ${canary}`, state: canary })
        )
      )
      const error = yield* Effect.flip(revoke(publicClient))
      assert.deepInclude(error, { _tag: "ErrorResponse", description: "token <redacted>" })
      assert.deepStrictEqual(leaks(error, [canary]), [])
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  for (const status of [301, 302, 303, 307, 308]) {
    it.effect(`S03 R33 a redirect with status ${status} is refused, and the token goes nowhere else`, () =>
      Effect.gen(function*() {
        const { calls, layer } = fakeFetch(() => redirect(status, "https://sink.test/"))
        const error = yield* revoke(publicClient).pipe(Effect.flip, Effect.provide(layer))
        assert.deepInclude(error, { _tag: "InvalidResponse", reason: "Redirect", status })
        assert.deepStrictEqual(calls.map(({ url }) => url), ["https://as.test/revoke"])
        assert.strictEqual(calls[0]?.init.redirect, "manual")
      }))
  }

  it.effect("S07 a server that does not answer is given up at the deadline", () =>
    Effect.gen(function*() {
      const server = yield* Server
      yield* server.inject("revocation", Fault.hang)
      const fiber = yield* Effect.fork(Effect.flip(revoke({ ...publicClient, requestDeadline: "3 seconds" })))
      yield* TestClock.adjust("3 seconds")
      assert.deepInclude(yield* Fiber.join(fiber), { _tag: "TransportError", reason: "Timeout" })
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))

  it.effect("B183 without an endpoint nothing is sent, and the option is named", () =>
    Effect.gen(function*() {
      const { calls, layer } = fakeFetch(() => new Response())
      const error = yield* revoke({ ...publicClient, revocationEndpoint: undefined }).pipe(
        Effect.flip,
        Effect.provide(layer)
      )
      assert.deepInclude(error, { _tag: "ConfigurationError", field: "revocationEndpoint" })
      assert.strictEqual(calls.length, 0)
    }))

  it.effect("S75 S77 a revocation is one span, with method, host and status, and no more", () =>
    Effect.gen(function*() {
      const { spans, tracer } = recorder()
      yield* revoke(publicClient, "refresh_token").pipe(Effect.withTracer(tracer))
      assert.deepStrictEqual(spans.map(({ attributes, name }) => [name, Object.fromEntries(attributes)]), [[
        "oauth2.revocation_request",
        { "http.request.method": "POST", "server.address": "as.test", "http.response.status_code": 200 }
      ]])
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))
})
