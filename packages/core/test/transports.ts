/** Transports whose every request is seen, and whose answers are the test's. */
import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { Layer } from "effect"

export interface Call {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly init: RequestInit
}

export interface FakeFetch {
  readonly calls: ReadonlyArray<Call>
  readonly layer: Layer.Layer<HttpClient.HttpClient>
}

/**
 * `HttpClient` over a `fetch` that answers by a function, and follows redirects as the platform's own does, unless it
 * is told not to.
 */
export const fakeFetch = (answer: (call: Call) => Response): FakeFetch => {
  const calls: Array<Call> = []
  const fetch = (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const call = toCall(input, init)
    calls.push(call)
    const response = answer(call)
    const location = response.headers.get("location")
    if (location === null || init.redirect === "manual") return Promise.resolve(response)
    const keepsBody = response.status === 307 || response.status === 308
    return fetch(new URL(location, call.url), keepsBody ? init : { ...init, method: "GET", body: null })
  }
  return {
    calls,
    layer: FetchHttpClient.layer.pipe(Layer.provide(Layer.succeed(FetchHttpClient.Fetch, fetch)))
  }
}

const toCall = (input: RequestInfo | URL, init: RequestInit): Call => ({
  url: input instanceof Request ? input.url : String(input),
  method: init.method ?? "GET",
  headers: Object.fromEntries(new Headers(init.headers)),
  body: init.body instanceof Uint8Array ? new TextDecoder().decode(init.body) : "",
  init
})

/** The form of a call. */
export const form = (call: Call | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(new URLSearchParams(call?.body))

export const tokenReply = (members: Readonly<Record<string, unknown>> = {}): Response =>
  Response.json({ access_token: "AT", token_type: "Bearer", expires_in: 3600, ...members })

/** A redirect, which `Response` itself makes of no other status than five. */
export const redirect = (status: number, location: string): Response =>
  new Response(null, { status, headers: { location } })
