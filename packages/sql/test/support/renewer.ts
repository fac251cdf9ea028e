/** A process of its own on a SQLite file: it makes the tables, then renews the session again
 * and again, and prints which generations it renewed. */
import * as SessionRecord from "@effect-oauth2/core/SessionRecord"
import * as TokenStore from "@effect-oauth2/core/TokenStore"
import * as SqlMigrations from "@effect-oauth2/sql/SqlMigrations"
import * as SqlTokenStore from "@effect-oauth2/sql/SqlTokenStore"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

const [filename = "", name = "", command = "renew"] = process.argv.slice(2)

const record = (generation: number) =>
  SessionRecord.authorized(generation, { accessToken: Redacted.make(name), tokenType: "Bearer", issuedAt: generation })

const claimOf = (generation: number): TokenStore.Claim => ({ generation, attempt: `${name}-${generation}` })

const renewOnce = (store: TokenStore.TokenStoreService): Effect.Effect<number, unknown> =>
  Effect.gen(function*() {
    const { generation } = Option.getOrThrow(yield* store.get("key"))
    const begun = yield* store.begin("key", claimOf(generation), Duration.minutes(1))
    if (begun._tag !== "Begun") return yield* Effect.zipRight(Effect.sleep(1), renewOnce(store))
    const committed = yield* store.commit("key", claimOf(generation), record(generation + 1))
    return committed._tag === "Committed" ? generation : yield* Effect.dieMessage("lost what it held")
  })

/** Begins, tells so, and never comes back. */
const hold = (store: TokenStore.TokenStoreService) =>
  Effect.gen(function*() {
    const { generation } = Option.getOrThrow(yield* store.get("key"))
    const begun = yield* store.begin("key", claimOf(generation), Duration.millis(500))
    process.stdout.write(`${begun._tag}\n`)
    return yield* Effect.never
  })

const program = Effect.gen(function*() {
  const store = yield* TokenStore.TokenStore
  process.stdout.write("ready\n")
  if (command === "migrate") return
  if (command === "hold") return yield* hold(store)
  const generations = yield* Effect.replicateEffect(renewOnce(store), 50)
  process.stdout.write(`${JSON.stringify(generations)}\n`)
})

await Effect.runPromise(
  Effect.provide(
    program,
    SqlTokenStore.layer().pipe(Layer.provide(SqlMigrations.layer()), Layer.provide(SqliteClient.layer({ filename })))
  )
)
