/**
 * The authorization response: what the redirect back brings (RFC 6749 §4.1.2, RFC 9207).
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as constantTime from "./internal/constantTime.js"
import { sanitize } from "./internal/errorText.js"
import { AuthorizationResponseError, type AuthorizationResponseReason, ErrorResponse } from "./OAuth2Error.js"
import * as Parameters from "./Parameters.js"
import type { PendingAuthorization } from "./PendingAuthorization.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface AuthorizationResponse {
  readonly code: Redacted.Redacted<string>
}

/**
 * What the response is judged by.
 *
 * @since 0.1.0
 * @category models
 */
export interface Expectation {
  readonly pending: Pick<PendingAuthorization, "state" | "redirectUri">
  /** The issuer, where the client knows it: an `iss` that comes must be its very text. */
  readonly issuer: string | undefined
  /** Whether the server promises to send `iss`, so that its absence is an attack (RFC 9207 §2.4). */
  readonly requireIssuer: boolean
}

/**
 * The parameters of a callback, with where it arrived.
 *
 * @since 0.1.0
 * @category models
 */
export interface Callback {
  /** As far as it was given: nothing of it for a bare query. */
  readonly origin: string | undefined
  readonly path: string | undefined
  readonly query: URLSearchParams
  readonly fragment: URLSearchParams
}

/**
 * Reads what a web framework, a listener or a page has: a whole URL (http on loopback and private-use schemes
 * included), a path with query, or the query alone.
 *
 * Fails with `AuthorizationResponseError`, reason `InvalidUrl`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parseCallback = (input: string | URL): Either.Either<Callback, AuthorizationResponseError> => {
  const text = String(input)
  if (text.length > maxLength) return refuse("InvalidUrl")
  const [beforeFragment, fragment] = split(text, "#")
  const rest = { fragment: new URLSearchParams(fragment) }
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    if (!URL.canParse(text)) return refuse("InvalidUrl")
    const url = new URL(text)
    return Either.right({ origin: location(url), path: url.pathname, query: url.searchParams, ...rest })
  }
  const [path, query] = split(beforeFragment, "?")
  if (path.startsWith("/")) return Either.right({ origin: undefined, path, query: new URLSearchParams(query), ...rest })
  const bare = path === "" ? query : beforeFragment
  if (!bare.includes("=")) return refuse("InvalidUrl")
  return Either.right({ origin: undefined, path: undefined, query: new URLSearchParams(bare), ...rest })
}

/**
 * Judges a callback by the authorization that it answers. The state is checked before anything else is believed.
 *
 * Fails with `AuthorizationResponseError` when it is refused, and with `ErrorResponse` when the server, at the end of
 * a request that was ours, says no.
 *
 * @since 0.1.0
 * @category conversions
 */
export const decode = (
  callback: Callback,
  expected: Expectation
): Either.Either<AuthorizationResponse, AuthorizationResponseError | ErrorResponse> => {
  const { query } = callback
  const repeated = Parameters.repeated(query)
  if (repeated !== undefined) return refuse("RepeatedParameter", known.has(repeated) ? repeated : undefined)
  const state = query.get("state")
  if (!state) return refuse("MissingState")
  if (!constantTime.equals(state, expected.pending.state)) return refuse("StateMismatch")
  if (!arrivedAt(callback, expected.pending.redirectUri)) return refuse("RedirectUriMismatch")
  if (query.has("response")) return refuse("UnexpectedResponseMode")
  if (carriesToken(query) || carriesToken(callback.fragment)) return refuse("TokenInFrontChannel")
  const issuer = query.get("iss")
  if (issuer === null && expected.requireIssuer) return refuse("MissingIssuer")
  if (issuer !== null && expected.issuer !== undefined && issuer !== expected.issuer) return refuse("IssuerMismatch")
  const error = query.get("error")
  if (error) return Either.left(errorResponse(error, query))
  return decodeCode(query.get("code"))
}

/**
 * The redirect that answers a request: the authorization server's side.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toUrl = (redirectUri: string, parameters: Parameters.Parameters): URL =>
  Parameters.appendTo(new URL(redirectUri), parameters)

const maxLength = 65_536

const known = new Set(["code", "state", "iss", "error", "error_description", "error_uri", "response"])

const refuse = (reason: AuthorizationResponseReason, parameter?: string) =>
  Either.left(new AuthorizationResponseError({ reason, parameter }))

const split = (text: string, mark: string): [string, string] => {
  const at = text.indexOf(mark)
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)]
}

/** Scheme and host: private-use schemes have no `origin` of their own. */
const location = (url: URL): string => `${url.protocol}//${url.host}`

const arrivedAt = (callback: Callback, redirectUri: string): boolean => {
  const expected = new URL(redirectUri)
  if (callback.path !== undefined && callback.path !== expected.pathname) return false
  return callback.origin === undefined || callback.origin === location(expected)
}

const carriesToken = (params: URLSearchParams): boolean =>
  params.has("access_token") || params.has("id_token") || params.has("refresh_token")

/**
 * The server's error, as it stands in the parameters of a redirect (RFC 6749 §4.1.2.1). Its texts are made harmless.
 *
 * @since 0.1.0
 * @category conversions
 */
export const errorResponse = (code: string, query: URLSearchParams): ErrorResponse =>
  new ErrorResponse({
    endpoint: "authorization",
    code: sanitize(code) ?? "invalid_request",
    description: sanitize(query.get("error_description")),
    uri: sanitize(query.get("error_uri")),
    state: sanitize(query.get("state"))
  })

const decodeCode = (code: string | null): Either.Either<AuthorizationResponse, AuthorizationResponseError> => {
  if (!code) return refuse("MissingCode")
  // RFC 6749 appendix A.11
  return /^[\x20-\x7e]+$/.test(code) ? Either.right({ code: Redacted.make(code) }) : refuse("InvalidCode")
}
