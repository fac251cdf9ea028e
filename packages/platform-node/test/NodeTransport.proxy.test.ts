import { NodeTransport } from "@effect-oauth2/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { IncomingHttpHeaders } from "node:http"
import type { TLSSocket } from "node:tls"
import { makeAuthority } from "../../../support/certificates.js"
import { withEnvironment } from "./support/environment.js"
import * as Servers from "./support/servers.js"
import { accessToken, requestToken, sendToken } from "./support/tokens.js"

const authority = await makeAuthority("Test CA")
const tls = await authority.issue("server", ["127.0.0.1", "localhost"])
const { ca } = authority
const another = await makeAuthority("Another CA")

interface Seen {
  readonly headers: IncomingHttpHeaders
  readonly peer: string | undefined
}

/** A server that notes what it is sent, and by whom. */
const target = (seen: Array<Seen>) =>
  Servers.https({ ...tls, ca, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    seen.push({ headers: request.headers, peer: Servers.nameOf(request.socket as TLSSocket) })
    sendToken(response)
  })

const at = ({ port }: Servers.Running, scheme = "https") => `${scheme}://127.0.0.1:${port}`

const token = (options: NodeTransport.Options, endpoint: string) =>
  Effect.map(requestToken(NodeTransport.layer(options), endpoint), (token) => Redacted.value(token.accessToken))

const failure = (options: NodeTransport.Options, endpoint: string) =>
  Effect.map(
    Effect.flip(requestToken(NodeTransport.layer(options), endpoint, { requestDeadline: "30 seconds" })),
    (error) => error._tag === "TransportError" ? `${error.reason} ${error.code}` : error._tag
  )

