/**
 * A request to an endpoint of the authorization server, as it is before it is sent: parameters and headers, and how the
 * parameters travel.
 *
 * @since 0.1.0
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { Credentials } from "./ClientAuthentication.js"
import type { EndpointName } from "./OAuth2Error.js"
import * as Parameters from "./Parameters.js"

/**
 * How parameters become a request: {@link form} by the standards, {@link json} for servers that want that. Requests with
 * parameters in their URL are made by `LegacyTokenRequest`.
 *
 * @since 0.1.0
 * @category models
 */
export type Encoding = (url: URL, parameters: Parameters.Parameters) => HttpClientRequest.HttpClientRequest

/**
 * @since 0.1.0
 * @category models
 */
export interface EndpointRequest {
  readonly name: EndpointName
  readonly endpoint: URL
  readonly parameters: Parameters.Parameters
  readonly credentials: Credentials
  /** Beside those of the credentials. */
  readonly headers?: Readonly<Record<string, Parameters.Value>> | undefined
  /** Default: {@link form}. */
  readonly encoding?: Encoding | undefined
}

/**
 * What no extra parameter of a token request may set.
 *
 * @since 0.1.0
 * @category constants
 */
export const reservedTokenParameters: ReadonlyArray<string> = [
  "grant_type",
  "code",
  "redirect_uri",
  "code_verifier",
  "refresh_token",
  "client_id",
  "client_secret",
  "client_assertion",
  "client_assertion_type"
]

/**
 * A POST of `application/x-www-form-urlencoded` (RFC 6749 §3.2).
 *
 * @since 0.1.0
 * @category encodings
 */
export const form: Encoding = (url, parameters) =>
  HttpClientRequest.bodyText(
    HttpClientRequest.post(url.href),
    Parameters.encode(parameters).toString(),
    "application/x-www-form-urlencoded"
  )

/**
 * A POST of one JSON object, for servers that want that. A name that occurs more than once becomes a list.
 *
 * @since 0.1.0
 * @category encodings
 */
export const json: Encoding = (url, parameters) =>
  HttpClientRequest.bodyText(
    HttpClientRequest.post(url.href),
    JSON.stringify(asObject(Parameters.encode(parameters))),
    "application/json"
  )

const asObject = (params: URLSearchParams): Record<string, string | ReadonlyArray<string>> =>
  Object.fromEntries([...new Set(params.keys())].map((name) => {
    const values = params.getAll(name)
    return [name, values.length === 1 ? values[0]! : values]
  }))
