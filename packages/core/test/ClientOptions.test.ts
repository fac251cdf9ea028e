import {
  Custody,
  FetchTransport,
  Grant,
  OAuth2Client,
  OAuth2HttpClient,
  OAuth2Session,
  ScopePolicy,
  SessionEvent,
  TokenPlacement
} from "@effect-oauth2/core"
import type { Token } from "@effect-oauth2/core"
import * as LegacyTokenPlacement from "@effect-oauth2/core/LegacyTokenPlacement"
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted, Stream, TestClock } from "effect"
import { publicClient } from "./fixtures.js"
import { canary } from "./fuzz.js"
import { leaks } from "./secrecy.js"
import { recorder } from "./spans.js"
import { type FakeFetch, fakeFetch, form, redirect, tokenReply } from "./transports.js"

const Client = OAuth2Client.OAuth2Client

const clientOver = (transport: FakeFetch, options: Partial<OAuth2Client.Options> = {}) =>
  OAuth2Client.layer({ ...publicClient, ...options }).pipe(
    Layer.provideMerge(Custody.layerMemory),
    Layer.provideMerge(transport.layer)
  )

const reveal = (token: Token.Token) => Redacted.value(token.accessToken)

describe("scopePolicy", () => {
  const granting = (scope: string) => fakeFetch(() => tokenReply({ scope, refresh_token: "RT" }))
  const asked = Grant.clientCredentials({ scope: "read write" })
  const outcome = (granted: string, scopePolicy?: ScopePolicy.ScopePolicy) =>
    Effect.gen(function*() {
      const client = yield* Client
      const events = yield* Effect.fork(
        client.events.pipe(Stream.takeUntil(({ _tag }) => _tag === "SignedOut"), Stream.runCollect)
      )
      yield* Effect.yieldNow()
      const result = yield* Effect.either(client.authorize(asked))
      const held = yield* client.session().token
      yield* client.session().signOut
      const told = [...yield* Fiber.join(events)].filter(SessionEvent.SessionEvent.$is("ScopeDiffers"))
      return { result, held, told }
    }).pipe(Effect.provide(clientOver(granting(granted), { scopePolicy, revocationEndpoint: undefined })))

  it.effect("B033 S50 by default the token tells what was granted, and nothing fails", () =>
    Effect.gen(function*() {
      const { held, result, told } = yield* outcome("read extra")
      assert.strictEqual(result._tag, "Right")
      assert.deepStrictEqual([held.scope, told.length], [["read", "extra"], 0])
    }))

  it.effect("B034 S50 report tells of it as data", () =>
    Effect.gen(function*() {
      const { result, told } = yield* outcome("read extra", ScopePolicy.report)
      assert.strictEqual(result._tag, "Right")
      assert.strictEqual(told.length, 1)
      assert.deepInclude(told[0], { granted: ["read", "extra"], missing: ["write"], additional: ["extra"] })
      assert.strictEqual((yield* outcome("write read", ScopePolicy.report)).told.length, 0)
    }))

  for (
    const [policy, granted, fails] of [
      ["failOnMissing", "read", true],
      ["failOnMissing", "read write extra", false],
      ["failOnMissing", "write read", false],
      ["failOnAny", "read write extra", true],
      ["failOnAny", "read", true],
      ["failOnAny", "write read", false]
    ] as const
  ) {
    it.effect(`B033 S50 ${policy}, "${granted}" granted: ${fails ? "an error that carries the token" : "no error"}`, () =>
      Effect.gen(function*() {
        const { held, result } = yield* outcome(granted, ScopePolicy[policy])
        assert.strictEqual(reveal(held), "AT")
        assert.strictEqual(result._tag, fails ? "Left" : "Right")
        if (result._tag === "Left" && result.left._tag === "ScopeMismatch") {
          assert.strictEqual(reveal(result.left.token), "AT")
          assert.deepStrictEqual(leaks(result.left, ["RT\""]), [])
        } else assert.isFalse(fails)
      }))
  }

  it.effect("B035 an error of the answer itself comes first", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip((yield* Client).authorize(asked))
      assert.deepInclude(error, { _tag: "InvalidResponse", member: "access_token" })
    }).pipe(Effect.provide(clientOver(
      fakeFetch(() => tokenReply({ access_token: "", scope: "x" })),
      { scopePolicy: ScopePolicy.failOnAny }
    ))))
})

