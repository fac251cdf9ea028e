/**
 * Sessions in an SQL database, for all who share it: SQLite for the processes of one machine, PostgreSQL for many.
 *
 * Every change is one statement, atomic at READ COMMITTED: no transaction is open and no connection is held while a
 * token request is under way, so a pool of one is enough. Times are told by the database's clock. The tables are made by
 * `SqlMigrations`. What is stored is in clear: keep the database as you keep passwords.
 *
 * @since 0.1.0
 */
import { type ConfigurationError, StoreError } from "@effect-oauth2/core/OAuth2Error"
import type { SessionRecord } from "@effect-oauth2/core/SessionRecord"
import * as SharedKeeper from "@effect-oauth2/core/SharedKeeper"
import * as TokenStore from "@effect-oauth2/core/TokenStore"
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import * as Database from "./internal/database.js"
import * as SessionRow from "./internal/sessionRow.js"
import * as SessionStatements from "./internal/sessionStatements.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** What the names of the tables begin with: lower-case letters, digits and `_`. Default: `effect_oauth2_`. */
  readonly tablePrefix?: string | undefined
  /** The store's `changes`, for databases that can tell: see `PostgresChanges`. Default: it cannot. */
  readonly changes?: Stream.Stream<string> | undefined
}

/**
 * Fails with `ConfigurationError` when the database is neither PostgreSQL nor SQLite, or the prefix cannot be used.
 *
 * A record that cannot be read is a `StoreError`, reason `Corrupt`, and stays until somebody signs in or out under its
 * key; one of a newer version is one of reason `NewerVersion`, and stays. Whatever goes wrong with the database is of
 * reason `Unavailable`, and says neither statement nor value.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<TokenStore.SharedStore, ConfigurationError, SqlClient> =>
  Effect.map(Database.make(options), (database) => ({
    durability: "durable",
    sharing: database.dialect === "pg" ? "network" : "machine",
    keeper: SharedKeeper.make,
    ...operations(database, SessionStatements.make(database)),
    changes: options.changes
  }))

/**
 * The store as a layer. Name it once and provide that one value.
 *
 * @example
 * import { PendingAuthorizations } from "@effect-oauth2/core"
 * import { SqlMigrations, SqlTokenStore } from "@effect-oauth2/sql"
 * import { Layer } from "effect"
 *
 * // Sessions in the database, sign-ins under way in the memory of the one process that has them.
 * export const CustodyLive = Layer.merge(SqlTokenStore.layer(), PendingAuthorizations.layerMemory).pipe(
 *   Layer.provide(SqlMigrations.layer())
 * )
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<TokenStore.TokenStore, ConfigurationError, SqlClient> =>
  Layer.effect(TokenStore.TokenStore, make(options))

type Operations = Omit<TokenStore.Operations<StoreError>, "changes">

const operations = (
  { run }: Database.Database,
  statements: SessionStatements.SessionStatements
): Operations => {
  const read = (operation: string, row: SessionRow.Row | undefined) =>
    row === undefined ? Effect.succeed(undefined) : SessionRow.decode(operation, row)

  const current = (operation: string, key: string) =>
    Effect.flatMap(run(operation, statements.get(key)), (row) => read(operation, row))

  /** Nothing was changed: because the row is of a later version, or because there is none. */
  const refuseNewer = (operation: string, key: string) =>
    Effect.flatMap(
      run(operation, statements.get(key)),
      (row) =>
        row !== undefined && Number(row.version) > SessionRow.version
          ? new StoreError({ operation, reason: "NewerVersion" })
          : Effect.void
    )

  const begin: Operations["begin"] = (key, claim, hold) =>
    Effect.gen(function*() {
      const holdMillis = millisOf(hold)
      const row = yield* run("begin", statements.begin(key, claim, holdMillis))
      if (row !== undefined) return yield* begun(key, claim, row)
      const found = yield* run("begin", statements.getWithTime(key))
      const record = yield* read("begin", found?.row)
      const outcome = TokenStore.begin(record, claim, found?.now ?? 0, holdMillis)
      // It came free between the two statements.
      return outcome._tag === "Begun" ? yield* begin(key, claim, hold) : outcome
    })

  /** A record that cannot be read is left as it was. */
  const begun = (key: string, claim: TokenStore.Claim, row: SessionRow.Row) =>
    SessionRow.decode("begin", row).pipe(
      Effect.map((record): TokenStore.BeginOutcome => ({ _tag: "Begun", record })),
      Effect.tapError(() => Effect.ignore(release(key, claim, { unresolved: row.unresolved === 1 })))
    )

  const release: Operations["release"] = (key, claim, options) =>
    claim.generation === 0
      ? run("release", statements.removeClaimed(key, claim))
      : Effect.flatMap(
        SessionRow.encodeIdle("release", options),
        (state) => run("release", statements.release(key, claim, state))
      )

  const rename: Operations["rename"] = (from, to, hold) =>
    Effect.gen(function*() {
      const holdMillis = millisOf(hold)
      if (from !== to && (yield* run("rename", statements.rename(from, to, holdMillis)))) return { _tag: "Renamed" }
      const found = yield* run("rename", statements.getWithTime(from))
      const outcome = TokenStore.rename(yield* read("rename", found?.row), found?.now ?? 0, holdMillis)
      if (from === to || outcome._tag !== "Renamed") return outcome
      yield* refuseNewer("rename", to)
      // It came, came free, or could be written over, between the statements.
      return yield* rename(from, to, hold)
    })

  return {
    begin,
    release,
    get: (key) => Effect.map(current("get", key), Option.fromNullable),
    commit: (key, claim, next) =>
      Effect.gen(function*() {
        const columns = yield* SessionRow.encode("commit", next)
        return (yield* run("commit", statements.commit(key, claim, columns)))
          ? { _tag: "Committed" }
          : { _tag: "Lost", record: yield* current("commit", key) }
      }),
    replace: (key, record) =>
      Effect.gen(function*() {
        const columns = yield* SessionRow.encode("replace", record)
        const generation = yield* run("replace", statements.replace(key, columns))
        if (generation === undefined) return yield* new StoreError({ operation: "replace", reason: "NewerVersion" })
        return { ...record, generation }
      }),
    remove: (key) =>
      Effect.gen(function*() {
        const row = yield* run("remove", statements.remove(key))
        if (row !== undefined) return yield* Effect.option(SessionRow.decode("remove", row))
        yield* refuseNewer("remove", key)
        return Option.none<SessionRecord>()
      }),
    rename,
    idle: (options) => run("idle", statements.idle(options))
  }
}

/** Longer than anyone holds, and well within what the database can count. */
const longest = 1e15

const millisOf = (hold: Duration.Duration): number => Math.ceil(Math.min(Duration.toMillis(hold), longest))
