/**
 * The resource owner password credentials grant (RFC 6749 §4.3). It hands the user's password to the client, and the
 * standards now forbid it (RFC 9700 §2.4): for servers that offer nothing else.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"
import * as Grant from "./Grant.js"
import type * as Parameters from "./Parameters.js"
import type * as Scope from "./Scope.js"

/**
 * The grant. Empty texts are sent as they are. `renewable` lets it be run again when the session has no refresh token:
 * the password then stays in memory.
 *
 * @example
 * import * as LegacyPassword from "@effect-oauth2/core/LegacyPassword"
 * import { Redacted } from "effect"
 *
 * export const grant = LegacyPassword.grant({ username: "ada", password: Redacted.make("s3cret"), scope: "read" })
 *
 * @since 0.1.0
 * @category constructors
 */
export const grant = (options: {
  readonly username: string
  readonly password: Redacted.Redacted<string>
  readonly scope?: Scope.ScopeInput | undefined
  readonly renewable?: boolean | undefined
  /** What else this server wants. */
  readonly parameters?: Parameters.ParametersInput | undefined
}): Grant.Grant =>
  Grant.extension(
    "password",
    { ...options.parameters, username: options.username, password: options.password },
    { scope: options.scope, renewable: options.renewable }
  )
