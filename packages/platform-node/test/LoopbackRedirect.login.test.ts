import { Custody, OAuth2Client } from "@effect-oauth2/core"
import { type ServerOptions, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { Browser, LoopbackError, LoopbackRedirect } from "@effect-oauth2/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Requests from "./support/requests.js"

class Other extends OAuth2Client.Tag<Other>()("other") {}

const registration = {
  clientId: "tool",
  issuer: "https://as.test",
  tokenEndpoint: "https://as.test/token",
  authorizationEndpoint: "https://as.test/authorize"
} satisfies OAuth2Client.Options

const tool: ServerOptions.RegisteredClient = {
  id: "tool",
  redirectUris: ["http://127.0.0.1/callback", "http://[::1]/callback"]
}

const Live = (settings: Partial<ServerOptions.Settings> = {}) =>
  Layer.mergeAll(OAuth2Client.layer(registration), Other.layer(registration)).pipe(
    Layer.provide(Custody.layerMemory),
    Layer.provideMerge(TestAuthorizationServer.layer({ clients: [tool], ...settings }))
  )

interface Visit {
  readonly url: URL
  readonly answer: Requests.Answer
}

/** A browser whose user agrees at once: the callback is there before `open` returns. */
const quickUser = (
  visits: Array<Visit>,
  before: (callback: URL) => Effect.Effect<unknown, string> = () => Effect.void
) =>
  Layer.effect(
    Browser.Browser,
    Effect.map(TestAuthorizationServer.TestAuthorizationServer, (server) =>
      Browser.make((url) =>
        Effect.gen(function*() {
          const callback = yield* server.authorize(url)
          yield* before(callback)
          visits.push({ url, answer: yield* Requests.send(callback) })
        }).pipe(Effect.orDie)
      ))
  )

/** A browser whose user never comes back. */
const absentUser = (asked: Deferred.Deferred<URL>) =>
  Layer.succeed(Browser.Browser, Browser.make((url) => Effect.asVoid(Deferred.succeed(asked, url))))

const listenerOf = (url: URL) => Number(new URL(url.searchParams.get("redirect_uri") ?? "").port)

const isClosed = (port: number) => Effect.map(Effect.flip(Requests.socket(port)), (code) => code === "ECONNREFUSED")

describe("login", () => {
  it.live("signs a user in, under the default session, over a listener that is closed again", () => {
    const visits: Array<Visit> = []
    return Effect.gen(function*() {
      const server = yield* TestAuthorizationServer.TestAuthorizationServer
      const client = yield* OAuth2Client.OAuth2Client
      const session = yield* LoopbackRedirect.login(client)
      assert.strictEqual(session.key, "default")
      assert.isNotEmpty(Redacted.value(yield* client.session().accessToken))
      const [{ answer, url }] = visits as [Visit]
      assert.match(url.searchParams.get("redirect_uri") ?? "", /^http:\/\/127\.0\.0\.1:\d+\/callback$/)
      assert.strictEqual(answer.status, 200)
      assert.isTrue(yield* isClosed(listenerOf(url)))
      assert.strictEqual(yield* server.tokenRequests("authorization_code"), 1)
    }).pipe(Effect.provide(quickUser(visits).pipe(Layer.provideMerge(Live()))))
  })

  it.live("has what is the program's own: session key, scope, parameters, host, page, and the client of any tag", () => {
    const visits: Array<Visit> = []
    return Effect.gen(function*() {
      const session = yield* LoopbackRedirect.login(yield* Other, {
        sessionKey: "anna",
        scope: "read",
        parameters: { prompt: "consent" },
        host: "::1",
        page: { title: "Thanks", text: "Go on" }
      })
      assert.strictEqual(session.key, "anna")
      assert.deepStrictEqual((yield* session.token).scope, ["read"])
      const [{ answer, url }] = visits as [Visit]
      assert.include(answer.body, "Thanks")
      assert.deepInclude(Object.fromEntries(url.searchParams), { prompt: "consent", scope: "read" })
      assert.include(url.searchParams.get("redirect_uri"), "[::1]")
    }).pipe(Effect.provide(quickUser(visits).pipe(Layer.provideMerge(Live()))))
  })

  it.live("loginDefault takes the program's one client", () => {
    const visits: Array<Visit> = []
    return Effect.gen(function*() {
      const session = yield* LoopbackRedirect.loginDefault({ sessionKey: "anna" })
      assert.strictEqual(session.key, "anna")
      assert.lengthOf(visits, 1)
    }).pipe(Effect.provide(quickUser(visits).pipe(Layer.provideMerge(Live()))))
  })

  it.live("S24 S81 a callback with another state does not end it, whatever error it brings", () => {
    const visits: Array<Visit> = []
    const intrude = (callback: URL) => {
      const url = new URL(callback)
      url.searchParams.set("state", "x".repeat(43))
      url.searchParams.set("error", "access_denied")
      return Effect.map(Requests.send(url), ({ status }) => assert.strictEqual(status, 404))
    }
    return Effect.gen(function*() {
      const session = yield* LoopbackRedirect.loginDefault()
      assert.isTrue(yield* session.isAuthorized)
    }).pipe(Effect.provide(quickUser(visits, intrude).pipe(Layer.provideMerge(Live()))))
  })

  it.live("a user who says no is a typed error, and sees the page for it", () => {
    const visits: Array<Visit> = []
    return Effect.gen(function*() {
      const server = yield* TestAuthorizationServer.TestAuthorizationServer
      const error = yield* Effect.flip(LoopbackRedirect.loginDefault())
      assert.deepInclude(error, { _tag: "ErrorResponse", code: "access_denied", remedy: "user" })
      const [{ answer, url }] = visits as [Visit]
      assert.include(answer.body, "Not signed in")
      assert.isTrue(yield* isClosed(listenerOf(url)))
      assert.strictEqual(yield* server.tokenRequests(), 0)
    }).pipe(
      Effect.provide(quickUser(visits).pipe(Layer.provideMerge(Live({ approval: { error: "access_denied" } }))))
    )
  })

  it.live("S80 a user who does not come back is a typed error after the timeout, and the listener is closed", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<URL>()
      const error = yield* Effect.flip(LoopbackRedirect.loginDefault({ timeout: "50 millis" })).pipe(
        Effect.provide(absentUser(asked))
      )
      assert.deepInclude(error, { _tag: "LoopbackError", reason: "Timeout", remedy: "user", ambiguous: false })
      assert.isTrue(yield* isClosed(listenerOf(yield* Deferred.await(asked))))
    }).pipe(Effect.provide(Live())))

  it.effect("the user has 5 minutes, unless told otherwise", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<URL>()
      const login = yield* Effect.fork(Effect.provide(LoopbackRedirect.loginDefault(), absentUser(asked)))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("299 seconds")
      assert.strictEqual((yield* Fiber.poll(login))._tag, "None")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Effect.flip(Fiber.join(login)))._tag, "LoopbackError")
    }).pipe(Effect.provide(Live())))

  it.live("S80 interrupting it closes the listener", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<URL>()
      const login = yield* Effect.fork(Effect.provide(LoopbackRedirect.loginDefault(), absentUser(asked)))
      const port = listenerOf(yield* Deferred.await(asked))
      assert.isFalse(yield* Effect.isFailure(Requests.socket(port)), "it is open until then")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(login)))
      assert.isTrue(yield* isClosed(port))
    }).pipe(Effect.provide(Live())))

  it.live("S80 a browser that does not open is a typed error, and the listener is closed", () =>
    Effect.gen(function*() {
      const urls: Array<URL> = []
      const broken = Browser.make((url) => {
        urls.push(url)
        return new LoopbackError.LoopbackError({ reason: "BrowserNotOpened" })
      })
      const error = yield* Effect.flip(LoopbackRedirect.loginDefault()).pipe(
        Effect.provideService(Browser.Browser, broken)
      )
      assert.deepInclude(error, { _tag: "LoopbackError", reason: "BrowserNotOpened" })
      assert.match(error.message, /layerPrint/)
      assert.isTrue(yield* isClosed(listenerOf(urls[0]!)))
    }).pipe(Effect.provide(Live())))
})
