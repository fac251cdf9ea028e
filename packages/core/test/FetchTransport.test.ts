import { FetchTransport } from "@effect-oauth2/core"
import { FetchHttpClient, HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { fakeFetch, redirect } from "./transports.js"

/** The transport over a fetch that would follow, and what it was asked. */
const over = (options?: FetchTransport.Options) => {
  const asked: Array<RequestInit> = []
  const fetch = (_: RequestInfo | URL, init: RequestInit = {}) => {
    asked.push(init)
    return Promise.resolve(redirect(302, "https://sink.test/"))
  }
  const layer = FetchTransport.layer(options).pipe(Layer.provide(Layer.succeed(FetchHttpClient.Fetch, fetch)))
  return { asked, layer }
}

describe("FetchTransport", () => {
  it.effect("S03 B249 it hands a redirect to its caller, and sends no cookies of its own", () =>
    Effect.gen(function*() {
      const { asked, layer } = over()
      const response = yield* HttpClient.get("https://api.test/x").pipe(Effect.provide(layer))
      assert.strictEqual(response.status, 302)
      assert.strictEqual(response.headers["location"], "https://sink.test/")
      assert.strictEqual(asked.length, 1)
      assert.deepInclude(asked[0], { redirect: "manual", credentials: "omit" })
    }))

  it.effect("S03 options reach every fetch, but for the one that would follow redirects", () =>
    Effect.gen(function*() {
      const { asked, layer } = over({
        requestInit: { credentials: "include", cache: "no-store", redirect: "follow" } as RequestInit
      })
      yield* HttpClient.get("https://api.test/x").pipe(Effect.provide(layer))
      assert.deepInclude(asked[0], { redirect: "manual", credentials: "include", cache: "no-store" })
    }))

  it.effect("S03 a fetch client that follows is made one that does not", () =>
    Effect.gen(function*() {
      const { calls, layer } = fakeFetch(() => redirect(307, "https://sink.test/"))
      const response = yield* Effect.flatMap(HttpClient.HttpClient, (client) =>
        FetchTransport.withoutRedirects(client).get("https://api.test/x")).pipe(Effect.provide(layer))
      assert.strictEqual(response.status, 307)
      assert.strictEqual(calls.length, 1)
    }))
})
