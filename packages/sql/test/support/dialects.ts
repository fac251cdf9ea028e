/** What is to be so on either database, and how to get at one. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { Context, Scope } from "effect"
import { Effect } from "effect"
import { postgresClient, postgresStorage, sqliteClient, sqliteStorage } from "./databases.js"

export interface Storage {
  readonly tablePrefix: string
  readonly client: Context.Context<SqlClient.SqlClient>
  /** A connection of another process. */
  readonly another: Effect.Effect<Context.Context<SqlClient.SqlClient>, unknown, Scope.Scope>
}

export const postgres: Effect.Effect<Storage, unknown, Scope.Scope> = Effect.map(
  postgresStorage,
  (storage) => ({ ...storage, another: postgresClient() })
)

export const sqlite: Effect.Effect<Storage, unknown, Scope.Scope> = Effect.map(
  sqliteStorage,
  (storage) => ({ ...storage, another: sqliteClient(storage.filename) })
)
