/** The stores that a worker may share with others. */
import type { PendingAuthorizations, TokenStore } from "@effect-oauth2/core"
import { FileCustody } from "@effect-oauth2/platform-node"
import { PostgresChanges, SqlCustody } from "@effect-oauth2/sql"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Layer, Redacted } from "effect"
import type { StoreSettings } from "./messages.js"

type Custody = Layer.Layer<
  TokenStore.TokenStore | PendingAuthorizations.PendingAuthorizations,
  unknown
>

export const databaseOf = ({ pool, port }: StoreSettings & { readonly kind: "postgres" }) =>
  PgClient.layer({
    host: "127.0.0.1",
    port,
    username: "postgres",
    password: Redacted.make("only-for-the-rig"),
    database: "postgres",
    maxConnections: pool
  })

export const custodyOf = (store: StoreSettings): Custody => {
  switch (store.kind) {
    case "files":
      return FileCustody.layer({ directory: store.directory })
    case "sqlite":
      return SqlCustody.layer().pipe(Layer.provide(SqliteClient.layer({ filename: store.filename })))
    case "postgres":
      return PostgresChanges.layer().pipe(Layer.provide(databaseOf(store)))
  }
}