describe("onToken", () => {
  let answers = 0
  const numbered = () => fakeFetch(() => tokenReply({ access_token: `AT${answers++}`, refresh_token: "RT" }))

  it.effect("B350 B366 it is told of every change of a session's token: sign-in, renewal, restore", () => {
    const seen: Array<string> = []
    answers = 0
    return Effect.gen(function*() {
      const client = yield* Client
      const session = yield* client.authorize(Grant.clientCredentials(), { sessionKey: "user" })
      yield* session.refresh
      yield* TestClock.adjust("2 hours")
      yield* session.token
      yield* client.restore({ ...yield* session.token, accessToken: Redacted.make("mine") }, { sessionKey: "other" })
      assert.deepStrictEqual(seen, ["user AT0", "user AT1", "user AT2", "other mine"])
    }).pipe(Effect.provide(clientOver(numbered(), {
      onToken: (key, token) => Effect.sync(() => void seen.push(`${key} ${reveal(token)}`))
    })))
  })

  it.effect("B368 what it dies of is an event: the session has the token, and requests go on", () =>
    Effect.gen(function*() {
      const client = yield* Client
      const failed = yield* Effect.fork(
        client.events.pipe(Stream.filter(SessionEvent.SessionEvent.$is("ObserverFailed")), Stream.runHead)
      )
      yield* Effect.yieldNow()
      const session = yield* client.authorize(Grant.clientCredentials())
      assert.match(reveal(yield* session.token), /^AT/)
      assert.deepInclude(yield* Fiber.join(failed), { _tag: "Some" })
    }).pipe(Effect.provide(clientOver(numbered(), { onToken: () => Effect.die("full disk") }))))
})

describe("restore", () => {
  it.effect("B254 what a program does to its own token object afterwards changes nothing", () =>
    Effect.gen(function*() {
      const mine = { accessToken: Redacted.make("given"), tokenType: "Bearer", issuedAt: 0 }
      const session = yield* (yield* Client).restore(mine)
      mine.accessToken = Redacted.make("changed")
      assert.strictEqual(reveal(yield* session.token), "given")
    }).pipe(Effect.provide(clientOver(fakeFetch(() => tokenReply())))))
})

describe("endpoints", () => {
  it.effect("B239 B340 B342 refreshes have an endpoint and parameters of their own where they are given", () => {
    const transport = fakeFetch(() => tokenReply({ refresh_token: "RT" }))
    return Effect.gen(function*() {
      const session = yield* (yield* Client).authorize(Grant.clientCredentials())
      yield* session.refresh
      assert.deepStrictEqual(transport.calls.map(({ url }) => url), [
        "https://as.test/token",
        "https://as.test/refresh"
      ])
      assert.deepInclude(form(transport.calls[0]), { audience: "a" })
      assert.notProperty(form(transport.calls[1]), "audience")
      assert.deepInclude(form(transport.calls[1]), { expand: "1" })
    }).pipe(Effect.provide(clientOver(transport, {
      refreshEndpoint: "https://as.test/refresh",
      tokenParameters: { audience: "a" },
      refreshParameters: { expand: "1" }
    })))
  })

  it.effect("B334 B373 S01 a refresh endpoint over http fails the layer", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.provide(
        Client,
        clientOver(fakeFetch(() => tokenReply()), { refreshEndpoint: "http://as.test/refresh" })
      ))
      assert.deepInclude(error, { _tag: "ConfigurationError", field: "refreshEndpoint" })
    }))
})

