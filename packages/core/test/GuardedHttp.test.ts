import type { EndpointRequest } from "@effect-oauth2/core"
import { ClientAuthentication, Endpoint, GuardedHttp, OAuth2Error } from "@effect-oauth2/core"
import { Fault, RequestLog, ServerReply, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { RequestError } from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Exit, FastCheck, Fiber, Redacted, Stream, TestClock, Tracer } from "effect"
import { canary, hostileText, milliseconds, runs } from "./fuzz.js"
import { leaks } from "./secrecy.js"
import { fakeFetch, redirect, tokenReply } from "./transports.js"

const Server = TestAuthorizationServer.TestAuthorizationServer

const endpoint = (url = "https://as.test/token") => Either.getOrThrow(Endpoint.make("tokenEndpoint", url, {}))

const request = (over: Partial<EndpointRequest.EndpointRequest> = {}): EndpointRequest.EndpointRequest => ({
  name: "token",
  endpoint: endpoint(),
  parameters: [["grant_type", "refresh_token"], ["refresh_token", Redacted.make(canary)]],
  credentials: { headers: {}, parameters: [["client_id", "app"]] },
  ...over
})

/** One request through the guard, over whatever `HttpClient` there is. */
const send = (over: Partial<EndpointRequest.EndpointRequest> = {}, limits: Partial<GuardedHttp.Limits> = {}) =>
  Effect.flatMap(
    HttpClient.HttpClient,
    (client) => GuardedHttp.send(GuardedHttp.make(client), request(over), { ...GuardedHttp.defaultLimits, ...limits })
  )

const withServer = Effect.provide(TestAuthorizationServer.layer())

const faulty = (fault: Fault.Fault, limits?: Partial<GuardedHttp.Limits>) =>
  Effect.gen(function*() {
    const server = yield* Server
    yield* server.inject("token", fault)
    return yield* send({}, limits)
  }).pipe(withServer)

/** A client that answers with a body in these pieces. */
const streaming = (chunks: Stream.Stream<Uint8Array>, headers: Record<string, string> = {}) =>
  HttpClient.make((request) =>
    Effect.sync(() => {
      const response = HttpClientResponse.fromWeb(request, new Response("", { headers }))
      return new Proxy(response, {
        get: (target, key) => key === "stream" ? chunks : Reflect.get(target, key) as unknown
      })
    })
  )

const errorWith = (cause: unknown) =>
  GuardedHttp.send(
    GuardedHttp.make(HttpClient.make((request) => new RequestError({ request, reason: "Transport", cause }))),
    request(),
    GuardedHttp.defaultLimits
  ).pipe(Effect.flip)

