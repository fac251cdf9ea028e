import { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import * as Effect from "effect/Effect"

export interface TablesOptions {
  /** What the names of the tables begin with: lower-case letters, digits and `_`. Default: `effect_oauth2_`. */
  readonly tablePrefix?: string | undefined
}

export interface Tables {
  readonly prefix: string
  readonly sessions: string
  readonly signIns: string
  readonly migrations: string
}

/** Names go into statements as they are, so nothing but the plainest of names is one. */
export const tablesOf = (
  { tablePrefix = "effect_oauth2_" }: TablesOptions
): Effect.Effect<Tables, ConfigurationError> =>
  /^[a-z_][a-z0-9_]{0,39}$/.test(tablePrefix)
    ? Effect.succeed({
      prefix: tablePrefix,
      sessions: `${tablePrefix}sessions`,
      signIns: `${tablePrefix}sign_ins`,
      migrations: `${tablePrefix}migrations`
    })
    : new ConfigurationError({
      field: "tablePrefix",
      problem: "is at most 40 of a to z, 0 to 9 and _, and begins with no digit"
    })
