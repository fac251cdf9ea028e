/**
 * Sign-ins under way in an SQL database: begun on one machine, completed on another, and each used up once.
 *
 * The tables are made by `SqlMigrations`. What has expired is deleted ten minutes later, as others come.
 *
 * @since 0.1.0
 */
import { AuthorizationResponseError, type ConfigurationError, StoreError } from "@effect-oauth2/core/OAuth2Error"
import { PendingAuthorization } from "@effect-oauth2/core/PendingAuthorization"
import { PendingAuthorizations, type PendingAuthorizationsService } from "@effect-oauth2/core/PendingAuthorizations"
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Database from "./internal/database.js"
import { parseObject, stringify } from "./internal/json.js"
import type { TablesOptions } from "./internal/tables.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** What the names of the tables begin with: lower-case letters, digits and `_`. Default: `effect_oauth2_`. */
  readonly tablePrefix?: string | undefined
}

/**
 * Fails with `ConfigurationError` when the database is neither PostgreSQL nor SQLite, or the prefix cannot be used.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<PendingAuthorizationsService, ConfigurationError, SqlClient> =>
  Effect.map(Database.make(options satisfies TablesOptions), (database) => {
    const { run } = database
    const statements = statementsOf(database)
    return {
      put: (pending) =>
        Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          yield* Effect.ignore(run("put", statements.forgetExpired(now - remembered)))
          yield* run("put", statements.put(pending, yield* encode("put", pending)))
        }),
      get: (state) =>
        Effect.flatMap(
          run("get", statements.get(state)),
          ([row]) => row === undefined || row.consumed === 1 ? Effect.succeed(undefined) : decode("get", row)
        ),
      consume: (pending) =>
        Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          if (pending.expiresAt <= now) return yield* new AuthorizationResponseError({ reason: "TransactionExpired" })
          yield* Effect.ignore(run("consume", statements.forgetExpired(now - remembered)))
          const [row] = yield* run("consume", statements.consume(pending))
          if (row === undefined) return yield* new AuthorizationResponseError({ reason: "TransactionConsumed" })
        }),
      isConsumed: (state) => Effect.map(run("isConsumed", statements.get(state)), ([row]) => row?.consumed === 1)
    }
  })

/**
 * The sign-ins as a layer. Name it once and provide that one value.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<PendingAuthorizations, ConfigurationError, SqlClient> =>
  Layer.effect(PendingAuthorizations, make(options))

const remembered = 600_000

const version = 1

interface Row {
  readonly version: number | string
  readonly consumed: number
  readonly payload: string
}

const statementsOf = ({ dialect, isOf, keyColumns, keyValues, primaryKey, signIns, sql }: Database.Database) => ({
  /** What was used up does not come back. */
  put: (pending: PendingAuthorization, payload: string) =>
    sql`INSERT INTO ${signIns} AS s (${keyColumns}, version, expires_at, consumed, payload)
      VALUES (${keyValues(pending.state)}, ${version}, ${Math.ceil(pending.expiresAt)}, 0, ${payload})
      ON CONFLICT (${primaryKey}) DO UPDATE
        SET version = excluded.version, expires_at = excluded.expires_at, payload = excluded.payload
        WHERE s.consumed = 0`,
  get: (state: string) => sql<Row>`SELECT version, consumed, payload FROM ${signIns} AS s WHERE ${isOf(state)}`,
  /** A row comes back to the one that used it up. The code verifier is of no use any more. */
  consume: (pending: PendingAuthorization) =>
    sql`INSERT INTO ${signIns} AS s (${keyColumns}, version, expires_at, consumed, payload)
      VALUES (${keyValues(pending.state)}, ${version}, ${Math.ceil(pending.expiresAt)}, 1, '{}')
      ON CONFLICT (${primaryKey}) DO UPDATE SET consumed = 1, payload = '{}' WHERE s.consumed = 0
      RETURNING 1`,
  /** A few at a time, and not those that another is deleting. */
  forgetExpired: (before: number) =>
    sql`DELETE FROM ${signIns} WHERE ${primaryKey} IN (
      SELECT ${primaryKey} FROM ${signIns} WHERE expires_at <= ${Math.floor(before)} ORDER BY expires_at LIMIT 100
      ${sql.literal(dialect === "pg" ? "FOR UPDATE SKIP LOCKED" : "")})`
})

const corrupt = (operation: string) => () => new StoreError({ operation, reason: "Corrupt" })

const encode = (operation: string, pending: PendingAuthorization): Effect.Effect<string, StoreError> =>
  Effect.mapError(Effect.flatMap(Schema.encode(PendingAuthorization)(pending), stringify), corrupt(operation))

const decodePending = Schema.decodeUnknown(PendingAuthorization)

const decode = (operation: string, row: Row): Effect.Effect<PendingAuthorization, StoreError> =>
  Number(row.version) > version
    ? new StoreError({ operation, reason: "NewerVersion" })
    : Effect.mapError(Effect.flatMap(parseObject(row.payload), decodePending), corrupt(operation))