describe("proxies", () => {
  it.scopedLive("a request goes through a tunnel, with the server's certificate checked and the client's shown", () =>
    Effect.gen(function*() {
      const seen: Array<Seen> = []
      const log: Array<Servers.ProxyLog> = []
      const server = yield* target(seen)
      const proxy = { url: at(yield* Servers.proxy(log), "http") }
      const identity = yield* Effect.promise(() => authority.issue("client-1"))
      const clientCertificate = { cert: identity.cert, key: Redacted.make(identity.key) }
      assert.strictEqual(yield* token({ ca, proxy, clientCertificate }, at(server)), accessToken)
      assert.deepStrictEqual(log, [{ target: `127.0.0.1:${server.port}`, authorization: undefined }])
      assert.strictEqual(seen[0]?.peer, "client-1")
      assert.match(yield* failure({ proxy }, at(server)), /^Unreachable SELF_SIGNED_CERT_IN_CHAIN/)
    }))

  it.scopedLive("http on loopback goes through a tunnel as well, so that the proxy sees no request", () =>
    Effect.gen(function*() {
      const log: Array<Servers.ProxyLog> = []
      const server = yield* Servers.http((_, response) => sendToken(response))
      const proxy = { url: at(yield* Servers.proxy(log), "http") }
      assert.strictEqual(yield* token({ proxy }, at(server, "http")), accessToken)
      assert.lengthOf(log, 1)
    }))

  it.scopedLive("a proxy over https has its certificate checked, and is not shown the client's", () =>
    Effect.gen(function*() {
      const seen: Array<Seen> = []
      const log: Array<Servers.ProxyLog> = []
      const server = yield* target(seen)
      const identity = yield* Effect.promise(() => authority.issue("client-1"))
      const clientCertificate = { cert: identity.cert, key: Redacted.make(identity.key) }
      const peers: Array<string | undefined> = []
      const proxy = {
        url: at(
          yield* Servers.proxy(log, {
            tls: { ...tls, ca, requestCert: true, rejectUnauthorized: false },
            onPeer: (name) => peers.push(name)
          })
        ).replace("127.0.0.1", "localhost")
      }
      assert.strictEqual(yield* token({ ca, proxy, clientCertificate }, at(server)), accessToken)
      assert.deepStrictEqual(peers, [undefined])
      assert.strictEqual(seen[0]?.peer, "client-1")
      assert.strictEqual(
        yield* failure({ ca: another.ca, proxy }, at(server)),
        "Unreachable UNABLE_TO_TUNNEL"
      )
      assert.lengthOf(log, 1)
    }))

  it.scopedLive("credentials and token go to the proxy, and to nobody else", () =>
    Effect.gen(function*() {
      const seen: Array<Seen> = []
      const log: Array<Servers.ProxyLog> = []
      const server = yield* target(seen)
      const url = new URL(at(yield* Servers.proxy(log), "http"))
      const credentials = { username: "user", password: Redacted.make("p:ä%") }
      yield* token({ ca, proxy: { url, credentials } }, at(server))
      yield* token({ ca, proxy: { url, token: Redacted.make("proxy-token") } }, at(server))
      assert.deepStrictEqual(log.map(({ authorization }) => authorization), [
        `Basic ${Buffer.from("user:p:ä%").toString("base64")}`,
        "Bearer proxy-token"
      ])
      assert.deepStrictEqual(seen.map(({ headers }) => headers["proxy-authorization"]), [undefined, undefined])
    }))

  it.scopedLive("B403 no environment variable names a proxy", () =>
    Effect.gen(function*() {
      const seen: Array<Seen> = []
      const log: Array<Servers.ProxyLog> = []
      const server = yield* target(seen)
      const url = at(yield* Servers.proxy(log), "http")
      yield* withEnvironment(Object.fromEntries(
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map((name) => [name, url])
      ))
      yield* withEnvironment({ NODE_USE_ENV_PROXY: "1", NO_PROXY: "", no_proxy: "" })
      yield* token({ ca }, at(server))
      assert.isEmpty(log)
      yield* withEnvironment({ NO_PROXY: "*", no_proxy: "*" })
      yield* token({ ca, proxy: { url } }, at(server))
      assert.lengthOf(log, 1)
    }))

  it.scopedLive("a proxy that refuses, is away or says nothing: nothing was sent, and that is known", () =>
    Effect.gen(function*() {
      const seen: Array<Seen> = []
      const endpoint = at(yield* target(seen))
      const gone = yield* Effect.scoped(Servers.http(() => {}))
      const proxies = [
        yield* Servers.proxy([], { refuse: "407 Proxy Authentication Required" }),
        yield* Servers.proxy([], { refuse: "502 Bad Gateway" }),
        yield* Servers.proxy([], { stall: true }),
        yield* Servers.sockets((socket) => socket.destroy()),
        gone
      ]
      for (const proxy of proxies) {
        const options = { ca, proxy: { url: at(proxy, "http") }, connectTimeout: "300 millis" } as const
        const [taken, error] = yield* Effect.timed(failure(options, endpoint))
        assert.strictEqual(error, "Unreachable UNABLE_TO_TUNNEL")
        assert.isBelow(Duration.toMillis(taken), 3_000)
      }
      assert.isEmpty(seen)
    }))

  it.effect("a proxy that cannot be meant fails the layer, by the field's name and without its secrets", () =>
    Effect.gen(function*() {
      const url = "http://proxy.example:3128"
      const password = Redacted.make("secret")
      const cases: ReadonlyArray<readonly [NodeTransport.Proxy, string]> = [
        [{ url: "proxy.example:3128" }, "proxy.url"],
        [{ url: "" }, "proxy.url"],
        [{ url: "socks5://proxy.example" }, "proxy.url"],
        [{ url: "http://" }, "proxy.url"],
        [{ url: "http://proxy.example:99999" }, "proxy.url"],
        [{ url: "http://user:secret@proxy.example" }, "proxy.url"],
        [{ url: "http://proxy.example:3128/path" }, "proxy.url"],
        [{ url: "http://proxy.example:3128/?secret" }, "proxy.url"],
        [{ url: new URL("http://user:secret@proxy.example") }, "proxy.url"],
        [{ url, credentials: { username: "a:b", password } }, "proxy.credentials.username"],
        [{ url, credentials: { username: "a", password }, token: Redacted.make("secret") }, "proxy.token"],
        [{ url, token: Redacted.make("secret\r\nx-evil: 1") }, "proxy.token"],
        [{ url, token: Redacted.make("") }, "proxy.token"]
      ]
      for (const [proxy, field] of cases) {
        const error = yield* Effect.flip(Effect.scoped(NodeTransport.make({ proxy })))
        assert.strictEqual(error.field, field)
        assert.notInclude(error.message, "secret")
      }
    }))
})
