import { ClientAuthentication, Grant, OAuth2Error, Registration, Token, TokenEndpoint } from "@effect-oauth2/core"
import { Fault, RequestLog, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Option, Redacted, TestClock } from "effect"
import { confidentialClient, publicClient } from "./fixtures.js"
import { canary } from "./fuzz.js"
import { leaks } from "./secrecy.js"
import { recorder } from "./spans.js"
import { fakeFetch, form, redirect, tokenReply } from "./transports.js"

const Server = TestAuthorizationServer.TestAuthorizationServer

const options: Registration.Options = { clientId: "cid", tokenEndpoint: "https://as.test/token" }

const code = Grant.authorizationCode({
  code: Redacted.make(`${canary}-code`),
  codeVerifier: Redacted.make(`${canary}-verifier`),
  redirectUri: "https://app.test/cb"
})
const refresh = Grant.refreshToken({ refreshToken: Redacted.make(`${canary}-refresh`) })
const password = Grant.extension("password", { username: "u ser", password: Redacted.make(`${canary}&w`) })

/** One token request, as it went over the wire. */
const wire = (grant: Grant.Grant, over: Partial<Registration.Options> = {}, answer = () => tokenReply()) => {
  const { calls, layer } = fakeFetch(answer)
  return Effect.orDie(Registration.make({ ...options, ...over })).pipe(
    Effect.flatMap((registration) => TokenEndpoint.exchange(registration, grant)),
    Effect.either,
    Effect.map((result) => ({ result, calls, call: calls[0], form: form(calls[0]) })),
    Effect.provide(layer)
  )
}

/** One token request to the server in memory. */
const request = (grant: Grant.Grant, over: Registration.Options = confidentialClient) =>
  Effect.flatMap(Registration.make(over), (registration) => TokenEndpoint.requestToken(registration, grant))

const authorization = ({ call }: { readonly call: ReturnType<typeof fakeFetch>["calls"][number] | undefined }) =>
  call?.headers["authorization"]

const basicHeader = (id: string, secret: string) => `Basic ${btoa(`${id}:${secret}`)}`
const secret = Redacted.make("s")

