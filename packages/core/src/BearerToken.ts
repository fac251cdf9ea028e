/**
 * A given token on a request, without a session (RFC 6750 §2.1).
 *
 * @since 0.1.0
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Endpoint from "./Endpoint.js"
import { InputError, InsecureTransportError, TokenExpired, UnsupportedTokenType } from "./OAuth2Error.js"
import { isExpired, isTokenText, type Token } from "./Token.js"
import { withBearer } from "./TokenPlacement.js"

/**
 * Puts the token into the request's `Authorization` header. The request that was given stays as it was.
 *
 * Fails with `InsecureTransportError` when the URL is not https, `UnsupportedTokenType` when the token is no Bearer
 * token, `InputError` when the URL is not absolute, the token cannot travel in a header, or the request has a header of
 * its own, and `TokenExpired`.
 *
 * @example
 * import { HttpClientRequest } from "@effect/platform"
 * import { BearerToken, type Token } from "@effect-oauth2/core"
 *
 * export const request = (token: Token.Token) =>
 *   BearerToken.authorize(HttpClientRequest.get("https://api.example.com/me"), token)
 *
 * @since 0.1.0
 * @category combinators
 */
export const authorize = (
  request: HttpClientRequest.HttpClientRequest,
  token: Token,
  policy: Endpoint.TransportPolicy = {}
): Effect.Effect<
  HttpClientRequest.HttpClientRequest,
  InsecureTransportError | UnsupportedTokenType | InputError | TokenExpired
> => {
  if (!URL.canParse(request.url)) {
    return new InputError({ field: "url", problem: "is not an absolute URL. Prepend the API's origin" })
  }
  const url = new URL(request.url)
  if (!Endpoint.isSecure(url, policy)) return new InsecureTransportError({ origin: url.origin })
  const fault = faultOf(token, ["accessToken"])
  if (fault !== undefined) return fault
  if ("authorization" in request.headers) return headerConflict
  return Effect.flatMap(Clock.currentTimeMillis, (now) =>
    isExpired(token, now)
      ? new TokenExpired({ expiresAt: token.expiresAt! })
      : Effect.succeed(withBearer(request, token)))
}

/**
 * Why a token that was made elsewhere can never be presented, if so.
 *
 * @internal
 */
export const faultOf = (
  token: Token,
  fields: ReadonlyArray<"accessToken" | "refreshToken">
): UnsupportedTokenType | InputError | undefined => {
  if (token.tokenType.toLowerCase() !== "bearer") {
    return new UnsupportedTokenType({ tokenType: token.tokenType.slice(0, 64) })
  }
  const field = fields.find((field) => token[field] !== undefined && !isTokenText(Redacted.value(token[field])))
  return field && new InputError({ field, problem: "is empty or has characters that no token has. Obtain it anew" })
}

/**
 * A caller's own header is never silently replaced (S65).
 *
 * @internal
 */
export const headerConflict = new InputError({
  field: "authorization",
  problem: "is already set on the request. Leave it out, or send the request withoutToken"
})
