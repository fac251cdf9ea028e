/**
 * A family: all the tokens that come of one authorization, each refresh token in the place of the one before it.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"

/**
 * Why a family came to its end: a refresh token was presented again (RFC 9700 §4.14.2), its code was (RFC 6749
 * §4.1.2), a client revoked it (RFC 7009), or the test did.
 *
 * @since 0.1.0
 * @category models
 */
export type RevocationReason = "refresh_token_reuse" | "code_reuse" | "revocation_request" | "control"

/**
 * A family as it stands.
 *
 * @since 0.1.0
 * @category models
 */
export interface Family {
  readonly id: string
  readonly clientId: string
  readonly subject: string
  readonly scope: ReadonlyArray<string>
  readonly grantType: string
  /** How many refresh tokens were replaced. */
  readonly generation: number
  /** The live one, if the family has one and is not revoked: what a client has to hold. */
  readonly refreshToken: Redacted.Redacted<string> | undefined
  /** The one that was issued last. */
  readonly accessToken: Redacted.Redacted<string>
  /** The number of access tokens that were issued. */
  readonly accessTokens: number
  readonly revoked: { readonly reason: RevocationReason; readonly at: number } | undefined
}
