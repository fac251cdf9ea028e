/**
 * The tables of this package, made and kept up to date by the `Migrator` of `@effect/sql`, under a table of migrations of
 * their own. For `tablePrefix` `effect_oauth2_`, on PostgreSQL (version 11 or later):
 *
 * ```sql
 * CREATE TABLE effect_oauth2_sessions (
 *   id bytea PRIMARY KEY,              -- sha256 of the name: an index holds no name of several kilobytes
 *   name text COLLATE "C" NOT NULL,    -- the session's key, with \, NUL and lone surrogates as \005c, \0000, \d800
 *   version integer NOT NULL,          -- 1; rows of a later version are refused and left alone
 *   generation bigint NOT NULL,        -- grows by one with each renewal and sign-in
 *   state text NOT NULL,               -- Idle, Redeeming or Dead
 *   attempt text,                      -- who redeems
 *   until bigint,                      -- until when, in epoch milliseconds of the database's clock
 *   unresolved integer NOT NULL,       -- 1 when a refresh was never answered
 *   detail text NOT NULL,              -- what else there is to say of the state, JSON
 *   renewed_at bigint NOT NULL,        -- epoch milliseconds
 *   payload text NOT NULL              -- the tokens, JSON, in clear or sealed
 * );
 * CREATE INDEX effect_oauth2_sessions_idle ON effect_oauth2_sessions (renewed_at) WHERE state <> 'Dead';
 *
 * CREATE TABLE effect_oauth2_sign_ins (
 *   id bytea PRIMARY KEY,
 *   name text COLLATE "C" NOT NULL,    -- the state
 *   version integer NOT NULL,
 *   expires_at bigint NOT NULL,        -- epoch milliseconds
 *   consumed integer NOT NULL,
 *   payload text NOT NULL              -- the pending authorization, JSON; {} once it is used up
 * );
 * CREATE INDEX effect_oauth2_sign_ins_expiry ON effect_oauth2_sign_ins (expires_at);
 * ```
 *
 * and a trigger, `effect_oauth2_tell`, that notifies the channel `effect_oauth2_sessions` of the name of each session
 * whose generation or payload changed, or which is gone: see `PostgresChanges`. On SQLite (3.35 or later) there is no
 * `id`, `name` is the primary key, and there is no trigger.
 *
 * @since 0.1.0
 */
import type { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Database from "./internal/database.js"
import * as Postgres from "./internal/postgresSchema.js"
import * as Sqlite from "./internal/sqliteSchema.js"
import { type Tables, tablesOf } from "./internal/tables.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** What the names of the tables begin with: lower-case letters, digits and `_`. Default: `effect_oauth2_`. */
  readonly tablePrefix?: string | undefined
}

/**
 * Makes what is not there yet. Several may run it at once, and again at each start: who finds another at it waits, up
 * to three seconds.
 *
 * Fails with `ConfigurationError` when the database is neither PostgreSQL nor SQLite, or the prefix cannot be used, and
 * with what the database says when it refuses. No secret is in play.
 *
 * @since 0.1.0
 * @category constructors
 */
export const run = (
  options: Options = {}
): Effect.Effect<void, ConfigurationError | Migrator.MigrationError | SqlError, SqlClient.SqlClient> =>
  Effect.gen(function*() {
    const tables = yield* tablesOf(options)
    const { dialect, sessions, signIns, sql } = yield* Database.make(options)
    const statements = (dialect === "pg" ? Postgres.schema : Sqlite.schema)(tables)
    const areThere = Effect.zipRight(
      sql`SELECT 1 FROM ${sessions} WHERE 1 = 0`,
      sql`SELECT 1 FROM ${signIns} WHERE 1 = 0`
    )
    yield* migrate(tables, statements).pipe(
      Effect.zipRight(areThere),
      Effect.retry(Schedule.intersect(Schedule.spaced("200 millis"), Schedule.recurs(15))),
      Effect.provideService(SqlClient.SqlClient, sql)
    )
  })

/**
 * The migrations as a layer, to be provided to those that need the tables.
 *
 * @example
 * import { SqlCustody, SqlMigrations } from "@effect-oauth2/sql"
 * import { Layer } from "effect"
 *
 * export const CustodyLive = SqlCustody.layer().pipe(Layer.provide(SqlMigrations.layer()))
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<never, ConfigurationError | Migrator.MigrationError | SqlError, SqlClient.SqlClient> =>
  Layer.effectDiscard(run(options))

/** The Migrator dies of a migration that fails: here it is an error like others. */
const migrate = ({ migrations }: Tables, statements: ReadonlyArray<string>) =>
  Migrator.make({})({ table: migrations, loader: Migrator.fromRecord({ "0001_custody": execute(statements) }) }).pipe(
    Effect.catchAllDefect((defect) =>
      defect instanceof Migrator.MigrationError
        ? defect
        : new Migrator.MigrationError({ reason: "failed", message: "The migrations failed", cause: defect })
    )
  )

const execute = (statements: ReadonlyArray<string>) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => Effect.forEach(statements, (statement) => sql.unsafe(statement), { discard: true })
  )
