import { StoreLaws } from "@effect-oauth2/core/testing"
import { SqlPendingAuthorizations, SqlTokenStore } from "@effect-oauth2/sql"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { damage, sqliteClient, sqliteStorage } from "./support/databases.js"

describe("SqlTokenStore on SQLite", () => {
  const laws = StoreLaws.tokenStore({
    storage: sqliteStorage,
    open: ({ filename }) =>
      Effect.flatMap(sqliteClient(filename), (client) => Effect.provide(SqlTokenStore.make(), client)),
    ...damage.session
  })
  for (const law of laws) it.scopedLive(law.title, () => law.check)
})

describe("SqlPendingAuthorizations on SQLite", () => {
  const laws = StoreLaws.pendingAuthorizations({
    storage: sqliteStorage,
    open: ({ filename }) =>
      Effect.flatMap(sqliteClient(filename), (client) => Effect.provide(SqlPendingAuthorizations.make(), client)),
    ...damage.signIn
  })
  for (const law of laws) it.scopedLive(law.title, () => law.check)
})
