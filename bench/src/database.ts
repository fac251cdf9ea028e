/**
 * A PostgreSQL on this machine, and tables with as many sessions as are asked for.
 */
import { SessionRecord, type TokenStore } from "@effect-oauth2/core"
import { SqlMigrations, SqlTokenStore } from "@effect-oauth2/sql"
import { PgClient } from "@effect/sql-pg"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { type PostgresAddress, startPostgres } from "../../support/postgres.js"
import { makeToken } from "./fixtures.js"

/** Connections of one client. */
export const poolSize = 4

/** The server as it is set up by default: what is committed is on the disk. */
export const postgres = Effect.acquireRelease(
  Effect.promise(() => startPostgres({ neededBy: "this group of figures needs", password: "only-for-the-bench" })),
  ({ stop }) => Effect.promise(stop)
)

/** A pool of its own, as a process has it. */
export const connect = ({ password, port, user }: PostgresAddress) =>
  Layer.build(Layer.fresh(PgClient.layer({
    host: "127.0.0.1",
    port,
    username: user,
    password: Redacted.make(password),
    database: "postgres",
    maxConnections: poolSize
  })))

export type Connection = Effect.Effect.Success<ReturnType<typeof connect>>

/** Sessions under the keys `user-0`, `user-1` …, all of generation 1. */
export interface Table {
  readonly tablePrefix: string
  readonly sessions: number
}

/** Makes the tables that clients use by default. */
export const prepare = (connection: Connection): Effect.Effect<unknown, unknown> =>
  Effect.provide(SqlMigrations.run(), connection)

export const storeOf = (connection: Connection, { tablePrefix }: Pick<Table, "tablePrefix">) =>
  Effect.provide(SqlTokenStore.make({ tablePrefix }), connection)

export const keyOf = (index: number): string => `user-${index}`

/** One row is written by the store itself; the others are copies of it, each under its own key. */
export const fill = (connection: Connection, table: Table): Effect.Effect<void, unknown> =>
  Effect.gen(function*() {
    const { sessions, tablePrefix } = table
    const sql = Context.get(connection, PgClient.PgClient)
    yield* Effect.provide(SqlMigrations.run({ tablePrefix }), connection)
    const store: TokenStore.TokenStoreService = yield* storeOf(connection, table)
    yield* store.replace(keyOf(0), SessionRecord.authorized(1, makeToken(Date.now())))
    const rows = sql(`${tablePrefix}sessions`)
    yield* sql`ALTER TABLE ${rows} DISABLE TRIGGER USER`
    yield* sql`INSERT INTO ${rows} (id, name, version, generation, state, unresolved, detail, renewed_at, payload)
      SELECT sha256(convert_to('user-' || n, 'UTF8')), 'user-' || n, version, generation, state, unresolved, detail,
        renewed_at + n, payload
      FROM ${rows}, generate_series(1, ${sql.literal(String(sessions - 1))}) AS n`
    yield* sql`ALTER TABLE ${rows} ENABLE TRIGGER USER`
    yield* sql`VACUUM (ANALYZE) ${rows}`
  })