describe("TokenEndpoint", () => {
  describe("the request", () => {
    it.effect("S35 S31 B192 B196 B284 B313 B316 a code is redeemed by one POST of a form, with nothing in the URL", () =>
      Effect.gen(function*() {
        const sent = yield* wire(code)
        assert.strictEqual(sent.calls.length, 1)
        assert.deepInclude(sent.call, { url: "https://as.test/token", method: "POST" })
        assert.deepStrictEqual(sent.form, {
          grant_type: "authorization_code",
          code: `${canary}-code`,
          redirect_uri: "https://app.test/cb",
          code_verifier: `${canary}-verifier`,
          client_id: "cid"
        })
      }))

    it.effect("S42 B175 B337 B341 a refresh sends the refresh token, the client's id and nothing else", () =>
      Effect.gen(function*() {
        const sent = yield* wire(refresh, { scope: "a b", resource: "https://api.test" })
        assert.deepStrictEqual(sent.form, {
          grant_type: "refresh_token",
          refresh_token: `${canary}-refresh`,
          client_id: "cid"
        })
      }))

    it.effect("B203 B205 B207 B286 B287 B306 user name and password are parameters, blank ones too, and never Basic", () =>
      Effect.gen(function*() {
        const sent = yield* wire(password)
        assert.deepInclude(sent.form, { grant_type: "password", username: "u ser", password: `${canary}&w` })
        assert.include(sent.call?.body, "username=u+ser&password=CANARY")
        assert.isUndefined(authorization(sent))
        const blank = yield* wire(Grant.extension("password", { username: "", password: Redacted.make("") }))
        assert.deepInclude(blank.form, { username: "", password: "" })
      }))

    it.effect("B209 B210 B320 client credentials ask for the client's scope and resource", () =>
      Effect.gen(function*() {
        const over = { scope: ["a", "b"], resource: "https://api.test" }
        assert.deepStrictEqual((yield* wire(Grant.clientCredentials(), over)).form, {
          grant_type: "client_credentials",
          scope: "a b",
          resource: "https://api.test",
          client_id: "cid"
        })
        assert.notProperty((yield* wire(Grant.clientCredentials({ scope: [] }), over)).form, "scope")
      }))

    it.effect("B211 B319 the client's redirect URI goes with no grant but the code's", () =>
      Effect.gen(function*() {
        for (const grant of [refresh, password, Grant.clientCredentials()]) {
          assert.notProperty((yield* wire(grant, { redirectUri: "https://app.test/cb" })).form, "redirect_uri")
        }
      }))

    it.effect("B019 B020 B321 B400 what else the server wants reaches every request, repeated values too", () =>
      Effect.gen(function*() {
        const over = { tokenParameters: { audience: ["x", "y"], tenant: "t" } }
        for (const grant of [code, refresh, password, Grant.clientCredentials()]) {
          const { call } = yield* wire(grant, over)
          assert.deepStrictEqual(new URLSearchParams(call?.body).getAll("audience"), ["x", "y"])
          assert.deepStrictEqual(new URLSearchParams(call?.body).getAll("tenant"), ["t"])
        }
        const own = yield* wire(Grant.clientCredentials({ parameters: { tenant: "own" } }), over)
        assert.deepStrictEqual(new URLSearchParams(own.call?.body).getAll("tenant"), ["own"])
      }))

    it.effect("S18 B020 B197 B307 B308 no grant sets its own name, or a client's credentials, and nothing is sent", () =>
      Effect.gen(function*() {
        for (const name of ["grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type"]) {
          const { calls, result } = yield* wire(Grant.extension("urn:x", { [name]: Redacted.make(canary) }))
          assert.strictEqual(calls.length, 0)
          assert.isTrue(result._tag === "Left" && result.left.error._tag === "InputError")
          assert.deepInclude(result._tag === "Left" && result.left.error, { field: name })
          assert.deepStrictEqual(leaks(result, [canary]), [])
        }
        assert.strictEqual((yield* wire(Grant.extension("urn:x", { client_id: "cid" }))).calls.length, 0)
      }))

    it.effect("B317 the query of the endpoint is kept", () =>
      Effect.gen(function*() {
        const { call } = yield* wire(code, { tokenEndpoint: "https://as.test/token?tenant=a%20b" })
        assert.strictEqual(call?.url, "https://as.test/token?tenant=a%20b")
      }))
  })

  describe("client authentication", () => {
    const methods = {
      none: ClientAuthentication.none,
      basic: ClientAuthentication.clientSecretBasic(secret),
      post: ClientAuthentication.clientSecretPost(secret),
      assertion: ClientAuthentication.custom("private_key_jwt", ({ clientId }) =>
        Effect.succeed({
          headers: {},
          parameters: [
            ["client_id", clientId],
            ["client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
            ["client_assertion", Redacted.make("a.b.c")]
          ]
        })),
      "basic with the id in the form": ClientAuthentication.custom(
        "client_secret_basic",
        ({ clientId }) =>
          Effect.succeed({
            headers: { authorization: Redacted.make(basicHeader(clientId, "s")) },
            parameters: [["client_id", clientId]]
          })
      ),
      nothing: ClientAuthentication.custom("tls_client_auth", () => Effect.succeed({ headers: {}, parameters: [] }))
    }

    for (const [name, clientAuthentication] of Object.entries(methods)) {
      it.effect(`S36 B178 B299 B303 B338 B364 ${name}: one method at most, the same for every grant`, () =>
        Effect.gen(function*() {
          const seen = new Set<string>()
          for (const grant of [code, refresh, password, Grant.clientCredentials()]) {
            const sent = yield* wire(grant, { clientAuthentication })
            const proofs = [authorization(sent), sent.form["client_secret"], sent.form["client_assertion"]]
            assert.isAtMost(proofs.filter((proof) => proof !== undefined).length, 1)
            seen.add(JSON.stringify([proofs, sent.form["client_id"]]))
          }
          assert.strictEqual(seen.size, 1)
        }))
    }

    it.effect("S41 B288 B291 B294 B309 a public client sends its id and no secret", () =>
      Effect.gen(function*() {
        const sent = yield* wire(code)
        assert.isUndefined(authorization(sent))
        assert.strictEqual(sent.form["client_id"], "cid")
        assert.notProperty(sent.form, "client_secret")
      }))

    it.effect("S37 B289 B290 B295 Basic sends id and secret in the header alone", () =>
      Effect.gen(function*() {
        for (const text of ["s", ""]) {
          const clientAuthentication = ClientAuthentication.clientSecretBasic(Redacted.make(text), { allowEmpty: true })
          const sent = yield* wire(code, { clientAuthentication })
          assert.strictEqual(authorization(sent), basicHeader("cid", text))
          assert.notProperty(sent.form, "client_id")
          assert.notProperty(sent.form, "client_secret")
        }
      }))

    it.effect("B185 B195 B206 B292 B293 B302 B304 B305 post sends id and secret in the form alone", () =>
      Effect.gen(function*() {
        for (const text of ["s", ""]) {
          const clientAuthentication = ClientAuthentication.clientSecretPost(Redacted.make(text), { allowEmpty: true })
          const sent = yield* wire(code, { clientAuthentication })
          assert.isUndefined(authorization(sent))
          assert.deepInclude(sent.form, { client_id: "cid", client_secret: text })
        }
      }))

    it.effect("B194 B296 B298 B300 B301 B312 a method of one's own sends what it says, be it nothing", () =>
      Effect.gen(function*() {
        const both = yield* wire(code, { clientAuthentication: methods["basic with the id in the form"] })
        assert.strictEqual(authorization(both), basicHeader("cid", "s"))
        assert.strictEqual(both.form["client_id"], "cid")
        const nothing = yield* wire(code, { clientAuthentication: methods.nothing })
        assert.isUndefined(authorization(nothing))
        assert.notProperty(nothing.form, "client_id")
      }))

    it.effect("S40 B297 a server that refuses the method is not tried with another", () =>
      Effect.gen(function*() {
        for (const clientAuthentication of Object.values(methods)) {
          for (const grant of [code, refresh, Grant.clientCredentials()]) {
            const { calls, result } = yield* wire(grant, { clientAuthentication }, () =>
              Response.json({ error: "invalid_client" }, {
                status: 401,
                headers: { "www-authenticate": "Basic realm=as" }
              }))
            assert.strictEqual(calls.length, 1)
            assert.deepInclude(result._tag === "Left" && result.left.error, {
              _tag: "ErrorResponse",
              code: "invalid_client",
              status: 401
            })
          }
        }
      }))

    it.effect("B109 a method that fails, fails the request, and nothing is sent", () =>
      Effect.gen(function*() {
        const failure = new OAuth2Error.InputError({ field: "key", problem: "is locked" })
        const clientAuthentication = ClientAuthentication.custom("x", () => Effect.fail(failure))
        const { calls, result } = yield* wire(code, { clientAuthentication })
        assert.strictEqual(calls.length, 0)
        assert.deepInclude(result._tag === "Left" && result.left.error, { _tag: "InputError", field: "key" })
      }))
  })

  describe("the answer", () => {
    it.effect("B277 B328 a token comes back as a value, its life counted from the receipt", () =>
      Effect.gen(function*() {
        yield* TestClock.adjust("5 seconds")
        const token = yield* request(Grant.clientCredentials({ scope: "a" }))
        assert.deepInclude(token, { tokenType: "Bearer", issuedAt: 5_000, expiresAt: 3_605_000, scope: ["a"] })
        assert.isTrue(Token.isTokenText(Redacted.value(token.accessToken)))
      }).pipe(Effect.provide(TestAuthorizationServer.layer())))

    it.effect("B028 B079 B327 an answer without scope has the one that was asked for", () =>
      Effect.gen(function*() {
        const { result } = yield* wire(Grant.clientCredentials({ scope: "a" }))
        assert.deepStrictEqual(result._tag === "Right" && result.right.scope, ["a"])
        const client = yield* wire(Grant.clientCredentials(), { scope: "c" })
        assert.deepStrictEqual(client.result._tag === "Right" && client.result.right.scope, ["c"])
      }))

    it.effect("S31 B280 a code is sent once, however the request ends", () =>
      Effect.gen(function*() {
        for (
          const fault of [
            Fault.reset,
            Fault.afterActing(Fault.reset),
            Fault.connectionRefused,
            Fault.brokenBody(),
            Fault.truncated(),
            Fault.html,
            Fault.emptyBody,
            Fault.endlessBody,
            Fault.redirect("https://sink.test/"),
            Fault.status(500),
            Fault.status(503, { retryAfter: "0" }),
            Fault.status(429, { retryAfter: "0" }),
            Fault.status(400, { error: "temporarily_unavailable" }),
            Fault.status(401, { error: "invalid_client" })
          ]
        ) {
          yield* Effect.gen(function*() {
            const server = yield* Server
            yield* server.inject("token", fault, { times: Infinity })
            const error = yield* Effect.flip(request(code, publicClient))
            assert.include(["ErrorResponse", "InvalidResponse", "TransportError"], error._tag)
            assert.strictEqual(yield* server.tokenRequests(), 1, fault.name)
            assert.strictEqual((yield* server.counts).requests.elsewhere, 0)
            assert.deepStrictEqual(leaks(error, [canary]), [])
          }).pipe(Effect.provide(TestAuthorizationServer.layer()))
        }
      }))

    it.effect("R46 a refused answer keeps the refresh token that could be read", () =>
      Effect.gen(function*() {
        const { result } = yield* wire(refresh, {}, () => tokenReply({ access_token: "a b", refresh_token: canary }))
        assert.isTrue(result._tag === "Left")
        const refused = result._tag === "Left" ? result.left : assert.fail()
        assert.strictEqual(refused.refreshToken && Redacted.value(refused.refreshToken), canary)
        assert.deepStrictEqual(leaks(refused, [canary]), [])
      }))

    it.effect("S74 a server that repeats what it was sent does not make an error of it", () =>
      Effect.gen(function*() {
        const clientSecret = `${canary}/secret+"`
        for (
          const clientAuthentication of [
            ClientAuthentication.clientSecretBasic(Redacted.make(clientSecret)),
            ClientAuthentication.clientSecretPost(Redacted.make(clientSecret)),
            ClientAuthentication.none
          ]
        ) {
          for (const grant of [code, refresh, password]) {
            const seen = fakeFetch((call) => {
              const text = `${clientSecret} ${call.body} ${decodeURIComponent(call.body.replaceAll("+", " "))} ${
                call.headers["authorization"]
              }`
              const known = clientAuthentication === ClientAuthentication.none
                ? text.replaceAll(clientSecret, "")
                : text
              return Response.json(
                { error: known.slice(0, 900), error_description: known, error_uri: known, state: known },
                { status: 400 }
              )
            })
            const error = yield* Registration.make({ ...options, clientAuthentication }).pipe(
              Effect.flatMap((registration) => TokenEndpoint.requestToken(registration, grant)),
              Effect.flip,
              Effect.provide(seen.layer)
            )
            assert.strictEqual(error._tag, "ErrorResponse")
            assert.deepStrictEqual(leaks(error, [canary]), [])
          }
        }
      }))

    it.effect("S03 a redirect is an answer that is refused, with everything that was sent unsent elsewhere", () =>
      Effect.gen(function*() {
        for (const status of [301, 302, 303, 307, 308]) {
          const { calls, result } = yield* wire(refresh, {}, () => redirect(status, "https://sink.test/token"))
          assert.deepStrictEqual(calls.map(({ url }) => url), ["https://as.test/token"])
          assert.deepInclude(result._tag === "Left" && result.left.error, {
            _tag: "InvalidResponse",
            reason: "Redirect"
          })
        }
      }))
  })

  describe("what can be watched", () => {
    it.effect("S75 S77 a request is one span, with method, host, grant type and status, and no more", () =>
      Effect.gen(function*() {
        const { spans, tracer } = recorder()
        yield* request(Grant.clientCredentials(), {
          ...confidentialClient,
          tokenEndpoint: "https://as.test/token?tenant=t"
        })
          .pipe(Effect.withTracer(tracer))
        assert.deepStrictEqual(
          spans.map((
            { attributes, events, kind, links, name }
          ) => [name, kind, events, links, Object.fromEntries(attributes)]),
          [["oauth2.token_request", "client", [], [], {
            "http.request.method": "POST",
            "server.address": "as.test",
            "oauth2.grant_type": "client_credentials",
            "http.response.status_code": 200
          }]]
        )
      }).pipe(Effect.provide(TestAuthorizationServer.layer())))

    it.effect("S74 B401 a failed request is a span that ends with the error's tag, and no text of the server", () =>
      Effect.gen(function*() {
        const server = yield* Server
        yield* server.inject("token", Fault.status(400, { error: canary, description: canary }))
        const { spans, tracer } = recorder()
        const error = yield* Effect.flip(request(refresh, publicClient)).pipe(Effect.withTracer(tracer))
        const [span] = spans
        assert.deepStrictEqual(
          span && [...span.attributes.values()].filter((value) => String(value).includes(canary)),
          []
        )
        assert.strictEqual(span?.attributes.get("http.response.status_code"), 400)
        assert.strictEqual(span?.attributes.get("error.type"), error._tag)
      }).pipe(Effect.provide(TestAuthorizationServer.layer())))

    it.effect("S75 no tracing header reaches the server", () =>
      Effect.gen(function*() {
        const server = yield* Server
        yield* request(Grant.clientCredentials()).pipe(Effect.withSpan("outer"), Effect.withTracer(recorder().tracer))
        const [exchange] = yield* server.exchanges("token")
        for (const name of ["traceparent", "tracestate", "b3", "x-b3-traceid", "baggage"]) {
          assert.notInclude(exchange?.headerNames ?? [name], name)
        }
        assert.strictEqual(exchange && RequestLog.header(exchange, "accept"), "application/json")
      }).pipe(Effect.provide(TestAuthorizationServer.layer())))
  })

  it.effect("B405 a request can be interrupted, and then the server sees it withdrawn", () =>
    Effect.gen(function*() {
      const server = yield* Server
      yield* server.inject("token", Fault.hang)
      const fiber = yield* Effect.fork(request(code, publicClient))
      yield* TestClock.adjust("1 second")
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isInterrupted(exit))
      assert.isTrue(Option.isNone(Cause.failureOption(Exit.isFailure(exit) ? exit.cause : Cause.empty)))
      assert.strictEqual((yield* server.exchanges("token"))[0]?.outcome, "interrupted")
    }).pipe(Effect.provide(TestAuthorizationServer.layer())))
})
