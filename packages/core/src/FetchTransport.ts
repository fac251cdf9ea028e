/**
 * `HttpClient` over `fetch`, as a transport should be: it follows no redirect and sends no cookies of its own.
 *
 * @since 0.1.0
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Passed to every `fetch`, but for `redirect`, which is always `manual`. */
  readonly requestInit?: Omit<RequestInit, "redirect"> | undefined
}

/**
 * A client that hands a redirect to its caller instead of following it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const withoutRedirects = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  requestInit?: Options["requestInit"]
): HttpClient.HttpClient.With<E, R> =>
  HttpClient.transformResponse(
    client,
    Effect.provideService(FetchHttpClient.RequestInit, { credentials: "omit", ...requestInit, redirect: "manual" })
  )

/**
 * The transport over the platform's `fetch`: Deno, Bun, browsers, workers, and Node without TLS options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (client) => withoutRedirects(client, options.requestInit))
  ).pipe(Layer.provide(FetchHttpClient.layer))
