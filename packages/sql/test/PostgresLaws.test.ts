import { StoreLaws } from "@effect-oauth2/core/testing"
import { PostgresChanges, SqlPendingAuthorizations, SqlTokenStore } from "@effect-oauth2/sql"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect } from "effect"
import { damage, postgresClient, postgresStorage, serializable } from "./support/databases.js"

describe("SqlTokenStore on PostgreSQL", () => {
  const laws = StoreLaws.tokenStore({
    storage: postgresStorage,
    open: ({ tablePrefix }) =>
      Effect.flatMap(postgresClient(), (client) => Effect.provide(SqlTokenStore.make({ tablePrefix }), client)),
    ...damage.session
  })
  for (const law of laws) it.scopedLive(law.title, () => law.check)
})

describe("SqlTokenStore where every statement is serializable", () => {
  const laws = StoreLaws.tokenStore({
    storage: postgresStorage,
    open: ({ tablePrefix }) =>
      Effect.flatMap(
        postgresClient(serializable()),
        (client) => Effect.provide(SqlTokenStore.make({ tablePrefix }), client)
      )
  })
  for (const law of laws.filter(({ title }) => /at once|lost|takes over/.test(title))) {
    it.scopedLive(law.title, () => law.check)
  }

  it.scopedLive("the level is what it is said to be", () =>
    Effect.gen(function*() {
      const sql = Context.get(yield* postgresClient(serializable()), SqlClient.SqlClient)
      assert.deepStrictEqual(yield* sql`SHOW transaction_isolation`, [{ transaction_isolation: "serializable" }])
    }))
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
