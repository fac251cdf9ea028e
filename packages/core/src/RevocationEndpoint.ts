/**
 * The revocation endpoint (RFC 7009).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as GuardedHttp from "./GuardedHttp.js"
import { type AttemptError, ConfigurationError } from "./OAuth2Error.js"
import type { Registration } from "./Registration.js"
import * as Telemetry from "./Telemetry.js"
import { decodeError } from "./TokenResponse.js"

/**
 * Which kind of token it is, as a hint to the server (RFC 7009 §2.1).
 *
 * @since 0.1.0
 * @category models
 */
export type TokenTypeHint = "access_token" | "refresh_token"

/**
 * Revokes a token. A token that the server does not know counts as revoked (§2.2).
 *
 * Fails with `ConfigurationError` when the client has no `revocationEndpoint`, with `ErrorResponse` or
 * `InvalidResponse` when the server refuses, with `TransportError` when it cannot be asked.
 *
 * @since 0.1.0
 * @category combinators
 */
export const revoke = (
  registration: Registration,
  token: Redacted.Redacted<string>,
  hint?: TokenTypeHint
): Effect.Effect<void, AttemptError> => {
  const { clientAuthentication, clientId, http, intercept, limits, revocationEndpoint } = registration
  if (revocationEndpoint === undefined) {
    return new ConfigurationError({
      field: "revocationEndpoint",
      problem: "is missing. Without it nothing can be revoked"
    })
  }
  return Effect.gen(function*() {
    const credentials = yield* clientAuthentication.authenticate({ clientId, endpoint: revocationEndpoint })
    const request = yield* intercept.request("revocation", {
      name: "revocation",
      endpoint: revocationEndpoint,
      parameters: [["token", token], ...(hint === undefined ? [] : [["token_type_hint", hint] as const])],
      credentials
    })
    const reply = yield* GuardedHttp.send(http, request, limits)
    yield* Effect.annotateCurrentSpan("http.response.status_code", reply.status)
    if (reply.status !== 200) return yield* GuardedHttp.withoutSecrets(decodeError(reply), request)
  }).pipe(Telemetry.endpointRequest("revocation", revocationEndpoint, {}))
}