describe("placement", () => {
  const transport = (access_token = "AT") =>
    fakeFetch((call) => call.url.startsWith("https://as.test") ? tokenReply({ access_token }) : Response.json({}))
  const shopify = TokenPlacement.header("X-Shopify-Access-Token")
  const program = (
    over: FakeFetch,
    options: OAuth2HttpClient.Options,
    request = HttpClientRequest.get("https://api.test/"),
    use: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> = (effect) => effect
  ) =>
    Effect.gen(function*() {
      const session = yield* (yield* Client).authorize(Grant.clientCredentials())
      const http = yield* OAuth2HttpClient.OAuth2HttpClient
      return yield* http.execute(request).pipe(use, Effect.provideService(OAuth2Session.CurrentSession, session))
    }).pipe(Effect.provide(
      OAuth2Client.layerHttpClient({ origins: ["https://api.test"], ...options }).pipe(
        Layer.provideMerge(clientOver(over))
      )
    ))

  it.effect("B151 the token may go into a header of the API's own, for all requests or for some", () =>
    Effect.gen(function*() {
      const all = transport()
      const response = yield* program(all, { placement: shopify })
      assert.strictEqual(all.calls[1]?.headers["x-shopify-access-token"], "AT")
      assert.notProperty(all.calls[1]?.headers, "authorization")
      assert.notProperty(response.request.headers, "x-shopify-access-token")
      const some = transport()
      yield* program(
        some,
        {},
        undefined,
        OAuth2HttpClient.withPlacement(TokenPlacement.header("authorization", { scheme: "token" }))
      )
      assert.strictEqual(some.calls[1]?.headers["authorization"], "token AT")
    }))

  it.effect("S65 a request that has that header already is not sent", () =>
    Effect.gen(function*() {
      const over = transport()
      const request = HttpClientRequest.get("https://api.test/", { headers: { "x-shopify-access-token": "mine" } })
      const error = yield* Effect.flip(program(over, { placement: shopify }, request))
      assert.deepInclude(error, { _tag: "InputError", field: "x-shopify-access-token" })
      assert.strictEqual(over.calls.length, 1)
    }))

  /** One that a program writes itself, and says nothing about. */
  const ofTheProgram: TokenPlacement.TokenPlacement = {
    place: (request, { accessToken }) =>
      HttpClientRequest.setHeader(request, "x-signed", `key=${Redacted.value(accessToken)}`)
  }

  for (
    const [what, options, use] of [
      ["for all requests", { placement: shopify }, undefined],
      ["for some requests", {}, OAuth2HttpClient.withPlacement(shopify)],
      ["of the program's own", { placement: ofTheProgram }, undefined]
    ] as const
  ) {
    it.effect(`S74 S75 no span shows the token in a header ${what}, and the other headers are shown`, () =>
      Effect.gen(function*() {
        const trace = recorder()
        const request = HttpClientRequest.get("https://api.test/", { headers: { "x-own": "1" } })
        yield* Effect.provide(program(transport(canary), options, request, use), trace.layer)
        const span = trace.named("http.client GET")[0]
        assert.strictEqual(span?.attributes.get("http.request.header.x-own"), "1")
        assert.deepStrictEqual(leaks(trace.spans.map(({ attributes }) => [...attributes]), [canary]), [])
      }))
  }

  for (
    const [what, options, use] of [
      ["a header of the API's own", { placement: shopify }, undefined],
      ["such a header for some requests", {}, OAuth2HttpClient.withPlacement(shopify)],
      ["the query", { placement: LegacyTokenPlacement.query() }, undefined],
      ["the form", { placement: LegacyTokenPlacement.body() }, undefined]
    ] as const
  ) {
    it.effect(`S04 a fetch that follows redirects follows none with a token in ${what}`, () =>
      Effect.gen(function*() {
        for (const location of ["https://sink.test/", "http://api.test/", "https://api.test/other"]) {
          const over = fakeFetch((call) =>
            call.url.startsWith("https://as.test") ? tokenReply() : redirect(307, location)
          )
          const response = yield* program(over, options, HttpClientRequest.post("https://api.test/"), use)
          assert.deepInclude(response, { status: 307 })
          assert.strictEqual(response.headers["location"], location)
          assert.lengthOf(over.calls, 2)
        }
      }))
  }

  it.effect("S04 what a page sees of such a redirect is refused", () =>
    Effect.gen(function*() {
      const opaque = Object.defineProperty(new Response(null), "status", { value: 0 })
      const over = fakeFetch((call) => call.url.startsWith("https://as.test") ? tokenReply() : opaque)
      const error = yield* Effect.flip(program(over, { placement: shopify }))
      assert.deepInclude(error, { _tag: "RedirectRefused", origin: "https://api.test" })
    }))

  it.effect("cookies are sent with it as fetch sends them by itself, or as its transport says", () =>
    Effect.gen(function*() {
      const over = transport()
      yield* program(over, { placement: shopify })
      assert.strictEqual(over.calls[1]?.init.credentials, "same-origin")
      const including = Layer.effect(
        HttpClient.HttpClient,
        Effect.map(
          HttpClient.HttpClient,
          (client) => FetchTransport.withoutRedirects(client, { credentials: "include" })
        )
      )
      yield* program({ ...over, layer: Layer.provide(including, over.layer) }, { placement: shopify })
      assert.deepInclude(over.calls[3]?.init, { credentials: "include", redirect: "manual" })
    }))
})
