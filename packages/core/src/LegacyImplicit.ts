/**
 * The implicit grant (RFC 6749 §4.2): the token comes in the fragment of the redirect. The standards now advise against
 * it (RFC 9700 §2.1.2): whatever reads the address has the token, and nothing binds it to this client.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { encodeBase64Url } from "effect/Encoding"
import * as AuthorizationRequest from "./AuthorizationRequest.js"
import * as AuthorizationResponse from "./AuthorizationResponse.js"
import * as constantTime from "./internal/constantTime.js"
import type { OAuth2ClientService } from "./OAuth2Client.js"
import { OAuth2Crypto } from "./OAuth2Crypto.js"
import {
  AuthorizationResponseError,
  type AuthorizationResponseReason,
  ConfigurationError,
  InvalidResponse,
  type OAuth2Error
} from "./OAuth2Error.js"
import type { OAuth2Session } from "./OAuth2Session.js"
import * as Parameters from "./Parameters.js"
import * as Scope from "./Scope.js"
import * as TokenResponse from "./TokenResponse.js"

/**
 * A sign-in under way: plain data, which the program keeps where only this user agent reads it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pending {
  readonly sessionKey: string
  readonly state: string
  readonly redirectUri: string
  readonly scope: Scope.Scope | undefined
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/**
 * Begins a sign-in with `response_type=token` (RFC 6749 §4.2.1).
 *
 * Fails with `ConfigurationError` when the client has no `authorizationEndpoint` or no `redirectUri`, with `InputError`
 * when an extra parameter is reserved, with `HookError`.
 *
 * @example
 * import * as LegacyImplicit from "@effect-oauth2/core/LegacyImplicit"
 * import { OAuth2Client } from "@effect-oauth2/core"
 * import { Effect } from "effect"
 *
 * export const start = Effect.flatMap(OAuth2Client.OAuth2Client, (client) => LegacyImplicit.begin(client))
 *
 * @since 0.1.0
 * @category combinators
 */
export const begin = (
  client: OAuth2ClientService,
  options: {
    readonly sessionKey?: string | undefined
    readonly scope?: Scope.ScopeInput | undefined
    readonly parameters?: Parameters.ParametersInput | undefined
  } = {}
): Effect.Effect<{ readonly url: URL; readonly pending: Pending }, OAuth2Error> =>
  Effect.gen(function*() {
    const { authorizationEndpoint, authorizationParameters, clientId, intercept, redirectUri, resource } =
      client.registration
    if (authorizationEndpoint === undefined) return yield* missing("authorizationEndpoint")
    if (redirectUri === undefined) return yield* missing("redirectUri")
    const scope = options.scope === undefined ? client.registration.scope : Scope.make(options.scope)
    const crypto = yield* OAuth2Crypto
    const state = encodeBase64Url(yield* crypto.randomBytes(32))
    const request = yield* AuthorizationRequest.toUrl({
      clientId,
      redirectUri,
      state,
      codeChallenge: undefined,
      scope,
      resource,
      parameters: Parameters.withDefaults(Parameters.make(options.parameters ?? {}), authorizationParameters)
    }, authorizationEndpoint)
    request.searchParams.set("response_type", "token")
    const url = yield* intercept.authorizationRequest(request)
    const expiresAt = (yield* Clock.currentTimeMillis) + 600_000
    return { url, pending: { sessionKey: options.sessionKey ?? "default", state, redirectUri, scope, expiresAt } }
  })

/**
 * Completes the sign-in out of the redirect's fragment (RFC 6749 §4.2.2), and keeps the session under its key. It has no
 * refresh token, and ends with the access token.
 *
 * Fails with `AuthorizationResponseError` when the redirect is refused, `ErrorResponse` when the server said no,
 * `InvalidResponse` when the token is not one, `StoreError`. What is held is left as it was.
 *
 * @since 0.1.0
 * @category combinators
 */
export const tokenFromFragment = (
  client: OAuth2ClientService,
  options: { readonly callback: string | URL; readonly pending: Pending }
): Effect.Effect<OAuth2Session, OAuth2Error> =>
  Effect.gen(function*() {
    const { pending } = options
    const { fragment, query } = yield* AuthorizationResponse.parseCallback(options.callback)
    const now = yield* Clock.currentTimeMillis
    if (Parameters.repeated(fragment) !== undefined) return yield* refused("RepeatedParameter")
    const state = fragment.get("state")
    if (!state) return yield* refused("MissingState")
    if (!constantTime.equals(state, pending.state)) return yield* refused("StateMismatch")
    if (pending.expiresAt <= now) return yield* refused("TransactionExpired")
    if (query.has("access_token")) return yield* refused("TokenInFrontChannel")
    const code = fragment.get("error")
    if (code) return yield* AuthorizationResponse.errorResponse(code, fragment)
    const decoded = yield* Effect.mapError(
      TokenResponse.decode(asReply(fragment), { receivedAt: now, scope: pending.scope }),
      ({ error }) => error
    )
    const { refreshToken, ...token } = decoded
    if (refreshToken !== undefined) return yield* invalid("refresh_token")
    return yield* client.restore(token, { sessionKey: pending.sessionKey, requestedScope: pending.scope })
  })

/** The fragment's members, to be judged as those of a token response are. */
const asReply = (fragment: URLSearchParams): TokenResponse.Reply => {
  fragment.delete("state")
  return {
    endpoint: "authorization",
    status: 200,
    contentType: "application/json",
    retryAfter: undefined,
    body: new TextEncoder().encode(JSON.stringify(Object.fromEntries(fragment)))
  }
}

const refused = (reason: AuthorizationResponseReason) => new AuthorizationResponseError({ reason })

const invalid = (member: string) =>
  new InvalidResponse({ endpoint: "authorization", reason: "InvalidMember", status: 200, member })

const missing = (field: string) =>
  new ConfigurationError({ field, problem: "is missing. It is needed to sign users in" })
