import { StoreLaws } from "@effect-oauth2/core/testing"
import { PostgresChanges, SqlPendingAuthorizations, SqlTokenStore } from "@effect-oauth2/sql"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { damage, postgresClient, postgresStorage } from "./support/databases.js"

describe("SqlTokenStore on PostgreSQL", () => {
  const laws = StoreLaws.tokenStore({
    storage: postgresStorage,
    open: ({ tablePrefix }) =>
      Effect.flatMap(postgresClient(), (client) => Effect.provide(SqlTokenStore.make({ tablePrefix }), client)),
    ...damage.session
  })
  for (const law of laws) it.scopedLive(law.title, () => law.check)
})

describe("SqlTokenStore that hears of changes", () => {
  const laws = StoreLaws.tokenStore({
    storage: postgresStorage,
    open: ({ tablePrefix }) =>
      Effect.flatMap(postgresClient(), (client) =>
        PostgresChanges.make({ tablePrefix }).pipe(
          Effect.flatMap((changes) => SqlTokenStore.make({ tablePrefix, changes })),
          Effect.provide(client)
        )),
    changes: true,
    ...damage.session
  })
  for (const law of laws.filter(({ title }) => /changes|tells/.test(title))) it.scopedLive(law.title, () => law.check)
})

describe("SqlPendingAuthorizations on PostgreSQL", () => {
  const laws = StoreLaws.pendingAuthorizations({
    storage: postgresStorage,
    open: ({ tablePrefix }) =>
      Effect.flatMap(
        postgresClient(),
        (client) => Effect.provide(SqlPendingAuthorizations.make({ tablePrefix }), client)
      ),
    ...damage.signIn
  })
  for (const law of laws) it.scopedLive(law.title, () => law.check)
})
