/**
 * What other machines did to sessions, as PostgreSQL tells it: `LISTEN` and `NOTIFY`.
 *
 * One connection beside the pool listens for the whole layer. It has to be one to the database itself: a pooler that
 * hands out a connection for each transaction, such as PgBouncer, lets nothing through. When it breaks, it is made anew,
 * and until then nothing is told, which costs those who wait a look at the database every now and then, and nothing
 * else.
 *
 * @since 0.1.0
 */
import type { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import type { PendingAuthorizations } from "@effect-oauth2/core/PendingAuthorizations"
import { TokenStore } from "@effect-oauth2/core/TokenStore"
import type { PgClient } from "@effect/sql-pg/PgClient"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Database from "./internal/database.js"
import * as storedText from "./internal/storedText.js"
import { tablesOf } from "./internal/tables.js"
import * as SqlPendingAuthorizations from "./SqlPendingAuthorizations.js"
import * as SqlTokenStore from "./SqlTokenStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** What the names of the tables begin with: lower-case letters, digits and `_`. Default: `effect_oauth2_`. */
  readonly tablePrefix?: string | undefined
  /** How often the connection is made sure of, by a notification to oneself. Default: 10 seconds. */
  readonly heartbeat?: Duration.DurationInput | undefined
  /** How long such a notification may take before the connection is made anew. Default: 2 seconds. */
  readonly patience?: Duration.DurationInput | undefined
}

/**
 * The keys of sessions that changed, whoever changed them, from the subscription on, for as long as the scope is open.
 *
 * Fails with `ConfigurationError` when the prefix cannot be used. That the database cannot be reached is no failure: it
 * is tried again and again.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Stream.Stream<string>, ConfigurationError, PgClient | Scope.Scope> =>
  Effect.gen(function*() {
    const client = yield* PgClientTag
    const { sessions: channel } = yield* tablesOf(options)
    const database = yield* Effect.provideService(Database.make(options), SqlClient.SqlClient, client)
    const told = yield* Effect.acquireRelease(PubSub.sliding<string>(1_024), PubSub.shutdown)
    const hear = (message: string) =>
      Effect.flatMap(keyOf(database, message), (key) => key === undefined ? Effect.void : PubSub.publish(told, key))
    yield* Effect.forkScoped(
      Effect.retry(Effect.sandbox(listen(client, database, channel, options, hear)), again)
    )
    return Stream.fromPubSub(told)
  })

/**
 * The custody of `SqlCustody`, whose store tells of what other machines did: those who wait for a sibling's renewal go on
 * as soon as it is committed.
 *
 * @example
 * import { PgClient } from "@effect/sql-pg"
 * import { PostgresChanges, SqlMigrations } from "@effect-oauth2/sql"
 * import { Config, Layer } from "effect"
 *
 * export const CustodyLive = PostgresChanges.layer().pipe(
 *   Layer.provide(SqlMigrations.layer()),
 *   Layer.provide(PgClient.layerConfig({ url: Config.redacted("DATABASE_URL") }))
 * )
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<TokenStore | PendingAuthorizations, ConfigurationError, PgClient | SqlClient.SqlClient> =>
  Layer.merge(layerTokenStore(options), SqlPendingAuthorizations.layer(options))

/**
 * The store of `SqlTokenStore`, which tells of what other machines did.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTokenStore = (
  options: Options = {}
): Layer.Layer<TokenStore, ConfigurationError, PgClient | SqlClient.SqlClient> =>
  Layer.scoped(
    TokenStore,
    Effect.flatMap(make(options), (changes) => SqlTokenStore.make({ ...options, changes }))
  )

/** The tag of `@effect/sql-pg`, by its name, so that this module can be loaded where that package is not installed. */
const PgClientTag = Context.GenericTag<PgClient>("@effect/sql-pg/PgClient")

const again = Schedule.exponential("100 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.resetAfter("1 minute")
)

const beat = "beat"

/** At first the connection has yet to be made, and nothing is heard. */
const betweenBeats = Duration.millis(200)

/** Listens until the connection is known to be broken: it says nothing by itself when it is. */
const listen = (
  client: PgClient,
  database: Database.Database,
  channel: string,
  options: Options,
  hear: (message: string) => Effect.Effect<unknown>
): Effect.Effect<never, unknown> =>
  Effect.gen(function*() {
    const heard = yield* Queue.sliding<void>(1)
    const listening = Stream.runForEach(client.listen(channel), (message) =>
      Effect.zipRight(Queue.offer(heard, undefined), hear(message)))
    return yield* Effect.raceFirst(
      // What is broken may take its time to end.
      Effect.zipRight(Effect.disconnect(listening), Effect.fail("the connection has ended")),
      stayInTouch(database, channel, options, heard)
    )
  })

/** Makes sure, every now and then, that something is heard. Whatever it is, it is a sign of life. */
const stayInTouch = (
  { run, sql }: Database.Database,
  channel: string,
  { heartbeat = "10 seconds", patience = "2 seconds" }: Options,
  heard: Queue.Dequeue<void>
): Effect.Effect<never, unknown> => {
  const notify = run("changes", sql`SELECT pg_notify(${channel}, ${beat})`).pipe(
    Effect.disconnect,
    Effect.timeout(patience)
  )
  const attempts = Math.ceil(Duration.toMillis(patience) / Duration.toMillis(betweenBeats))
  const makeSure = Effect.zipRight(notify, Effect.timeout(Queue.take(heard), betweenBeats)).pipe(
    Effect.retry({ times: attempts, while: ({ _tag }) => _tag === "TimeoutException" })
  )
  return Queue.takeAll(heard).pipe(
    Effect.zipRight(makeSure),
    Effect.zipRight(Effect.sleep(Duration.decode(heartbeat))),
    Effect.forever
  )
}

/** The key that a notification is about: its name or, where that is too long to be sent, the digest of it. */
const keyOf = (database: Database.Database, message: string): Effect.Effect<string | undefined> => {
  if (message.startsWith("name:")) return Effect.succeed(storedText.decode(message.slice("name:".length)))
  if (!message.startsWith("id:")) return Effect.succeed(undefined)
  const { run, sessions, sql } = database
  const id = message.slice("id:".length)
  return run("changes", sql<{ name: string }>`SELECT name FROM ${sessions} WHERE id = decode(${id}, 'hex')`).pipe(
    Effect.map(([row]) => row && storedText.decode(row.name)),
    Effect.orElseSucceed(() => undefined)
  )
}
