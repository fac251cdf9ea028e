import { LoopbackRedirect } from "@effect-oauth2/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { createHash } from "node:crypto"
import { networkInterfaces } from "node:os"
import { runInNewContext } from "node:vm"
import * as Requests from "./support/requests.js"
import { withSpans } from "./support/spans.js"

const state = "s".repeat(43)
const query = `?code=the-code&state=${state}`

/** A listener that expects the callback, and the fiber that waits for it. */
const waiting = (options?: LoopbackRedirect.Options) =>
  Effect.gen(function*() {
    const { expect, redirectUri } = yield* LoopbackRedirect.listen(options)
    const callback = yield* Effect.fork(yield* expect(state))
    return { redirectUri, callback }
  })

const portOf = (url: string) => Number(new URL(url).port)

describe("the listener", () => {
  it.scopedLive("S80 is on the literal loopback address alone, on a port of its own that is free again afterwards", () =>
    Effect.gen(function*() {
      const ports = yield* Effect.scoped(Effect.gen(function*() {
        const first = yield* LoopbackRedirect.listen()
        const second = yield* LoopbackRedirect.listen()
        assert.match(first.redirectUri, /^http:\/\/127\.0\.0\.1:\d+\/callback$/)
        const elsewhere = [
          "127.0.0.2",
          "::1",
          ...Object.values(networkInterfaces()).flatMap((all) => all ?? [])
            .filter(({ address, internal, scopeid }) => !internal && !scopeid && address !== "127.0.0.1")
            .map(({ address }) => address)
        ]
        for (const address of elsewhere) {
          yield* Effect.flip(Requests.socket(portOf(first.redirectUri), address))
        }
        return [portOf(first.redirectUri), portOf(second.redirectUri)]
      }))
      assert.notStrictEqual(ports[0], ports[1])
      for (const port of ports) {
        assert.strictEqual(yield* Effect.flip(Requests.socket(port)), "ECONNREFUSED")
        assert.strictEqual(portOf((yield* LoopbackRedirect.listen({ port })).redirectUri), port)
      }
    }))

  it.scopedLive("S80 is on [::1] by option", () =>
    Effect.gen(function*() {
      const { callback, redirectUri } = yield* waiting({ host: "::1", path: "/" })
      assert.match(redirectUri, /^http:\/\/\[::1\]:\d+\/$/)
      assert.strictEqual((yield* Requests.send(redirectUri + query)).status, 200)
      assert.strictEqual((yield* Fiber.join(callback)).href, redirectUri + query)
    }))

  it.scopedLive("S81 lets in the GET of the exact path with the pending state under its own name, and nothing else", () =>
    Effect.gen(function*() {
      const { expect, redirectUri } = yield* LoopbackRedirect.listen()
      const port = String(portOf(redirectUri))
      const at = (path: string, request?: Requests.Request) => Requests.raw({ host: "127.0.0.1", port, path }, request)
      const callback = `/callback${query}`
      assert.strictEqual((yield* at(callback)).status, 404, "nothing is expected yet")
      const arrived = yield* Effect.fork(yield* expect(state))
      const bogus = [
        at("/favicon.ico"),
        at("/"),
        at("/callback"),
        at("/callback/"),
        at(`/callback/${query}`),
        at(`//callback${query}`),
        at(`/Callback${query}`),
        at(`/%63allback${query}`),
        at(`/x/../callback${query}`),
        at(`http://127.0.0.1:${port}${callback}`),
        at("/callback?code=the-code"),
        at("/callback?code=the-code&state="),
        at(`/callback?code=the-code&state=${"t".repeat(43)}`),
        at(`/callback?code=the-code&state=${state.slice(1)}`),
        at(`/callback?code=the-code&state=${state}s`),
        at(`/callback?code=the-code&state=${state}&state=${state}`),
        at(`/callback?code=the-code&state=${state}&state=`),
        at(`/callback?code=the-code&State=${state}`),
        at(`/callback#code=the-code&state=${state}`),
        ...["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"].map((method) => at(callback, { method })),
        at("/callback", {
          method: "POST",
          body: query.slice(1),
          headers: { "content-type": "application/x-www-form-urlencoded" }
        }),
        ...[
          "evil.test",
          `evil.test:${port}`,
          "127.0.0.1",
          `127.0.0.1:${Number(port) + 1}`,
          `localhost:${port}`,
          `[::1]:${port}`
        ]
          .map((host) => at(callback, { headers: { host } }))
      ]
      for (const request of bogus) {
        const answer = yield* request
        assert.strictEqual(answer.status, 404)
        assert.strictEqual(answer.body, "")
        assert.strictEqual(answer.headers.connection, "close")
      }
      assert.isTrue((yield* Fiber.poll(arrived))._tag === "None", "the flow is not at its end")
      assert.strictEqual((yield* at(callback)).status, 200)
      assert.strictEqual((yield* Fiber.join(arrived)).href, redirectUri + query)
      assert.strictEqual((yield* at(callback)).status, 404, "once")
    }))

  it.scopedLive(
    "S81 R37 completes the one real callback amid 10,000 bogus requests and connections",
    () =>
      Effect.gen(function*() {
        const { callback, redirectUri } = yield* waiting()
        const port = portOf(redirectUri)
        const get = (target: string, host = `127.0.0.1:${port}`) => `GET ${target} HTTP/1.1\r\nhost: ${host}\r\n\r\n`
        const bogus = [
          get("/favicon.ico"),
          get(`/callback?code=evil&state=${"t".repeat(43)}`),
          get(`/callback${query}`).replace("GET", "POST"),
          get(`/callback${query}`, `evil.test:${port}`)
        ]
        const statuses: Array<number> = []
        const flood = Effect.forEach(
          Array.from({ length: 5_000 }, (_, i) => i),
          (i) => Effect.map(Requests.exchange(port, bogus[i % bogus.length]!), (status) => statuses.push(status)),
          { concurrency: 64, discard: true }
        )
        yield* flood
        const rest = yield* Effect.fork(flood)
        yield* Effect.repeat(Effect.sleep(1), { until: () => statuses.length > 5_100 })
        assert.strictEqual((yield* Requests.send(redirectUri + query)).status, 200)
        assert.isBelow(statuses.length, 10_000, "the flood goes on")
        yield* Fiber.join(rest)
        assert.deepStrictEqual([statuses.length, ...new Set(statuses)], [10_000, 404])
        assert.strictEqual((yield* Fiber.join(callback)).href, redirectUri + query)
      }),
    120_000
  )

  it.scopedLive("S81 holds at most 256 connections, and lets the user in when others hold them all", () =>
    Effect.gen(function*() {
      const { callback, redirectUri } = yield* waiting()
      const port = portOf(redirectUri)
      let open = 0
      const halfRequest = `GET /callback HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nx: ${"x".repeat(16_000)}`
      for (let i = 0; i < 600; i++) {
        const socket = yield* Requests.socket(port)
        open++
        socket.on("close", () => open--)
        if (i % 2 === 0) socket.write(halfRequest)
      }
      yield* Effect.repeat(Effect.sleep(5), { until: () => open <= 256 })
      assert.strictEqual((yield* Requests.send(redirectUri + query)).status, 200)
      assert.strictEqual((yield* Fiber.join(callback)).searchParams.get("code"), "the-code")
    }))

  it.scopedLive("S81 headers without end are cut off, and the flow goes on", () =>
    Effect.gen(function*() {
      const { callback, redirectUri } = yield* waiting()
      const socket = yield* Requests.socket(portOf(redirectUri))
      const closed = yield* Deferred.make<void>()
      socket.on("close", () => Deferred.unsafeDone(closed, Effect.void))
      socket.write(`GET /callback HTTP/1.1\r\n${`x: ${"x".repeat(1_000)}\r\n`.repeat(100)}`)
      yield* Deferred.await(closed)
      yield* Requests.send(redirectUri + query)
      yield* Fiber.join(callback)
    }))

  it.live("S80 closes at once, whatever connections are left", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { redirectUri } = yield* Scope.extend(LoopbackRedirect.listen(), scope)
      const port = portOf(redirectUri)
      yield* Requests.socket(port)
      ;(yield* Requests.socket(port)).write("GET /callback HTTP/1.1\r\nhost: ")
      ;(yield* Requests.socket(port)).write("POST /callback HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nx")
      yield* Effect.sleep(20)
      const [taken] = yield* Effect.timed(Scope.close(scope, Exit.void))
      assert.isBelow(Duration.toMillis(taken), 1_000)
      assert.strictEqual(yield* Effect.flip(Requests.socket(port)), "ECONNREFUSED")
    }))

  it.live("the page has left before the listener closes", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 200; i++) {
        const answer = yield* Effect.scoped(Effect.gen(function*() {
          const { callback, redirectUri } = yield* waiting()
          const answer = yield* Effect.fork(Requests.send(redirectUri + query))
          yield* Fiber.join(callback)
          return answer
        })).pipe(Effect.flatMap(Fiber.join))
        assert.match(answer.body, /<\/html>\n$/)
      }
    }))

  it.effect("a port that is taken and options that cannot work are typed errors", () =>
    Effect.scoped(Effect.gen(function*() {
      const { redirectUri } = yield* LoopbackRedirect.listen()
      const error = yield* Effect.flip(LoopbackRedirect.listen({ port: portOf(redirectUri) }))
      assert.deepInclude(error, { _tag: "LoopbackError", reason: "PortInUse", code: "EADDRINUSE", remedy: "operator" })
      assert.match(error.message, /port option/)
      const cases: ReadonlyArray<readonly [LoopbackRedirect.Options, string]> = [
        [{ port: -1 }, "port"],
        [{ port: 65_536 }, "port"],
        [{ port: 80.5 }, "port"],
        [{ path: "callback" }, "path"],
        [{ path: "//callback" }, "path"],
        [{ path: "/callback?x=1" }, "path"],
        [{ path: "/a/../callback" }, "path"],
        [{ path: "/<script>" }, "path"]
      ]
      for (const [options, field] of cases) {
        assert.deepInclude(yield* Effect.flip(LoopbackRedirect.listen(options)), { _tag: "ConfigurationError", field })
      }
    })))

  it.scopedLive("S75 makes no span, which would hold the code", () =>
    Effect.gen(function*() {
      const [, spans] = yield* withSpans(Effect.gen(function*() {
        const { callback, redirectUri } = yield* waiting()
        yield* Requests.send(redirectUri + query)
        yield* Fiber.join(callback)
      }))
      assert.isEmpty(spans)
    }))
})

