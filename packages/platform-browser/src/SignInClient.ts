/**
 * Who begins and completes a sign-in: core's `OAuth2Client`, under whichever tag, or a `TokenWorker`.
 *
 * @since 0.1.0
 */
import type { BeginOptions, Begun } from "@effect-oauth2/core/OAuth2Client"
import type { OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import type { PendingAuthorization } from "@effect-oauth2/core/PendingAuthorization"
import type * as Effect from "effect/Effect"

/**
 * @since 0.1.0
 * @category models
 */
export interface SignInClient<Session> {
  readonly begin: (options?: BeginOptions) => Effect.Effect<Begun, OAuth2Error>
  readonly complete: (options: {
    readonly callback: string | URL
    readonly pending: PendingAuthorization
  }) => Effect.Effect<Session, OAuth2Error>
}
