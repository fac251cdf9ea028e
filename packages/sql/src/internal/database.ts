import { ConfigurationError, StoreError } from "@effect-oauth2/core/OAuth2Error"
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as storedText from "./storedText.js"
import { tablesOf, type TablesOptions } from "./tables.js"

/** A database of a dialect that is known here, and the pieces of statements in which the dialects differ. */
export interface Database {
  readonly dialect: "pg" | "sqlite"
  readonly sql: SqlClient.SqlClient
  readonly sessions: Statement.Fragment
  readonly signIns: Statement.Fragment
  /** The database's own clock, in epoch milliseconds, at the moment it is asked. */
  readonly now: Statement.Fragment
  /** The columns that tell a row from others: what they are called, which of them is the primary key, their values. */
  readonly keyColumns: Statement.Fragment
  readonly primaryKey: Statement.Fragment
  readonly keyValues: (key: string) => Statement.Fragment
  /** The condition that a row, called `s`, is that of the key. */
  readonly isOf: (key: string) => Statement.Fragment
  /**
   * Runs statements for an operation: on a connection of their own, be it within a transaction of the program, which
   * may be rolled back; and without spans, since a database's error may quote the row.
   */
  readonly run: <A>(operation: string, statements: Effect.Effect<A, SqlError>) => Effect.Effect<A, StoreError>
}

/** Fails with `ConfigurationError` for a database, or a prefix of table names, that cannot be used. */
export const make = (
  options: TablesOptions
): Effect.Effect<Database, ConfigurationError, SqlClient.SqlClient> =>
  Effect.gen(function*() {
    const sql = (yield* SqlClient.SqlClient).withoutTransforms()
    const tables = yield* tablesOf(options)
    const dialect = yield* sql.onDialectOrElse({
      pg: () => Effect.succeed("pg" as const),
      sqlite: () => Effect.succeed("sqlite" as const),
      orElse: () =>
        new ConfigurationError({ field: "SqlClient", problem: "must be one of PostgreSQL or SQLite for this store" })
    })
    return {
      dialect,
      sql,
      sessions: sql.literal(tables.sessions),
      signIns: sql.literal(tables.signIns),
      ...(dialect === "pg" ? postgres(sql) : sqlite(sql)),
      run: (operation, statements) =>
        alone(statements).pipe(
          Effect.retry({ while: isCollision, schedule: soonAgain }),
          Effect.mapError(() => new StoreError({ operation, reason: "Unavailable" }))
        )
    }
  })

type Pieces = Pick<Database, "now" | "keyColumns" | "primaryKey" | "keyValues" | "isOf">

/** An index of PostgreSQL cannot hold a long key, so a row's key is the digest of it. */
const postgres = (sql: SqlClient.SqlClient): Pieces => {
  const digest = (key: string) => sql`sha256(convert_to(${storedText.encode(key)}, 'UTF8'))`
  return {
    now: sql.literal("CAST(floor(extract(epoch from clock_timestamp()) * 1000) AS BIGINT)"),
    keyColumns: sql.literal("id, name"),
    primaryKey: sql.literal("id"),
    keyValues: (key) => sql`${digest(key)}, CAST(${storedText.encode(key)} AS TEXT)`,
    isOf: (key) => sql`s.id = ${digest(key)}`
  }
}

const sqlite = (sql: SqlClient.SqlClient): Pieces => ({
  now: sql.literal("CAST(round((julianday('now') - 2440587.5) * 86400000) AS BIGINT)"),
  keyColumns: sql.literal("name"),
  primaryKey: sql.literal("name"),
  keyValues: (key) => sql`${storedText.encode(key)}`,
  isOf: (key) => sql`s.name = ${storedText.encode(key)}`
})

const alone = <A>(statements: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlError> =>
  statements.pipe(
    Effect.mapInputContext((context: Context.Context<never>) => Context.omit(SqlClient.TransactionConnection)(context)),
    Statement.withTransformerDisabled,
    Effect.withTracerEnabled(false)
  )

const soonAgain = Schedule.exponential("2 millis").pipe(
  Schedule.union(Schedule.spaced("50 millis")),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(50))
)

/** PostgreSQL undid a statement that was in the way of another: a deadlock, or a failure to put them in order. */
const isCollision = ({ cause }: SqlError): boolean =>
  Predicate.hasProperty(cause, "code") && (cause.code === "40P01" || cause.code === "40001")
