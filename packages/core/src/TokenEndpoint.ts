/**
 * The token endpoint (RFC 6749 §3.2): one request, made of client configuration and the grant, and its judged reply.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Redacted from "effect/Redacted"
import type { EndpointRequest } from "./EndpointRequest.js"
import { type Grant, withDefaults } from "./Grant.js"
import * as GuardedHttp from "./GuardedHttp.js"
import type { AttemptError } from "./OAuth2Error.js"
import * as Parameters from "./Parameters.js"
import type { Registration } from "./Registration.js"
import * as Telemetry from "./Telemetry.js"
import type { Token } from "./Token.js"
import * as TokenResponse from "./TokenResponse.js"

/**
 * A token request that was answered without a token: why, and the refresh token that could still be read.
 *
 * @since 0.1.0
 * @category models
 */
export interface Refused {
  readonly _tag: "Refused"
  readonly error: AttemptError
  readonly refreshToken: Redacted.Redacted<string> | undefined
}

/**
 * Sends the grant once and reads the answer: the token, or a `Refused` that keeps whatever was issued.
 *
 * Nothing is retried here: a code or a refresh token must not be sent twice by accident.
 *
 * @since 0.1.0
 * @category combinators
 */
export const exchange = (registration: Registration, given: Grant): Effect.Effect<Token, Refused> => {
  const grant = withDefaults(given, registration)
  const isRefresh = grant.grantType === "refresh_token"
  const kind = isRefresh ? "refreshToken" : "accessToken"
  const endpoint = isRefresh ? registration.refreshEndpoint : registration.tokenEndpoint
  const { intercept } = registration
  return Effect.gen(function*() {
    const request = yield* intercept.request(kind, yield* toRequest(registration, grant, endpoint))
    const received = yield* GuardedHttp.send(registration.http, request, registration.limits)
    const receivedAt = yield* Clock.currentTimeMillis
    yield* Effect.annotateCurrentSpan("http.response.status_code", received.status)
    const reply = yield* Effect.mapError(
      intercept.response(kind, received),
      (error) => refused(error, TokenResponse.refreshTokenOf(received))
    )
    const decoded = TokenResponse.decode(reply, { receivedAt, scope: grant.scope })
    if (Either.isRight(decoded)) return decoded.right
    const refreshToken = decoded.left.refreshToken ??
      (decoded.left.error._tag === "InvalidResponse" ? TokenResponse.refreshTokenOf(received) : undefined)
    const error = yield* Effect.mapError(
      intercept.error(decoded.left.error, reply),
      (error) => refused(error, refreshToken)
    )
    return yield* Effect.fail(refused(GuardedHttp.withoutSecrets(error, request), refreshToken))
  }).pipe(
    Effect.mapError((error) => error._tag === "Refused" ? error : refused(error, undefined)),
    Telemetry.endpointRequest("token", endpoint, { "oauth2.grant_type": grant.grantType })
  )
}

/**
 * {@link exchange} for those who keep no session: fails with the error alone.
 *
 * @since 0.1.0
 * @category combinators
 */
export const requestToken = (registration: Registration, grant: Grant): Effect.Effect<Token, AttemptError> =>
  Effect.mapError(exchange(registration, grant), (refused) => refused.error)

/**
 * @since 0.1.0
 * @category constructors
 */
export const refused = (error: AttemptError, refreshToken: Redacted.Redacted<string> | undefined): Refused => ({
  _tag: "Refused",
  error,
  refreshToken
})

/** What no grant may set: its name is apart, and one method of client authentication is enough. */
const setByClient = ["grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type"]

const toRequest = (
  { clientAuthentication, clientId, refreshParameters, tokenEncoding, tokenParameters }: Registration,
  { grantType, parameters }: Grant,
  endpoint: URL
): Effect.Effect<EndpointRequest, AttemptError> => {
  const clash = Parameters.reservedError(parameters, setByClient)
  if (clash !== undefined) return clash
  const extra = grantType === "refresh_token" ? refreshParameters : tokenParameters
  return Effect.map(clientAuthentication.authenticate({ clientId, endpoint }), (credentials) => ({
    name: "token",
    endpoint,
    parameters: [["grant_type", grantType], ...Parameters.withDefaults(parameters, extra)],
    credentials,
    encoding: tokenEncoding
  }))
}
