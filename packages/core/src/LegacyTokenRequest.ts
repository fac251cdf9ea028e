/**
 * Token requests whose parameters are in the URL, for servers that take no other. Codes, tokens and secrets then show in
 * logs and histories along the way, which the standards forbid (RFC 6749 §2.3.1 and §3.2).
 *
 * @since 0.1.0
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { Encoding } from "./EndpointRequest.js"
import * as Parameters from "./Parameters.js"

/**
 * A GET, after the URL's own query.
 *
 * @example
 * import * as LegacyTokenRequest from "@effect-oauth2/core/LegacyTokenRequest"
 * import { OAuth2Client } from "@effect-oauth2/core"
 *
 * export const Client = OAuth2Client.layer({
 *   clientId: "app",
 *   tokenEndpoint: "https://as.example/token",
 *   tokenEncoding: LegacyTokenRequest.get
 * })
 *
 * @since 0.1.0
 * @category encodings
 */
export const get: Encoding = (url, parameters) => HttpClientRequest.get(Parameters.appendTo(url, parameters).href)

/**
 * A POST without a body, its parameters after the URL's own query.
 *
 * @since 0.1.0
 * @category encodings
 */
export const queryString: Encoding = (url, parameters) =>
  HttpClientRequest.post(Parameters.appendTo(url, parameters).href)
