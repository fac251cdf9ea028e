import {
  Custody,
  FetchTransport,
  OAuth2Client,
  OAuth2HttpClient,
  OAuth2Session,
  type Token,
  TokenPlacement
} from "@effect-oauth2/core"
import { Fault, RequestLog, ServerReply, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { FetchHttpClient, HttpBody, HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { RequestError, ResponseError } from "@effect/platform/HttpClientError"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FastCheck, Fiber, Layer, Redacted, Schedule, Stream, TestClock } from "effect"
import { createServer, type RequestListener, type Server as NodeServer } from "node:http"
import type { AddressInfo } from "node:net"
import { layer, publicClient } from "./fixtures.js"
import { canary, hostileText, runs } from "./fuzz.js"
import { leaks } from "./secrecy.js"
import { fakeFetch, redirect } from "./transports.js"

const Server = TestAuthorizationServer.TestAuthorizationServer
const Http = OAuth2HttpClient.OAuth2HttpClient

const url = "https://api.test/things"

/** A program with a session that the server has issued. */
const signedIn = <A, E>(
  program: Effect.Effect<
    A,
    E,
    | OAuth2HttpClient.OAuth2HttpClient
    | OAuth2Client.OAuth2Client
    | OAuth2Session.CurrentSession
    | TestAuthorizationServer.TestAuthorizationServer
  >,
  options: Parameters<typeof layer<never>>[0] = {}
) =>
  Effect.gen(function*() {
    const server = yield* Server
    const client = yield* OAuth2Client.OAuth2Client
    const session = yield* client.restore(yield* server.issue({ scope: "a" }))
    return yield* Effect.provideService(program, OAuth2Session.CurrentSession, session)
  }).pipe(Effect.provide(layer(options)))

const aToken: Token.Token = { accessToken: Redacted.make(canary), tokenType: "Bearer", issuedAt: 0 }

/** A program with a session over a transport of the test's. */
const over = <A, E>(
  transport: Layer.Layer<HttpClient.HttpClient>,
  program: Effect.Effect<
    A,
    E,
    OAuth2HttpClient.OAuth2HttpClient | OAuth2Client.OAuth2Client | OAuth2Session.CurrentSession
  >,
  { client = {}, http = { origins: ["https://api.test"] }, token = aToken }: {
    readonly client?: Partial<OAuth2Client.Options>
    readonly http?: OAuth2HttpClient.Options
    readonly token?: Token.Token
  } = {}
) =>
  Effect.gen(function*() {
    const session = yield* Effect.flatMap(OAuth2Client.OAuth2Client, (client) => client.restore(token))
    return yield* Effect.provideService(program, OAuth2Session.CurrentSession, session)
  }).pipe(Effect.provide(
    OAuth2Client.layerHttpClient(http).pipe(
      Layer.provideMerge(OAuth2Client.layer({ ...publicClient, ...client })),
      Layer.provide(Custody.layerMemory),
      Layer.provide(transport)
    )
  ))

interface Received {
  readonly origin: string
  readonly authorization: string | undefined
}

/** A transport that only writes down where the token went. */
const recording = (): { readonly received: Array<Received>; readonly layer: Layer.Layer<HttpClient.HttpClient> } => {
  const received: Array<Received> = []
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      received.push({ origin: url.origin, authorization: request.headers["authorization"] })
      return HttpClientResponse.fromWeb(request, new Response("{}"))
    })
  )
  return { received, layer: Layer.succeed(HttpClient.HttpClient, client) }
}

