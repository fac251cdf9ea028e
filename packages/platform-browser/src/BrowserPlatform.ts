/**
 * What core needs of a page: `fetch` as a transport that follows no redirect, and WebCrypto.
 *
 * Importing it touches nothing of the page, so that it may be imported while a server renders.
 *
 * @since 0.1.0
 */
import * as FetchTransport from "@effect-oauth2/core/FetchTransport"
import { hasWebCrypto, OAuth2Crypto, webCrypto } from "@effect-oauth2/core/OAuth2Crypto"
import { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * The page's WebCrypto.
 *
 * Fails with `ConfigurationError`, field `crypto`, where the page is no secure context and therefore has none.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerCrypto: Layer.Layer<OAuth2Crypto, ConfigurationError> = Layer.effect(
  OAuth2Crypto,
  Effect.suspend(() =>
    hasWebCrypto()
      ? Effect.succeed(webCrypto)
      : new ConfigurationError({
        field: "crypto",
        problem: "is not there: the page is no secure context. Serve it over https, or from localhost"
      })
  )
)

/**
 * Both. Requests carry no cookies and no tracing headers, which would force a preflight that few servers allow, and a
 * redirect is handed to its caller. For tracing headers to an API of your own: `HttpClient.withTracerPropagation(true)`.
 *
 * Fails with `ConfigurationError`, field `crypto`, where the page is no secure context.
 *
 * @example
 * import { Custody, OAuth2Client } from "@effect-oauth2/core"
 * import { BrowserPlatform } from "@effect-oauth2/platform-browser"
 * import { Layer } from "effect"
 *
 * export const Live = OAuth2Client.layer({
 *   clientId: "page",
 *   authorizationEndpoint: "https://as.example.com/authorize",
 *   tokenEndpoint: "https://as.example.com/token",
 *   redirectUri: "https://app.example.com/callback"
 * }).pipe(Layer.provide([Custody.layerMemory, BrowserPlatform.layer]))
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<HttpClient.HttpClient | OAuth2Crypto, ConfigurationError> = Layer.merge(
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, HttpClient.withTracerPropagation(false))
  ).pipe(Layer.provide(FetchTransport.layer())),
  layerCrypto
)
