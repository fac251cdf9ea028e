/**
 * A token as it is held: a plain, immutable value whose secrets are `Redacted` and whose expiry is an instant.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { withoutValues } from "./internal/storedSchema.js"

const maxLength = 65_536

/**
 * Text that may be a token: visible ASCII, not empty, at most 64 KiB. Nothing else can travel in a header unharmed.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isTokenText = (text: unknown): text is string =>
  typeof text === "string" && text.length <= maxLength && /^[\x21-\x7e]+$/.test(text)

const Secret = Schema.Redacted(Schema.String.pipe(Schema.filter(isTokenText)))

/**
 * The schema of a held token. Its encoded form is JSON with the secrets in clear: for a store alone.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Token = Schema.Struct({
  accessToken: Secret,
  /** As the server wrote it; `Bearer` in any case. */
  tokenType: Schema.String,
  /** When the answer was received, in epoch milliseconds. */
  issuedAt: Schema.Number,
  /** When the access token expires, in epoch milliseconds. Absent: the server did not say. */
  expiresAt: Schema.optional(Schema.Number),
  refreshToken: Schema.optional(Secret),
  /** What was granted. Absent: neither asked for nor announced. */
  scope: Schema.optional(Schema.Array(Schema.String)),
  idToken: Schema.optional(Schema.Redacted(Schema.String)),
  /** The answer's other members, by name. Some servers put secrets there. */
  extra: Schema.optional(Schema.Redacted(Schema.ReadonlyMap({ key: Schema.String, value: Schema.Unknown })))
}).annotations(withoutValues("The token"))

/**
 * @since 0.1.0
 * @category models
 */
export interface Token extends Schema.Schema.Type<typeof Token> {}

/**
 * A member of the token response that the standards do not know, such as `instance_url`.
 *
 * @since 0.1.0
 * @category accessors
 */
export const member = (self: Token, name: string): unknown =>
  self.extra === undefined ? undefined : Redacted.value(self.extra).get(name)

/**
 * Whether the token had expired at the instant, in epoch milliseconds. A token without expiry never has.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isExpired = (self: Token, now: number): boolean => self.expiresAt !== undefined && self.expiresAt < now

/**
 * What is held after a refresh: the new token, with the refresh token and the scope that it leaves unsaid
 * (RFC 6749 §6).
 *
 * @since 0.1.0
 * @category combinators
 */
export const merge = (
  refreshed: Token,
  previous: { readonly refreshToken: Redacted.Redacted<string> | undefined; readonly scope: Token["scope"] }
): Token => {
  const refreshToken = refreshed.refreshToken ?? previous.refreshToken
  const scope = refreshed.scope ?? previous.scope
  return {
    ...refreshed,
    ...(refreshToken === undefined ? undefined : { refreshToken }),
    ...(scope === undefined ? undefined : { scope })
  }
}
