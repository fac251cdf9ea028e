/**
 * An authorization under way: what the callback has to be held against, as a plain value that may cross processes.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { withoutValues } from "./internal/storedSchema.js"

/**
 * The schema of a pending authorization. Encoded it is JSON with the code verifier in clear: keep it where only the
 * server, or only this user agent, can read it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const PendingAuthorization = Schema.Struct({
  version: Schema.Literal(1),
  /** The session that will be authorized, by the application's own key. */
  sessionKey: Schema.String,
  state: Schema.String,
  codeVerifier: Schema.Redacted(Schema.String),
  clientId: Schema.String,
  /** The issuer, or the token endpoint's URL where no issuer is configured. */
  server: Schema.String,
  /** The very text that was sent. */
  redirectUri: Schema.String,
  scope: Schema.optional(Schema.Array(Schema.String)),
  resource: Schema.optional(Schema.Array(Schema.String)),
  /** Epoch milliseconds. */
  expiresAt: Schema.Number
}).annotations(withoutValues("The pending authorization"))

/**
 * @since 0.1.0
 * @category models
 */
export interface PendingAuthorization extends Schema.Schema.Type<typeof PendingAuthorization> {}