describe("GuardedHttp", () => {
  describe("the request", () => {
    it.effect("S35 B313 B317 B318 B343 it is a POST of a form to the endpoint as it is written, asking for JSON", () =>
      Effect.gen(function*() {
        const { calls, layer } = fakeFetch(() => tokenReply())
        const tenant = endpoint("https://as.test/token?tenant=a%20b")
        yield* send({ endpoint: tenant, credentials: { headers: { "x-extra": Redacted.make("1") }, parameters: [] } })
          .pipe(Effect.provide(layer))
        assert.strictEqual(calls.length, 1)
        assert.deepInclude(calls[0], {
          url: "https://as.test/token?tenant=a%20b",
          method: "POST",
          body: `grant_type=refresh_token&refresh_token=${canary}`,
          headers: {
            accept: "application/json",
            "content-type": "application/x-www-form-urlencoded",
            "x-extra": "1"
          }
        })
      }))

    it.effect("S74 no tracing header is sent, and the transport makes no span of its own, whatever traces the program", () =>
      Effect.gen(function*() {
        const spans: Array<string> = []
        const tracer = Tracer.make({
          span: (name, parent, context, links, startTime, kind) => {
            spans.push(name)
            return {
              ...{ _tag: "Span", name, spanId: "1".repeat(16), traceId: "2".repeat(32), parent, context, links, kind },
              sampled: true,
              attributes: new Map(),
              status: { _tag: "Started", startTime },
              end: () => {},
              attribute: () => {},
              event: () => {},
              addLinks: () => {}
            }
          },
          context: (f) => f()
        })
        const { calls, layer } = fakeFetch(() => tokenReply())
        yield* send().pipe(Effect.withSpan("outer"), Effect.withTracer(tracer), Effect.provide(layer))
        assert.deepStrictEqual(spans, ["outer"])
        assert.deepStrictEqual(Object.keys(calls[0]?.headers ?? {}).sort(), ["accept", "content-type"])
      }))

    it.effect("R34 S44 a credential with any byte that no header can carry is refused before anything is sent, unseen", () =>
      Effect.gen(function*() {
        const server = yield* Server
        for (let byte = 0; byte <= 0x100; byte++) {
          const char = String.fromCharCode(byte)
          for (const text of [char + canary, canary.slice(0, 13) + char + canary.slice(13), canary + char]) {
            const sent = send({ credentials: { headers: { authorization: Redacted.make(text) }, parameters: [] } })
            const result = yield* Effect.either(sent)
            if (byte >= 0x20 && byte < 0x7f) {
              const exchange = (yield* server.exchanges("token")).at(-1)
              assert.strictEqual(exchange && RequestLog.header(exchange, "authorization"), text)
            } else {
              assert.isTrue(Either.isLeft(result) && result.left._tag === "InputError", `byte ${byte}`)
              assert.notInclude(String(Either.isLeft(result) && result.left), canary)
            }
          }
        }
        assert.strictEqual((yield* server.counts).requests.token, 95 * 3)
      }).pipe(withServer))
  })

  describe("redirects", () => {
    for (const status of [301, 302, 303, 307, 308, 300, 304, 305, 399]) {
      it.effect(`S03 R33 a redirect with status ${status} is refused, and nobody else gets a request`, () =>
        Effect.gen(function*() {
          for (
            const location of [
              "https://as.test/elsewhere",
              "https://as.test:8443/token",
              "https://sink.test/token",
              "http://as.test/token",
              "http://sink.test/token",
              "https://127.0.0.1/token",
              "https://10.0.0.1/token",
              "file:///etc/passwd",
              "data:text/plain,x",
              "javascript:alert(1)",
              "//sink.test",
              ""
            ]
          ) {
            const { calls, layer } = fakeFetch((call) =>
              call.url === endpoint().href ? redirect(status, location) : tokenReply()
            )
            const error = yield* send().pipe(Effect.flip, Effect.provide(layer))
            assert.deepInclude(error, { _tag: "InvalidResponse", reason: "Redirect", status })
            assert.deepStrictEqual(calls.map((call) => call.url), [endpoint().href], location)
            assert.strictEqual(calls[0]?.init.redirect, "manual")
            assert.strictEqual(calls[0]?.init.credentials, "omit")
          }
        }))
    }

    it.effect("S03 the fetch that the guard is proved with would have followed", () =>
      Effect.gen(function*() {
        const { calls, layer } = fakeFetch((call) =>
          call.url.startsWith("https://as.test") ? redirect(307, "https://sink.test/") : tokenReply()
        )
        yield* HttpClient.execute(HttpClientRequest.post("https://as.test/token")).pipe(Effect.provide(layer))
        assert.deepStrictEqual(calls.map((call) => call.url), ["https://as.test/token", "https://sink.test/"])
      }))

    it.effect("S03 what a page sees of a redirect, an opaque answer without status, is refused too", () =>
      Effect.gen(function*() {
        const opaque = Object.defineProperty(new Response(null), "status", { value: 0 })
        const error = yield* send().pipe(Effect.flip, Effect.provide(fakeFetch(() => opaque).layer))
        assert.deepInclude(error, { _tag: "InvalidResponse", reason: "Redirect", status: 0 })
      }))

    it.effect("S03 a program's own fetch options do not make it follow", () =>
      Effect.gen(function*() {
        const { calls, layer } = fakeFetch(() => tokenReply())
        const { FetchHttpClient } = yield* Effect.promise(() => import("@effect/platform"))
        yield* send().pipe(
          Effect.provideService(FetchHttpClient.RequestInit, { redirect: "follow", credentials: "include" }),
          Effect.provide(layer)
        )
        assert.deepInclude(calls[0]?.init, { redirect: "manual", credentials: "omit" })
      }))
  })

  describe("limits", () => {
    it.effect("S06 an endless body is refused at the limit, and the rest is not read", () =>
      Effect.gen(function*() {
        let read = 0
        const chunks = Stream.repeatEffect(Effect.sync(() => {
          read++
          return new Uint8Array(16_384)
        }))
        const before = process.memoryUsage().rss
        const error = yield* send().pipe(Effect.provideService(HttpClient.HttpClient, streaming(chunks)), Effect.flip)
        assert.deepInclude(error, { _tag: "InvalidResponse", reason: "TooLarge" })
        assert.isAtMost(read, 262_144 / 16_384 + 1)
        assert.isBelow(process.memoryUsage().rss - before, 16 * 1_048_576)
      }))

    it.effect("S06 the server's endless answer is refused, and the token in it is not shown", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(faulty(Fault.endlessBody))
        assert.deepInclude(error, { _tag: "InvalidResponse", reason: "TooLarge", status: 400 })
      }))

    it.effect("S06 S08 a body longer than it says, as one is that a page's fetch has decompressed, is refused at the limit", () =>
      Effect.gen(function*() {
        let read = 0
        const body = () =>
          new ReadableStream<Uint8Array>({
            pull: (controller) => {
              read++
              controller.enqueue(new Uint8Array(16_384).fill(0x20))
              if (read > 1_000) controller.close()
            }
          })
        // What another origin's response shows to a page: its length, and not its encoding.
        const { layer } = fakeFetch(() => new Response(body(), { headers: { "content-length": "1000" } }))
        const error = yield* send().pipe(Effect.flip, Effect.provide(layer))
        assert.deepInclude(error, { _tag: "InvalidResponse", reason: "TooLarge" })
        assert.isBelow(read, 30)
      }))

    it.effect("S06 a body of exactly the limit is read, and one of a byte more is not", () =>
      Effect.gen(function*() {
        for (const [length, fits] of [[0, true], [999, true], [1_000, true], [1_001, false]] as const) {
          const result = yield* Effect.either(
            faulty(Fault.respond(ServerReply.text(200, "application/json", "x".repeat(length))), {
              maxResponseBytes: 1_000
            })
          )
          assert.strictEqual(Either.isRight(result), fits, `${length}`)
          if (Either.isRight(result)) assert.strictEqual(result.right.body.length, length)
        }
      }))

    it.effect("S06 R31 a body that comes byte by byte costs as much as its length, not its square", () =>
      Effect.gen(function*() {
        const time = (length: number) => {
          const chunks = Stream.fromIterable(Array.from({ length }, () => Uint8Array.of(0x20)))
          const sent = send().pipe(Effect.provideService(HttpClient.HttpClient, streaming(chunks)))
          return milliseconds(() => Effect.runSync(Effect.either(sent)), 3)
        }
        time(1_000)
        assert.isBelow(time(80_000), 10 * Math.max(time(20_000), 5))
      }))

    for (
      const [name, fault] of [
        ["never answers", Fault.hang],
        ["answers late", Fault.delay("1 hour")],
        ["sends a byte a second", Fault.slowBody("1 second")],
        ["sends a byte, and no more", Fault.slowBody("1 hour")]
      ] as const
    ) {
      it.effect(`S07 B323 a server that ${name} is given up at the deadline, and the request withdrawn`, () =>
        Effect.gen(function*() {
          const server = yield* Server
          yield* server.inject("token", fault)
          const fiber = yield* Effect.fork(Effect.flip(send()))
          yield* TestClock.adjust("7999 millis")
          assert.isNull(fiber.unsafePoll())
          yield* TestClock.adjust("1 millis")
          const error = yield* Fiber.join(fiber)
          assert.deepInclude(error, { _tag: "TransportError", reason: "Timeout", ambiguous: true, remedy: "retry" })
        }).pipe(withServer))
    }

    it.effect("S07 the deadline is the program's own where it gives one", () =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(Effect.flip(faulty(Fault.hang, { requestDeadline: Duration.millis(250) })))
        yield* TestClock.adjust("250 millis")
        assert.deepInclude(yield* Fiber.join(fiber), { _tag: "TransportError", reason: "Timeout" })
      }))

    it.effect("B405 interrupting a request ends it at once", () =>
      Effect.gen(function*() {
        const server = yield* Server
        yield* server.inject("token", Fault.hang)
        const fiber = yield* Effect.fork(send())
        yield* TestClock.adjust("1 second")
        assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
        assert.strictEqual((yield* server.exchanges("token"))[0]?.outcome, "interrupted")
      }).pipe(withServer))
  })

  describe("the reply", () => {
    it.effect("B325 a reply of any other status is read, with status, content type and body", () =>
      Effect.gen(function*() {
        for (const status of [200, 201, 204, 400, 401, 403, 404, 418, 429, 500, 502, 503, 504]) {
          const reply = yield* faulty(Fault.respond(ServerReply.text(status, "text/plain", "body")))
          assert.deepInclude(reply, { endpoint: "token", status, contentType: "text/plain", retryAfter: undefined })
          assert.strictEqual(new TextDecoder().decode(reply.body), "body")
        }
      }))

    it.effect("B068 a reply without a body has an empty one, over fetch too", () =>
      Effect.gen(function*() {
        const empty = fakeFetch(() => new Response(null, { status: 204 }))
        assert.strictEqual((yield* send().pipe(Effect.provide(empty.layer))).body.length, 0)
        assert.strictEqual((yield* faulty(Fault.emptyBody)).body.length, 0)
      }))

    for (
      const [value, expected] of [
        ["0", 0],
        ["120", 120_000],
        ["86400", 86_400_000],
        ["86401", 86_400_000],
        ["99999999999999999999", 86_400_000],
        ["9".repeat(40), 86_400_000],
        ["Thu, 01 Jan 1970 00:01:40 GMT", 100_000],
        ["Thursday, 01-Jan-70 00:01:40 GMT", 100_000],
        ["Wed, 31 Dec 1969 23:59:59 GMT", 0],
        ["Fri, 31 Dec 9999 23:59:59 GMT", 86_400_000],
        ["", undefined],
        ["soon", undefined],
        ["-1", undefined],
        ["-5", undefined],
        ["1.5", undefined],
        ["1e3", undefined],
        ["0x10", undefined],
        ["5, 6", undefined],
        ["in 12 days", undefined],
        ["NaN", undefined]
      ] as const
    ) {
      it.effect(`S63 Retry-After ${JSON.stringify(value.slice(0, 40))} is ${expected === undefined ? "none" : `${expected} ms`}`, () =>
        Effect.gen(function*() {
          const reply = yield* faulty(Fault.status(503, { retryAfter: value }))
          assert.strictEqual(reply.retryAfter, expected)
        }))
    }

    it.effect("S63 R31 whatever Retry-After says, it is a time from none to a day, or not there", () =>
      Effect.gen(function*() {
        for (const value of FastCheck.sample(hostileText, runs(200))) {
          const { retryAfter } = yield* send().pipe(
            Effect.provideService(HttpClient.HttpClient, streaming(Stream.empty, latin1({ "retry-after": value })))
          )
          assert.isTrue(retryAfter === undefined || (retryAfter >= 0 && retryAfter <= 86_400_000), value)
        }
      }))
  })

  describe("failures of the transport", () => {
    it.effect("R28 what surely never reached the server is told apart from what may have", () =>
      Effect.gen(function*() {
        for (
          const [code, reason] of [
            ["ENOTFOUND", "Unreachable"],
            ["EAI_AGAIN", "Unreachable"],
            ["ECONNREFUSED", "Unreachable"],
            ["EHOSTUNREACH", "Unreachable"],
            ["ENETUNREACH", "Unreachable"],
            ["UND_ERR_CONNECT_TIMEOUT", "Unreachable"],
            ["CERT_HAS_EXPIRED", "Unreachable"],
            ["DEPTH_ZERO_SELF_SIGNED_CERT", "Unreachable"],
            ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "Unreachable"],
            ["ERR_TLS_CERT_ALTNAME_INVALID", "Unreachable"],
            ["ECONNRESET", "ConnectionLost"],
            ["EPIPE", "ConnectionLost"],
            ["ETIMEDOUT", "ConnectionLost"],
            ["UND_ERR_SOCKET", "ConnectionLost"],
            ["UND_ERR_HEADERS_TIMEOUT", "ConnectionLost"],
            ["XENOTFOUND", "ConnectionLost"]
          ] as const
        ) {
          const error = yield* errorWith(Object.assign(new Error("x"), { code }))
          assert.deepInclude(error, { _tag: "TransportError", endpoint: "token", reason, code, remedy: "retry" })
          assert.strictEqual(error.ambiguous, reason === "ConnectionLost")
        }
      }))

    it.effect("R28 the code is found along the causes, and an unknown failure is taken for the worse", () =>
      Effect.gen(function*() {
        const refused = Object.assign(new Error("x"), { code: "ECONNREFUSED" })
        const deep = new TypeError("fetch failed", { cause: new AggregateError([refused, refused]) })
        assert.deepInclude(yield* errorWith(deep), { reason: "Unreachable", code: "ECONNREFUSED" })
        const circular: { cause?: unknown; code: string } = { code: "ECONNRESET" }
        circular.cause = circular
        assert.deepInclude(yield* errorWith(circular), { reason: "ConnectionLost", code: "ECONNRESET" })
        for (
          const cause of [undefined, null, "ECONNREFUSED", 5, { code: 5 }, { code: `${canary} x` }, new Error(canary)]
        ) {
          const error = yield* errorWith(cause)
          assert.deepInclude(error, { _tag: "TransportError", reason: "ConnectionLost" })
          assert.isUndefined((error as OAuth2Error.TransportError).code)
          assert.deepStrictEqual(leaks(error, [canary]), [])
        }
      }))

    it.effect("S76 a connection that breaks in the body is one that was lost, and shows nothing of what had come", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(faulty(Fault.brokenBody()))
        assert.deepInclude(error, { _tag: "TransportError", reason: "ConnectionLost", code: "ECONNRESET" })
        assert.notProperty(error, "cause")
      }))
  })

  describe("secrets that a server repeats", () => {
    const basic = ClientAuthentication.clientSecretBasic(Redacted.make("sec ret/\"%+é"))

    const cleaned = (
      description: string,
      over: Partial<EndpointRequest.EndpointRequest> = {}
    ): OAuth2Error.ErrorResponse =>
      GuardedHttp.withoutSecrets<OAuth2Error.ErrorResponse>(
        new OAuth2Error.ErrorResponse({
          endpoint: "token",
          code: description,
          description,
          uri: description,
          state: description,
          status: 400
        }),
        request(over)
      )

    it("S74 a secret of the request is taken out of every text of the error", () => {
      const { code, description, message, state, uri } = cleaned(`bad token ${canary}.`)
      for (const text of [code, description, uri, state]) assert.strictEqual(text, "bad token <redacted>.")
      assert.notInclude(message, canary)
    })

    it.effect("S74 the client secret is taken out too, where it was sent in a Basic header", () =>
      Effect.gen(function*() {
        const secret = `${canary} /+é`
        const credentials = yield* ClientAuthentication.clientSecretBasic(Redacted.make(secret)).authenticate({
          clientId: "app",
          endpoint: endpoint()
        })
        const header = Redacted.value(credentials.headers["authorization"] ?? Redacted.make(""))
        for (const text of [secret, header, header.slice(6), new URLSearchParams({ a: secret }).toString().slice(2)]) {
          const error = cleaned(`the secret ${text} is wrong`, { credentials })
          assert.deepStrictEqual(leaks(error, [secret, header.slice(6), canary]), [], text)
        }
      }))

    it.effect("S74 what is left of an answer is what the server said otherwise", () =>
      Effect.gen(function*() {
        const credentials = yield* basic.authenticate({ clientId: "app", endpoint: endpoint() })
        assert.deepInclude(cleaned("The client is unknown", { credentials }), {
          code: "The client is unknown",
          description: "The client is unknown",
          status: 400
        })
      }))

    it("S76 an error of another kind is left as it is", () => {
      const error = new OAuth2Error.InvalidResponse({ endpoint: "token", reason: "Json", status: 200 })
      assert.strictEqual(GuardedHttp.withoutSecrets(error, request()), error)
    })
  })
})

/** Headers as they come over the wire: without what cannot. */
const latin1 = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(/[^\t\x20-\x7e]/g, "")]))
