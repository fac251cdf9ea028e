import { ClientAuthentication, Grant, type OAuth2Client } from "@effect-oauth2/core"
import { NodeTransport } from "@effect-oauth2/platform-node"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import type { ServerResponse } from "node:http"
import { inspect } from "node:util"
import { gzipSync } from "node:zlib"
import { makeAuthority } from "../../../support/certificates.js"
import * as Servers from "./support/servers.js"
import { withSpans } from "./support/spans.js"
import { accessToken, requestToken, sendToken, withClient } from "./support/tokens.js"

const at = ({ port }: Servers.Running, path = "/token", scheme = "http") => `${scheme}://127.0.0.1:${port}${path}`

const isClosed = (running: Servers.Running) =>
  Effect.repeat(Effect.sleep(5), { until: () => running.open() === 0 }).pipe(Effect.timeout("5 seconds"))

describe("redirects", () => {
  it.scopedLive("S03 R33 token and revocation requests follow none of them: the sink gets 0 requests", () =>
    Effect.gen(function*() {
      const authority = yield* Effect.promise(() => makeAuthority("Test CA"))
      const tls = yield* Effect.promise(() => authority.issue("server", ["127.0.0.1"]))
      let sunk = 0
      const sink = (_: unknown, response: ServerResponse) => {
        sunk++
        sendToken(response)
      }
      let redirect: readonly [status: number, location: string] = [302, "/"]
      let requests = 0
      const server = yield* Servers.https(tls, (request, response) => {
        if (request.url === "/sink") return sink(request, response)
        requests++
        response.writeHead(redirect[0], { location: redirect[1] }).end()
      })
      const locations = [
        at(server, "/sink", "https"),
        "/sink",
        at(yield* Servers.https(tls, sink), "/", "https"),
        at(yield* Servers.http(sink), "/"),
        at(yield* Servers.http(sink), "/").replace("127.0.0.1", "localhost"),
        `//127.0.0.1:${(yield* Servers.https(tls, sink)).port}/`,
        "file:///etc/passwd",
        "data:application/json,{}",
        "javascript:alert(1)"
      ]
      const endpoints = {
        tokenEndpoint: at(server, "/token", "https"),
        revocationEndpoint: at(server, "/revoke", "https")
      }
      yield* withClient(NodeTransport.layer({ ca: authority.ca }), endpoints, (client) =>
        Effect.gen(function*() {
          for (const status of [300, 301, 302, 303, 304, 307, 308]) {
            for (const location of locations) {
              redirect = [status, location]
              const errors = [
                yield* Effect.flip(client.requestToken(Grant.refreshToken({ refreshToken: Redacted.make("refresh") }))),
                yield* Effect.flip(client.revoke(Redacted.make("refresh")))
              ]
              for (const error of errors) {
                assert.deepInclude(error, { _tag: "InvalidResponse", reason: "Redirect", status })
              }
            }
          }
        }))
      assert.strictEqual(sunk, 0)
      assert.strictEqual(requests, 7 * locations.length * 2)
    }))
})