/** A server on loopback, by its origin. */
const listening = (listener: RequestListener) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<NodeServer>((resume) => {
        const server = createServer(listener).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  )

const get = (url: string) => Effect.flatMap(Http, (http) => http.get(url))

describe("OAuth2HttpClient", () => {
  describe("where a token goes", () => {
    it.effect("B356 S64 a request to a listed origin has the session's token in its header, and nowhere else", () =>
      signedIn(Effect.gen(function*() {
        const server = yield* Server
        const response = yield* get(`${url}?a=b`)
        assert.strictEqual(response.status, 200)
        const [exchange] = yield* server.exchanges("resource")
        assert.match((exchange && RequestLog.header(exchange, "authorization")) ?? "", /^Bearer \S+$/)
        assert.deepStrictEqual(exchange?.query.map(([name]) => name), ["a"])
      })))

    for (
      const trick of [
        "https://api.test@evil.test/",
        "https://api.test:443@evil.test/",
        "https://user@api.test/",
        "https://user:pw@api.test/",
        "https://:@api.test.evil.test/",
        "https://api.test./",
        "https://api.test.evil.test/",
        "https://evil.test/https://api.test/",
        "https://evil.test/?https://api.test/",
        "https://evil.test#https://api.test/",
        "https://api.test:8443/",
        "https://api.test:80/",
        "https://xn--pi-7lb.test/",
        "https://аpi.test/",
        "https://ａｐｉ.test./",
        "https://sub.api.test/",
        "https:///evil.test/api.test/",
        "https:\\\\evil.test\\api.test",
        "https:evil.test",
        "https://evil.test\\@api.test/",
        "https://evil.test\t/https://api.test",
        "https://127.0.0.1/",
        "wss://api.test/",
        "ftp://api.test/",
        "http://api.test/",
        "HTTP://API.TEST/",
        "http:\\\\api.test/",
        "//api.test/",
        "/things",
        "things",
        "",
        "api.test/things",
        "javascript:alert(1)",
        "data:text/plain,https://api.test/",
        "file:///api.test/",
        "blob:https://api.test/x",
        "com.example:/api.test"
      ]
    ) {
      it.effect(`S05 S68 B353 ${JSON.stringify(trick)} gets no token, and no request`, () =>
        Effect.gen(function*() {
          const { layer, received } = recording()
          const error = yield* over(layer, Effect.flip(get(trick)))
          assert.include(["OriginNotAllowed", "InsecureTransportError", "InputError"], error._tag)
          assert.deepStrictEqual(received, [])
          assert.notInclude(error.message, "user:pw")
          assert.deepStrictEqual(leaks(error, [canary]), [])
        }))
    }

    for (
      const same of [
        "https://api.test",
        "https://api.test/",
        "https://api.test?x=1",
        "https://api.test#x",
        "https://API.Test/things",
        "HTTPS://api.test/things",
        "https://api.test:443/things",
        "https:/api.test/things",
        "https:\\\\api.test\\things",
        "https://api.test\\@evil.test/",
        "https://api.test/@evil.test/",
        "https://api.test//evil.test/",
        "https://ａｐｉ.test/",
        "https://api.te\tst/"
      ]
    ) {
      it.effect(`S05 ${JSON.stringify(same)} is the listed origin, however it is written`, () =>
        Effect.gen(function*() {
          const { layer, received } = recording()
          yield* over(layer, get(same))
          assert.deepStrictEqual(received, [{ origin: "https://api.test", authorization: `Bearer ${canary}` }])
        }))
    }

    it.effect("S05 R31 whatever the URL, a token goes to a listed origin and to no other", () =>
      Effect.gen(function*() {
        const { layer, received } = recording()
        const piece = FastCheck.oneof(
          FastCheck.constantFrom(
            "https://",
            "http://",
            "https:",
            "//",
            "\\\\",
            "/",
            "\\",
            "@",
            ":",
            "api.test",
            "API.TEST",
            "evil.test",
            ".",
            ":443",
            ":8443",
            "?",
            "#",
            "\t",
            "\n",
            " ",
            "%2f",
            "%40",
            "[::1]",
            "\u0000",
            "。",
            "user:pw"
          ),
          hostileText
        )
        const text = FastCheck.tuple(
          FastCheck.constantFrom("https://", "https://api.test", "", "https:/", "https:\\\\"),
          FastCheck.array(piece, { maxLength: 5 })
        ).map(([start, pieces]) => start + pieces.join(""))
        yield* over(
          layer,
          Effect.forEach(FastCheck.sample(text, runs(3_000)), (url) => Effect.exit(get(url)), { discard: true })
        )
        assert.isAbove(received.length, 100)
        for (const { authorization, origin } of received) {
          assert.deepStrictEqual([origin, authorization], ["https://api.test", `Bearer ${canary}`])
        }
      }))

    it.effect("S05 the URL that is judged is the one that is sent, whatever was put before it", () =>
      Effect.gen(function*() {
        const { layer, received } = recording()
        const error = yield* over(
          layer,
          Effect.gen(function*() {
            const http = yield* Http
            yield* HttpClient.mapRequest(http, HttpClientRequest.prependUrl("https://api.test")).get("/things")
            const elsewhere = HttpClient.mapRequest(http, HttpClientRequest.prependUrl("https://evil.test"))
            return yield* Effect.flip(elsewhere.get("/things"))
          })
        )
        assert.strictEqual(error._tag, "OriginNotAllowed")
        assert.deepStrictEqual(received.map(({ origin }) => origin), ["https://api.test"])
      }))

    it.effect("S05 every listed origin has the token, and the resource's where none is listed", () =>
      Effect.gen(function*() {
        const { layer, received } = recording()
        yield* over(layer, Effect.zipRight(get("https://a.test/"), get("https://b.test:8443/x")), {
          http: { origins: ["https://a.test", "https://B.test:8443/"] }
        })
        yield* over(layer, get("https://c.test/other"), { http: {}, client: { resource: "https://c.test/v1" } })
        assert.deepStrictEqual(received.map(({ origin }) => origin), [
          "https://a.test",
          "https://b.test:8443",
          "https://c.test"
        ])
      }))

    it.effect("S01 B003 a resource on this machine is reached by http where the client says so", () =>
      Effect.gen(function*() {
        const { layer, received } = recording()
        const options = { client: { allowInsecureLoopback: true }, http: { origins: ["http://localhost:3000"] } }
        yield* over(layer, get("http://localhost:3000/x"), options)
        const error = yield* over(layer, Effect.flip(get("http://localhost:3001/x")), options)
        assert.strictEqual(error._tag, "OriginNotAllowed")
        assert.strictEqual(received.length, 1)
      }))

    describe("an origin out of the token", () => {
      const http: OAuth2HttpClient.Options = {
        originFromToken: { member: "instance_url", matches: /^https:\/\/[a-z0-9]+\.instances\.test$/ }
      }
      const withMember = (value: unknown): Token.Token => ({
        ...aToken,
        extra: Redacted.make(new Map([["instance_url", value]]))
      })

      it.effect("S05 gets the token when the program's pattern knows it, with or without listed ones", () =>
        Effect.gen(function*() {
          const { layer, received } = recording()
          const token = withMember("https://eu1.instances.test/path")
          yield* over(layer, get("https://eu1.instances.test/x"), { http, token })
          const both = { ...http, origins: ["https://api.test"] }
          yield* over(layer, Effect.zipRight(get(url), get("https://eu1.instances.test/x")), { http: both, token })
          assert.deepStrictEqual(received.map(({ origin }) => origin), [
            "https://eu1.instances.test",
            "https://api.test",
            "https://eu1.instances.test"
          ])
        }))

      it.effect("S05 S68 gets none when it does not, when it is another, or when the URL is no good", () =>
        Effect.gen(function*() {
          const { layer, received } = recording()
          for (
            const [member, url, expected] of [
              ["https://evil.test", "https://evil.test/", "OriginNotAllowed"],
              ["https://eu1.instances.test", "https://eu2.instances.test/", "OriginNotAllowed"],
              ["https://eu1.instances.test", "https://user@eu1.instances.test/", "OriginNotAllowed"],
              ["https://eu1.instances.test.evil.test", "https://eu1.instances.test.evil.test/", "OriginNotAllowed"],
              ["http://eu1.instances.test", "http://eu1.instances.test/", "InsecureTransportError"],
              ["https://eu1.instances.test", "/relative", "InputError"],
              ["https://eu1.instances.test", "", "InputError"],
              ["not a url", "https://eu1.instances.test/", "OriginNotAllowed"],
              [{ toString: 1 }, "https://eu1.instances.test/", "OriginNotAllowed"],
              [undefined, "https://eu1.instances.test/", "OriginNotAllowed"]
            ] as const
          ) {
            const exit = yield* over(layer, Effect.exit(get(url)), { http, token: withMember(member) })
            const error = Exit.isFailure(exit) && exit.cause._tag === "Fail" ? exit.cause.error._tag : exit
            assert.strictEqual(error, expected, url)
          }
          assert.deepStrictEqual(received, [])
        }))
    })
  })

  describe("requests without a token", () => {
    it.effect("B355 withoutToken sends a request as it is, to any origin, also with a header of its own", () =>
      Effect.gen(function*() {
        const { layer, received } = recording()
        yield* over(
          layer,
          Effect.gen(function*() {
            const http = yield* Http
            yield* http.get("https://anywhere.test/x")
            yield* http.get("http://anywhere.test/x")
            yield* http.execute(HttpClientRequest.basicAuth(HttpClientRequest.get(url), "u", "p"))
          }).pipe(OAuth2HttpClient.withoutToken)
        )
        assert.deepStrictEqual(received.map(({ authorization, origin }) => [origin, authorization]), [
          ["https://anywhere.test", undefined],
          ["http://anywhere.test", undefined],
          ["https://api.test", `Basic ${btoa("u:p")}`]
        ])
      }))

    it.effect("S65 B250 B357 a header of the request's own is a conflict, and neither is sent", () =>
      Effect.gen(function*() {
        const { layer, received } = recording()
        for (const name of ["authorization", "Authorization"]) {
          const request = HttpClientRequest.setHeader(HttpClientRequest.get(url), name, "Basic x")
          const error = yield* over(layer, Effect.flip(Effect.flatMap(Http, (http) => http.execute(request))))
          assert.deepInclude(error, { _tag: "InputError", field: "authorization" })
        }
        assert.deepStrictEqual(received, [])
      }))

    it.effect("B354 B255 B256 B257 a session that holds nothing sends nothing", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const error = yield* get(url).pipe(Effect.flip, Effect.provide(OAuth2Client.layerSession("nobody")))
        assert.deepInclude(error, { _tag: "ReauthorizationRequired", reason: "NoSession" })
        assert.strictEqual((yield* server.exchanges()).length, 0)
      }).pipe(Effect.provide(layer())))
  })

  describe("after a 401", () => {
    it.effect("S66 B362 B372 the session is renewed once and the request sent once more, with the new token alone", () =>
      signedIn(Effect.gen(function*() {
        const server = yield* Server
        yield* server.expireAccessTokens
        const http = yield* Http
        const response = yield* http.execute(
          HttpClientRequest.post(url).pipe(
            HttpClientRequest.bodyText("body"),
            HttpClientRequest.setHeader("x-own", "1")
          )
        )
        assert.strictEqual(response.status, 200)
        assert.deepInclude(yield* response.json, { method: "POST", tokenNumber: 2 })
        const exchanges = yield* server.exchanges("resource")
        assert.deepStrictEqual(exchanges.map(({ status }) => status), [401, 200])
        assert.deepStrictEqual(exchanges.map(({ bodyLength }) => bodyLength), [4, 4])
        assert.strictEqual(new Set(exchanges.map((exchange) => RequestLog.header(exchange, "authorization"))).size, 2)
        assert.deepStrictEqual(exchanges.map((exchange) => RequestLog.header(exchange, "x-own")), ["1", "1"])
        assert.strictEqual(yield* server.tokenRequests(), 1)
      })))

    it.effect("S66 a resource that refuses every token costs two requests, and the answer is its own", () =>
      signedIn(
        Effect.gen(function*() {
          const server = yield* Server
          const response = yield* get(url)
          assert.strictEqual(response.status, 401)
          assert.include(response.headers["www-authenticate"], "invalid_token")
          assert.strictEqual((yield* server.counts).requests.resource, 2)
          assert.strictEqual(yield* server.tokenRequests(), 1)
          for (let call = 0; call < 10; call++) assert.strictEqual((yield* get(url)).status, 401)
          assert.strictEqual(yield* server.tokenRequests(), 1)
        }),
        { server: { rejectTokens: true } }
      ))

    it.effect("S66 a 403 is the caller's, whatever it says", () =>
      signedIn(
        Effect.gen(function*() {
          const server = yield* Server
          assert.strictEqual((yield* get(url)).status, 403)
          yield* server.inject(
            "resource",
            Fault.status(403, { headers: { "www-authenticate": "Bearer error=invalid_token" } })
          )
          assert.strictEqual((yield* get(url)).status, 403)
          assert.strictEqual((yield* server.counts).requests.resource, 2)
          assert.strictEqual(yield* server.tokenRequests(), 0)
        }),
        { server: { requiredScope: ["b"] } }
      ))

    for (
      const [challenge, refreshes] of [
        ["Bearer error=\"invalid_token\"", true],
        ["Bearer", true],
        ["Basic realm=x", true],
        [undefined, true],
        ["Basic realm=\"a, Bearer error=insufficient_scope\", Bearer error=\"invalid_token\"", true],
        ["Bearer error=\"insufficient_scope\"", false],
        ["Bearer error=\"invalid_request\"", false]
      ] as const
    ) {
      it.effect(`S66 S67 a challenge ${String(challenge)} ${refreshes ? "is worth a renewal" : "is not mended by one"}`, () =>
        signedIn(Effect.gen(function*() {
          const server = yield* Server
          const headers = challenge === undefined ? {} : { "www-authenticate": challenge }
          yield* server.inject("resource", Fault.status(401, { headers }))
          assert.strictEqual((yield* get(url)).status, refreshes ? 200 : 401)
          assert.strictEqual(yield* server.tokenRequests(), refreshes ? 1 : 0)
        })))
    }

    it.effect("S66 a body that can be sent again is, and one that cannot leaves the 401 to the caller", () =>
      signedIn(Effect.gen(function*() {
        const server = yield* Server
        const http = yield* Http
        const form = new FormData()
        form.set("a", "b")
        const bytes = new TextEncoder().encode("body")
        for (
          const [body, replays] of [
            [HttpBody.empty, true],
            [HttpBody.text("body"), true],
            [HttpBody.unsafeJson({ a: 1 }), true],
            [HttpBody.uint8Array(bytes), true],
            [HttpBody.formData(form), true],
            [HttpBody.raw("body"), true],
            [HttpBody.raw(new URLSearchParams("a=b")), true],
            [HttpBody.raw(new Blob(["body"])), true],
            [HttpBody.raw(bytes.buffer), true],
            [HttpBody.raw(bytes), true],
            [HttpBody.stream(Stream.succeed(bytes)), false],
            [HttpBody.raw(new Response("body").body), false]
          ] as const
        ) {
          yield* TestClock.adjust("2 minutes")
          yield* server.clearLog
          yield* server.expireAccessTokens
          const response = yield* http.execute(HttpClientRequest.setBody(HttpClientRequest.post(url), body))
          assert.strictEqual(response.status, replays ? 200 : 401, body._tag)
          const lengths = (yield* server.exchanges("resource")).map(({ bodyLength }) => bodyLength)
          assert.strictEqual(lengths.length, replays ? 2 : 1)
          if (replays && body._tag !== "FormData") assert.strictEqual(lengths[0], lengths[1])
        }
      })))

    it.effect("S66 R26 a token that is already newer is presented, without another renewal", () =>
      signedIn(Effect.gen(function*() {
        const server = yield* Server
        const session = yield* OAuth2Session.CurrentSession
        yield* server.inject("resource", Fault.delay("1 second"))
        yield* server.expireAccessTokens
        const fiber = yield* Effect.fork(get(url))
        yield* TestClock.adjust("500 millis")
        yield* session.refresh
        yield* TestClock.adjust("500 millis")
        assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
        assert.strictEqual(yield* server.tokenRequests(), 1)
      })))

    it.effect("B370 a renewal that fails fails the request, and the session is kept", () =>
      signedIn(Effect.gen(function*() {
        const server = yield* Server
        yield* server.inject("token", Fault.status(503, { retryAfter: "1" }), { times: 1 })
        yield* server.expireAccessTokens
        assert.deepInclude(yield* Effect.flip(get(url)), { _tag: "RefreshFailed", reason: "Attempt", remedy: "retry" })
        assert.strictEqual((yield* server.counts).requests.resource, 1)
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual((yield* get(url)).status, 200)
      })))

    it.effect("S07 a 401 whose body does not end is not waited for", () =>
      signedIn(Effect.gen(function*() {
        const server = yield* Server
        yield* server.inject("resource", Fault.and(Fault.slowBody("1 minute"), Fault.status(401, { body: "slow" })))
        const fiber = yield* Effect.fork(get(url))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      })))

    it.effect("S06 a 401 with an endless body is not read to its end", () =>
      signedIn(Effect.gen(function*() {
        const server = yield* Server
        yield* server.inject("resource", Fault.endlessBody)
        yield* server.expireAccessTokens
        assert.strictEqual((yield* get(url)).status, 200)
      })))
  })

  describe("what comes back", () => {
    it.effect("S74 B147 response and errors belong to the caller's own request, which is as it was", () =>
      signedIn(Effect.gen(function*() {
        const server = yield* Server
        const http = yield* Http
        const request = HttpClientRequest.setHeader(HttpClientRequest.get(url), "x-own", "1")
        const response = yield* http.execute(request)
        assert.strictEqual(response.request, request)
        assert.deepStrictEqual(Object.keys(request.headers), ["x-own"])
        yield* server.inject("resource", Fault.reset)
        const failed = yield* Effect.flip(http.execute(request))
        assert.isTrue(failed instanceof RequestError && failed.request === request && failed.reason === "Transport")
        const status = yield* Effect.flip(HttpClient.filterStatus(http, (status) => status === 201).execute(request))
        assert.isTrue(
          status instanceof ResponseError && status.request === request && status.response.request === request
        )
      })))

    it.effect("S74 S76 a body that cannot be decoded fails with the caller's own request, the token nowhere in it", () =>
      Effect.gen(function*() {
        for (
          const transport of [
            fakeFetch(() => new Response("no json")).layer,
            FetchTransport.layer().pipe(
              Layer.provide(Layer.succeed(FetchHttpClient.Fetch, () => Promise.resolve(new Response("no json"))))
            )
          ]
        ) {
          yield* over(
            transport,
            Effect.gen(function*() {
              const http = yield* Http
              const request = HttpClientRequest.get(url)
              for (
                const read of [
                  (response: HttpClientResponse.HttpClientResponse) => response.json,
                  (response: HttpClientResponse.HttpClientResponse) => response.formData,
                  (response: HttpClientResponse.HttpClientResponse) => Effect.zipRight(response.text, response.json)
                ]
              ) {
                const response = yield* http.execute(request)
                const error = yield* Effect.flip(read(response))
                assert.strictEqual(error._tag, "ResponseError")
                assert.strictEqual(error.request, request)
                assert.strictEqual(error.response.request, request)
                assert.deepStrictEqual(leaks(error, [canary]), [])
                assert.deepStrictEqual(leaks(response, [canary]), [])
              }
            })
          )
        }
      }))

    it.effect("S74 a body that breaks off fails with the caller's own request, the token nowhere in it", () =>
      signedIn(Effect.gen(function*() {
        const server = yield* Server
        const http = yield* Http
        const request = HttpClientRequest.get(url)
        const secret = Redacted.value((yield* (yield* OAuth2Session.CurrentSession).token).accessToken)
        for (
          const read of [
            (response: HttpClientResponse.HttpClientResponse) => response.text,
            (response: HttpClientResponse.HttpClientResponse) => response.json,
            (response: HttpClientResponse.HttpClientResponse) => response.arrayBuffer,
            (response: HttpClientResponse.HttpClientResponse) => response.urlParamsBody,
            (response: HttpClientResponse.HttpClientResponse) => Stream.runDrain(response.stream)
          ]
        ) {
          yield* server.inject("resource", Fault.brokenBody(5))
          const response = yield* http.execute(request)
          const error = yield* Effect.flip(read(response))
          assert.strictEqual(error.request, request)
          assert.deepStrictEqual(leaks(error, [secret]), [])
        }
      })))

    it.effect("B361 every member of a response is what the transport gave", () =>
      Effect.gen(function*() {
        const answer = () =>
          new Response("a=b", {
            status: 203,
            headers: { "set-cookie": "c=d", "content-type": "application/x-www-form-urlencoded", "x-own": "1" }
          })
        yield* over(
          fakeFetch(answer).layer,
          Effect.gen(function*() {
            const response = yield* get(url)
            assert.strictEqual(response.status, 203)
            assert.strictEqual(response.headers["x-own"], "1")
            assert.strictEqual(response.cookies.cookies["c"]?.value, "d")
            assert.strictEqual(response.remoteAddress._tag, "None")
            assert.strictEqual(yield* response.text, "a=b")
            assert.deepStrictEqual(yield* (yield* get(url)).urlParamsBody, [["a", "b"]])
            assert.strictEqual((yield* (yield* get(url)).formData).get("a"), "b")
            assert.strictEqual((yield* (yield* get(url)).arrayBuffer).byteLength, 3)
            assert.strictEqual(
              yield* Stream.runFold((yield* get(url)).stream, 0, (size, chunk) => size + chunk.length),
              3
            )
            assert.include(JSON.stringify(response), "\"status\":203")
          })
        )
      }))

    it.effect("S03 S04 R33 a redirect is the caller's to judge, and nobody else gets the token or the body", () =>
      Effect.gen(function*() {
        for (const status of [301, 302, 303, 307, 308]) {
          for (const location of ["https://sink.test/", "https://api.test/other", "http://api.test/", "//sink.test"]) {
            const asked: Array<string> = []
            const fetch = (input: RequestInfo | URL, init: RequestInit = {}) => {
              asked.push(`${init.redirect} ${new Request(input, { method: "GET" }).url}`)
              return Promise.resolve(redirect(status, location))
            }
            const transport = FetchTransport.layer().pipe(Layer.provide(Layer.succeed(FetchHttpClient.Fetch, fetch)))
            const response = yield* over(
              transport,
              Effect.flatMap(Http, (http) => http.post(url, { body: HttpBody.text("x") }))
            )
            assert.strictEqual(response.status, status)
            assert.deepStrictEqual(asked, [`manual ${url}`])
          }
        }
      }))

    it.scopedLive("S04 the platform's own fetch, which follows redirects, takes the token to no other origin", () =>
      Effect.gen(function*() {
        const arrived: Array<string | undefined> = []
        const sink = yield* listening((request, response) => {
          arrived.push(request.headers.authorization)
          response.end("{}")
        })
        const api = yield* listening((_, response) => response.writeHead(307, { location: `${sink}/x` }).end())
        const response = yield* over(FetchHttpClient.layer, get(`${api}/x`), {
          client: { allowInsecureLoopback: true },
          http: { origins: [api] }
        })
        assert.strictEqual(response.status, 200)
        assert.deepStrictEqual(arrived, [undefined])
      }))

    it.effect("S03 B007 what a page sees of a redirect is refused, with what to do about it", () =>
      Effect.gen(function*() {
        const opaque = Object.defineProperty(new Response(null), "status", { value: 0 })
        const error = yield* over(fakeFetch(() => opaque).layer, Effect.flip(get(url)))
        assert.deepInclude(error, { _tag: "RedirectRefused", origin: "https://api.test" })
        assert.include(error.message, "Call the final URL")
      }))
  })

  describe("as another client", () => {
    it.effect("S74 the plain client fails by RequestErrors that nobody retries, and that say what happened", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const http = yield* HttpClient.HttpClient
        let attempts = 0
        const retrying = http.pipe(
          HttpClient.mapRequest((request) => {
            attempts++
            return request
          }),
          HttpClient.retryTransient({ times: 3, schedule: Schedule.spaced("1 millis") })
        )
        const error = yield* Effect.flip(retrying.get(url))
        assert.isTrue(error instanceof RequestError && error.reason === "Encode")
        assert.include(error.message, "ReauthorizationRequired. Authorize again")
        assert.strictEqual(attempts, 1)
        assert.strictEqual((yield* server.exchanges()).length, 0)
      }).pipe(
        Effect.provide(OAuth2Client.layerPlainHttpClient.pipe(
          Layer.provideMerge(OAuth2Client.layerSession("nobody")),
          Layer.provideMerge(layer())
        ))
      ))

    it.effect("B258 the plain client and the one of a session send that session's token", () =>
      Effect.gen(function*() {
        const server = yield* Server
        const client = yield* OAuth2Client.OAuth2Client
        const mine = yield* client.restore(yield* server.issue({ subject: "mine" }), { sessionKey: "mine" })
        yield* client.restore(yield* server.issue({ subject: "default" }))
        const bound = yield* OAuth2Client.httpClientFor(mine)
        assert.deepInclude(yield* Effect.flatMap(bound.get(url), (response) => response.json), { subject: "mine" })
        const plain = yield* HttpClient.HttpClient.pipe(
          Effect.provide(OAuth2Client.layerPlainHttpClient),
          Effect.provide(OAuth2Client.layerSession())
        )
        assert.deepInclude(yield* Effect.flatMap(plain.get(url), (response) => response.json), { subject: "default" })
      }).pipe(Effect.provide(layer())))
  })

  it.effect("R34 S44 S45 a token that was obtained elsewhere is held only if a header can carry it, and it is Bearer", () =>
    Effect.gen(function*() {
      const { layer: transport, received } = recording()
      for (const text of ["", `${canary}\r\nx: y`, `${canary} `, `é${canary}`, `${canary}\u0000`]) {
        const token = { ...aToken, accessToken: Redacted.make(text) }
        const exit = yield* Effect.exit(over(transport, get(url), { token }))
        assert.isTrue(
          Exit.isFailure(exit) && exit.cause._tag === "Fail" && exit.cause.error._tag === "InputError",
          text
        )
        assert.deepStrictEqual(leaks(exit, [canary]), [])
      }
      for (const tokenType of ["mac", "DPoP", ""]) {
        const error = yield* Effect.flip(over(transport, get(url), { token: { ...aToken, tokenType } }))
        assert.strictEqual(error._tag, "UnsupportedTokenType")
      }
      assert.deepStrictEqual(received, [])
    }))

  it.effect("S31 R22 a request is sent once when the transport fails, and never again by itself", () =>
    signedIn(Effect.gen(function*() {
      const server = yield* Server
      for (
        const fault of [Fault.reset, Fault.connectionRefused, Fault.status(503), Fault.respond(ServerReply.empty(500))]
      ) {
        yield* server.clearLog
        yield* server.inject("resource", fault)
        const exit = yield* Effect.exit(get(url))
        assert.strictEqual(Exit.isFailure(exit), fault === Fault.reset || fault === Fault.connectionRefused)
        assert.strictEqual((yield* server.counts).requests.resource, 1)
      }
    })))

  it("S64 no function of these rooms puts a token anywhere but into a header", () => {
    const request = TokenPlacement.withBearer(HttpClientRequest.get(`${url}?a=b`), aToken)
    assert.strictEqual(request.url, `${url}?a=b`)
    assert.deepStrictEqual([...request.urlParams], [])
    assert.strictEqual(request.body._tag, "Empty")
  })
})