describe("the page", () => {
  const hostile = { title: "<b>\"T&C'</b>", text: "</p><script>alert(1)</script>", lang: "\"><img src=x>" }

  const answerTo = (query: string, options?: LoopbackRedirect.Options) =>
    Effect.scoped(Effect.flatMap(waiting(options), ({ redirectUri }) => Requests.send(redirectUri + query)))

  it.live("S33 S82 is static: nothing of the request is in it, and nobody keeps it or learns where it was", () =>
    Effect.gen(function*() {
      const plain = yield* answerTo(query)
      const decorated = yield* answerTo(`?state=${state}&code=<script>&x="onload="&session_state=secret`)
      assert.strictEqual(plain.body, decorated.body)
      assert.deepInclude(plain.headers, {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        connection: "close"
      })
    }))

  it.live("S82 the policy allows the page's own style and script, by their hashes, and nothing else", () =>
    Effect.gen(function*() {
      const { body, headers } = yield* answerTo(query)
      const directives = String(headers["content-security-policy"]).split("; ")
      const hash = (element: string) => {
        const content = new RegExp(`<${element}>([^]*?)</${element}>`).exec(body)?.[1] ?? ""
        return `'sha256-${createHash("sha256").update(content).digest("base64")}'`
      }
      assert.deepStrictEqual(directives, [
        "default-src 'none'",
        `style-src ${hash("style")}`,
        `script-src ${hash("script")}`,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'"
      ])
      assert.notMatch(body, /\b(src|href|style|on\w+)=/)
      assert.notMatch(body, /https?:/)
    }))

  it.live("S33 the page takes the code out of the address bar and of the history", () =>
    Effect.gen(function*() {
      const { body } = yield* answerTo(query)
      const shown: Array<unknown> = []
      const history = { replaceState: (...args: Array<unknown>) => shown.push(args) }
      const location = new URL(`http://127.0.0.1:1/callback${query}`)
      runInNewContext(/<script>([^]*?)<\/script>/.exec(body)?.[1] ?? "", { history, location })
      assert.deepStrictEqual(shown, [[null, "", "/callback"]])
    }))

  it.live("S82 the program's own words are text, and never markup", () =>
    Effect.gen(function*() {
      const { body } = yield* answerTo(query, { page: hostile })
      assert.notMatch(body, /<b>|<script>alert|<img|"T&C/)
      assert.include(body, "&#60;b&#62;&#34;T&#38;C&#39;&#60;/b&#62;")
      assert.strictEqual(body.match(/<script>/g)?.length, 1)
    }))

  it.live("S32 S82 an error has a page of its own, without the server's words", () =>
    Effect.gen(function*() {
      const failed = `?error=access_denied&error_description=<script>evil&state=${state}`
      const { body } = yield* answerTo(failed)
      assert.include(body, "Not signed in")
      assert.notInclude(body, "evil")
      const own = { title: "No entry", text: "Try again" }
      assert.include((yield* answerTo(failed, { errorPage: own })).body, "No entry")
    }))
})
