/**
 * Where a request carries its token. The standards' place is `Authorization: Bearer` (RFC 6750 §2.1); this is for APIs
 * that want another header. Places that put the token into a URL or a body are in `LegacyTokenPlacement`.
 *
 * @since 0.1.0
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Redacted from "effect/Redacted"
import { InputError } from "./OAuth2Error.js"
import type { Token } from "./Token.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface TokenPlacement {
  /** The request with the token, or why it cannot carry one. The headers that it sets are hidden in spans. */
  readonly place: (
    request: HttpClientRequest.HttpClientRequest,
    token: Token
  ) => HttpClientRequest.HttpClientRequest | InputError
  /** The URL holds the token, so that no span may show it. */
  readonly isInUrl?: boolean | undefined
}

/**
 * `Authorization: Bearer` (RFC 6750 §2.1), the default.
 *
 * @since 0.1.0
 * @category constructors
 */
export const bearer: TokenPlacement = {
  place: (request, token) => withBearer(request, token)
}

/**
 * The request with the token in the standards' place, unchecked.
 *
 * @internal
 */
export const withBearer = (
  request: HttpClientRequest.HttpClientRequest,
  token: Token
): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.setHeader(request, "authorization", `Bearer ${Redacted.value(token.accessToken)}`)

/**
 * A header of the API's own, such as `X-Shopify-Access-Token`; with `scheme` the token stands behind that word. It shows in
 * no span, and goes along with no redirect.
 *
 * A request that has that header already fails with `InputError`.
 *
 * @example
 * import { TokenPlacement } from "@effect-oauth2/core"
 *
 * export const shopify = TokenPlacement.header("x-shopify-access-token")
 *
 * @since 0.1.0
 * @category constructors
 */
export const header = (name: string, options: { readonly scheme?: string | undefined } = {}): TokenPlacement => {
  const field = name.toLowerCase()
  const prefix = options.scheme === undefined ? "" : `${options.scheme} `
  return {
    place: (request, token) =>
      field in request.headers
        ? new InputError({ field, problem: "is already set on the request. Leave it out" })
        : HttpClientRequest.setHeader(request, field, prefix + Redacted.value(token.accessToken))
  }
}