describe("time limits", () => {
  const deadline = { requestDeadline: "30 seconds" } as const

  const timedFailure = (
    options: NodeTransport.Options,
    endpoint: string,
    client: Partial<OAuth2Client.Options> = deadline
  ) =>
    Effect.map(
      Effect.timed(Effect.flip(requestToken(NodeTransport.layer(options), endpoint, client))),
      ([taken, error]) => ({ millis: Duration.toMillis(taken), error })
    )

  it.scopedLive("S07 a connection that does not come about: nothing was sent", () =>
    Effect.gen(function*() {
      const silent = yield* Servers.sockets((socket) => socket.resume())
      const { error, millis } = yield* timedFailure({ connectTimeout: "200 millis" }, at(silent, "/", "https"))
      assert.deepInclude(error, { _tag: "TransportError", reason: "Unreachable", code: "UND_ERR_CONNECT_TIMEOUT" })
      assert.isBelow(millis, 2_000)
      yield* isClosed(silent)
    }))

  it.scopedLive("S07 headers that do not come: nobody knows what the server did", () =>
    Effect.gen(function*() {
      const silent = yield* Servers.http(() => {})
      const { error, millis } = yield* timedFailure({ headersTimeout: "200 millis" }, at(silent))
      assert.deepInclude(error, { reason: "ConnectionLost", code: "UND_ERR_HEADERS_TIMEOUT", ambiguous: true })
      assert.isBelow(millis, 2_000)
      yield* isClosed(silent)
    }))

  it.scopedLive("S07 a body that stops", () =>
    Effect.gen(function*() {
      const server = yield* Servers.http((_, response) => response.writeHead(200, json).write("{"))
      const { error, millis } = yield* timedFailure({ bodyTimeout: "200 millis" }, at(server))
      assert.deepInclude(error, { reason: "ConnectionLost", code: "UND_ERR_BODY_TIMEOUT" })
      assert.isBelow(millis, 2_000)
      yield* isClosed(server)
    }))

  it.scopedLive("S07 a byte now and then does not outlast the total deadline, by 250 ms", () =>
    Effect.gen(function*() {
      const server = yield* Servers.http((_, response) => {
        response.writeHead(200, json)
        const drip = setInterval(() => response.write(" "), 100)
        response.on("close", () => clearInterval(drip))
      })
      const times: Array<number> = []
      for (let attempt = 0; attempt < 3; attempt++) {
        const { error, millis } = yield* timedFailure({}, at(server), { requestDeadline: "1 second" })
        assert.deepInclude(error, { _tag: "TransportError", reason: "Timeout" })
        assert.isAtLeast(millis, 950)
        times.push(millis)
        yield* isClosed(server)
      }
      // What else the machine does can only add to it
      assert.isAtMost(Math.min(...times), 1_250)
    }))

  it.scopedLive("S07 by default a connection may take 5 seconds, and headers 10", () =>
    Effect.gen(function*() {
      const noTls = at(yield* Servers.sockets((socket) => socket.resume()), "/", "https")
      const noHeaders = at(yield* Servers.http(() => {}))
      const [connect, headers] = yield* Effect.all([timedFailure({}, noTls), timedFailure({}, noHeaders)], {
        concurrency: "unbounded"
      })
      assert.deepInclude(connect.error, { code: "UND_ERR_CONNECT_TIMEOUT" })
      assert.approximately(connect.millis, 5_500, 1_000)
      assert.deepInclude(headers.error, { code: "UND_ERR_HEADERS_TIMEOUT" })
      assert.approximately(headers.millis, 10_500, 1_000)
    }))

  it.scopedLive("interrupting a request closes its connection", () =>
    Effect.gen(function*() {
      const silent = yield* Servers.http(() => {})
      const request = yield* Effect.fork(requestToken(NodeTransport.layer(), at(silent), deadline))
      yield* Effect.repeat(Effect.sleep(5), { until: () => silent.open() === 1 })
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(request)))
      yield* isClosed(silent)
    }))

  it.effect("times and sizes that cannot be meant fail the layer, by the field's name", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<NodeTransport.Options> = [
        { connectTimeout: -1 },
        { connectTimeout: 0 },
        { connectTimeout: Duration.infinity },
        { headersTimeout: "0 seconds" },
        { headersTimeout: NaN },
        { bodyTimeout: -1 },
        { keepAliveTimeout: 0 },
        { maxResponseSize: 0 },
        { maxResponseSize: -1 },
        { maxResponseSize: 1.5 },
        { maxResponseSize: Infinity }
      ]
      for (const options of cases) {
        const error = yield* Effect.flip(Effect.scoped(NodeTransport.make(options)))
        assert.deepStrictEqual([error._tag, error.field], ["ConfigurationError", Object.keys(options)[0]])
      }
    }))
})

