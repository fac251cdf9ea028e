import { Custody, Grant, OAuth2Client } from "@effect-oauth2/core"
import { BrowserPlatform } from "@effect-oauth2/platform-browser"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const options = {
  clientId: "page",
  authorizationEndpoint: "https://as.test/authorize",
  tokenEndpoint: "https://as.test/token",
  redirectUri: "https://app.test/callback"
} satisfies OAuth2Client.Options

const Live = OAuth2Client.layer(options).pipe(Layer.provide([Custody.layerMemory, BrowserPlatform.layer]))

/** A `fetch` that keeps what it is asked, and answers with a token. */
const recording = () => {
  const asked: Array<RequestInit> = []
  const fetch: typeof globalThis.fetch = (_, init = {}) => {
    asked.push(init)
    const body = JSON.stringify({ access_token: "token", token_type: "Bearer" })
    return Promise.resolve(new Response(body, { headers: { "content-type": "application/json" } }))
  }
  return { asked, layer: Layer.succeed(FetchHttpClient.Fetch, fetch) }
}

describe("BrowserPlatform", () => {
  it.effect("S03 a page asks for a token by fetch, without cookies, tracing headers, or following a redirect", () => {
    const { asked, layer } = recording()
    return Effect.gen(function*() {
      const client = yield* OAuth2Client.OAuth2Client
      yield* client.requestToken(Grant.clientCredentials())
      assert.strictEqual(asked.length, 1)
      assert.deepInclude(asked[0], { method: "POST", redirect: "manual", credentials: "omit" })
      assert.sameMembers(Object.keys(asked[0]?.headers ?? {}), ["accept", "content-type"])
    }).pipe(Effect.provide(Live), Effect.provide(layer))
  })

  it.effect("B261 a page begins a sign-in with state and PKCE by WebCrypto", () =>
    Effect.gen(function*() {
      const client = yield* OAuth2Client.OAuth2Client
      const { url } = yield* client.begin()
      assert.strictEqual(url.searchParams.get("code_challenge_method"), "S256")
      assert.strictEqual(url.searchParams.get("state")?.length, 43)
    }).pipe(Effect.provide(Live)))

  it.effect("a page that is no secure context is told so when the layer is built", () =>
    Effect.gen(function*() {
      const crypto = globalThis.crypto
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true })),
        () => Effect.sync(() => Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true }))
      )
      const failed = yield* Effect.flip(Layer.build(Live))
      assert.deepInclude(failed, { _tag: "ConfigurationError", field: "crypto" })
    }).pipe(Effect.scoped))
})
