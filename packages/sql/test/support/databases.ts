/** Databases to hold stores against: fresh ones, opened as often as there are processes. */
import { SqlMigrations } from "@effect-oauth2/sql"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import * as SqlClient from "@effect/sql/SqlClient"
import { Context, Effect, Layer, Redacted } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inject } from "vitest"

let count = 0

/** No two of this run have the same: test files run beside each other in one database. */
const freshPrefix = () => `t${process.pid}_${count++}_`

export const postgresConfig = (over: Partial<PgClient.PgClientConfig> = {}): PgClient.PgClientConfig => {
  const { password, port, user } = inject("postgres")
  return {
    host: "127.0.0.1",
    port,
    username: user,
    password: Redacted.make(password),
    database: "postgres",
    maxConnections: 3,
    ...over
  }
}

/** A pool of its own, as a process has it. */
export const postgresClient = (over?: Partial<PgClient.PgClientConfig>) =>
  Layer.build(PgClient.layer(postgresConfig(over)))

/** A pool whose transactions are serializable unless they say otherwise. */
export const serializable = (): Partial<PgClient.PgClientConfig> => {
  const { password, port, user } = inject("postgres")
  const options = encodeURIComponent("-c default_transaction_isolation=serializable")
  return { url: Redacted.make(`postgres://${user}:${password}@127.0.0.1:${port}/postgres?options=${options}`) }
}

export interface PostgresStorage {
  readonly tablePrefix: string
  readonly client: Context.Context<PgClient.PgClient | SqlClient.SqlClient>
}

/** Tables that nobody else has. */
export const postgresStorage = Effect.gen(function*() {
  const tablePrefix = freshPrefix()
  const client = yield* postgresClient()
  yield* Effect.provide(SqlMigrations.run({ tablePrefix }), client)
  return { tablePrefix, client }
})

/** A connection of its own to the file, as a process has it. */
export const sqliteClient = (filename: string) => Layer.build(SqliteClient.layer({ filename }))

export const sqliteFile = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-oauth2-sqlite-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  ),
  (folder) => join(folder, "custody.db")
)

export interface SqliteStorage {
  readonly tablePrefix: string
  readonly filename: string
  readonly client: Context.Context<SqlClient.SqlClient>
}

export const sqliteStorage = Effect.gen(function*() {
  const filename = yield* sqliteFile
  const tablePrefix = "effect_oauth2_"
  const client = yield* sqliteClient(filename)
  yield* Effect.provide(SqlMigrations.run(), client)
  return { tablePrefix, filename, client }
})

type Storage = PostgresStorage | SqliteStorage

const sqlOf = (storage: { readonly client: Context.Context<SqlClient.SqlClient> }) =>
  Context.get(storage.client, SqlClient.SqlClient)

/** Changes a row behind the stores' back. */
const change = (table: "sessions" | "sign_ins", assignment: string) => (storage: Storage, key: string) => {
  const sql = sqlOf(storage)
  return sql`UPDATE ${sql(storage.tablePrefix + table)} SET ${
    sql.literal(assignment)
  } WHERE name = ${key} RETURNING name`.pipe(
    Effect.filterOrDieMessage((rows) => rows.length === 1, `no row of ${key}`)
  )
}

export const damage = {
  session: { corrupt: change("sessions", "payload = 'not JSON'"), newer: change("sessions", "version = 2") },
  signIn: { corrupt: change("sign_ins", "payload = '{}'"), newer: change("sign_ins", "version = 2") }
}