describe("sizes", () => {
  const endless = (response: ServerResponse, headers: Record<string, string>) => {
    const piece = Buffer.alloc(65_536, " ")
    const more = () => {
      while (!response.destroyed && response.write(piece));
    }
    response.writeHead(200, headers).on("drain", more)
    more()
  }

  it.scopedLive("S06 an endless reply of the server ends at 256 KiB, with less than 16 MiB more memory", () =>
    Effect.gen(function*() {
      const server = yield* Servers.http((_, response) => endless(response, json))
      const before = process.memoryUsage.rss()
      const error = yield* Effect.flip(requestToken(NodeTransport.layer(), at(server)))
      const growth = process.memoryUsage.rss() - before
      assert.deepInclude(error, { _tag: "InvalidResponse", reason: "TooLarge" })
      assert.isBelow(growth, 16 * 1024 * 1024)
      yield* isClosed(server)
    }))

  it.scopedLive("S06 maxResponseSize holds for every reply", () =>
    Effect.gen(function*() {
      const server = yield* Servers.http((_, response) => endless(response, { "content-type": "text/plain" }))
      const client = yield* NodeTransport.make({ maxResponseSize: 1_000_000 })
      const error = yield* Effect.flip(Effect.flatMap(client.get(at(server)), (response) => response.text))
      assert.include(inspect(error), "UND_ERR_RES_EXCEEDED_MAX_SIZE")
      yield* isClosed(server)
    }))

  it.scopedLive("S08 compression is not asked for", () =>
    Effect.gen(function*() {
      const asked: Array<unknown> = []
      const server = yield* Servers.http((request, response) => {
        asked.push(request.headers["accept-encoding"])
        sendToken(response)
      })
      assert.strictEqual(
        Redacted.value((yield* requestToken(NodeTransport.layer(), at(server))).accessToken),
        accessToken
      )
      const client = yield* NodeTransport.make()
      yield* client.get(at(server))
      assert.deepStrictEqual(asked, ["identity", "identity"])
    }))

  it.scopedLive("S08 a reply that is compressed all the same is refused before its body is read, 1 GiB of it included", () =>
    Effect.gen(function*() {
      const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
      let encoding = "gzip"
      const server = yield* Servers.http((_, response) => {
        response.writeHead(200, { ...json, "content-encoding": encoding })
        for (let i = 0; i < 16; i++) response.write(bomb)
        response.end()
      })
      const before = process.memoryUsage.rss()
      for (encoding of ["gzip", "br", "deflate", "zstd", "gzip, gzip", "GZIP"]) {
        const error = yield* Effect.flip(requestToken(NodeTransport.layer(), at(server)))
        assert.deepInclude(error, { _tag: "TransportError", reason: "ConnectionLost", code: "COMPRESSED_REPLY" })
      }
      assert.isBelow(process.memoryUsage.rss() - before, 16 * 1024 * 1024)
      yield* isClosed(server)
    }))

  it.scopedLive("S08 identity is no compression, and who asks for gzip gets what was asked for", () =>
    Effect.gen(function*() {
      const zipped = gzipSync("{}")
      const server = yield* Servers.http((request, response) => {
        if (request.headers["accept-encoding"] === "gzip") {
          response.writeHead(200, { ...json, "content-encoding": "gzip" }).end(zipped)
        } else response.writeHead(200, { ...json, "content-encoding": "identity" }).end("{}")
      })
      const client = yield* NodeTransport.make()
      assert.deepStrictEqual(yield* Effect.flatMap(client.get(at(server)), (response) => response.json), {})
      const raw = yield* client.execute(
        HttpClientRequest.get(at(server)).pipe(HttpClientRequest.setHeader("accept-encoding", "gzip"))
      )
      assert.deepStrictEqual(Buffer.from(yield* raw.arrayBuffer), zipped)
    }))
})

describe("secrets", () => {
  it.scopedLive("S74 S75 no span, error, inspection or JSON of the transport holds one", () =>
    Effect.gen(function*() {
      const authority = yield* Effect.promise(() => makeAuthority("Test CA"))
      const identity = yield* Effect.promise(() => authority.issue("client-1"))
      const server = yield* Servers.http((_, response) => sendToken(response))
      const log: Array<Servers.ProxyLog> = []
      const proxy = yield* Servers.proxy(log)
      const options = {
        ca: authority.ca,
        clientCertificate: { cert: identity.cert, key: Redacted.make(identity.key) },
        proxy: {
          url: `http://127.0.0.1:${proxy.port}`,
          credentials: { username: "user", password: Redacted.make("proxy-canary") }
        }
      }
      const client = yield* NodeTransport.make(options)
      const layer = NodeTransport.layer(options)
      const [, spans] = yield* withSpans(Effect.gen(function*() {
        yield* requestToken(layer, at(server), {
          clientAuthentication: ClientAuthentication.clientSecretBasic(Redacted.make("secret-canary"))
        })
        yield* client.get(at(server, "/resource"), { headers: { authorization: "Bearer token-canary" } })
      }))
      const refused = yield* Servers.proxy(log, { refuse: "407 Proxy Authentication Required" })
      const failing = NodeTransport.layer({
        ...options,
        proxy: { ...options.proxy, url: `http://127.0.0.1:${refused.port}` }
      })
      const error = yield* Effect.flip(requestToken(failing, at(server)))
      const platformError = yield* Effect.flip(
        HttpClient.HttpClient.pipe(Effect.flatMap((client) => client.get(at(server))), Effect.provide(failing))
      )
      assert.isAbove(spans.length, 1)
      assert.lengthOf(log, 4)
      const key = identity.key.split("\n")[1]!
      const shown = [options, client, layer, error, platformError].flatMap((value) => [
        inspect(value, { depth: 20, showHidden: true }),
        JSON.stringify(value)
      ])
      const secrets = ["canary", Buffer.from("user:proxy-canary").toString("base64"), key]
      for (const text of [...spans, ...shown]) {
        for (const secret of secrets) assert.notInclude(text ?? "", secret)
      }
    }))
})

const json = { "content-type": "application/json" }
