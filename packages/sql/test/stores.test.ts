import { type OAuth2Error, PendingAuthorization, SessionRecord, type TokenStore } from "@effect-oauth2/core"
import { SqlCustody, SqlMigrations, SqlPendingAuthorizations, SqlTokenStore } from "@effect-oauth2/sql"
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Statement from "@effect/sql/Statement"
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Layer, Logger, Option, Redacted, Schema } from "effect"
import { readFileSync } from "node:fs"
import { leaks } from "../../core/test/secrecy.js"
import { recorder } from "../../core/test/spans.js"
import { postgresClient, postgresStorage } from "./support/databases.js"
import { postgres, sqlite, type Storage } from "./support/dialects.js"

let count = 0

const hold = Duration.minutes(1)

const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"))

interface GoldenRow {
  readonly record: string
  readonly row: Readonly<Record<string, string | number | null>>
}

const goldenRows = readJson("./golden/session-rows.v1.json") as ReadonlyArray<GoldenRow>

const goldenRecord = (name: string) => readJson(`../../core/test/golden/session-record.${name}.v1.json`)

const goldenPending = readJson("../../core/test/golden/pending-authorization.v1.json")

const sqlOf = ({ client }: Storage) => Context.get(client, SqlClient.SqlClient)

const storeOf = ({ client, tablePrefix }: Storage) => Effect.provide(SqlTokenStore.make({ tablePrefix }), client)

const tableOf = (storage: Storage, name: string) => sqlOf(storage)(storage.tablePrefix + name)

/** What the store writes under a name besides the columns that are to be inserted, and what it makes of the name. */
const insert = (storage: Storage, table: string, name: string, row: GoldenRow["row"]) =>
  Effect.gen(function*() {
    const sql = sqlOf(storage)
    yield* sql`INSERT INTO ${tableOf(storage, table)} ${sql.insert({ ...row, ...(yield* keyOf(storage, name)) })}`
  })

const keyOf = (storage: Storage, name: string) => {
  const sql = sqlOf(storage)
  return sql.onDialectOrElse({
    pg: () =>
      Effect.map(
        sql<{ id: Uint8Array }>`SELECT sha256(convert_to(${name}, 'UTF8')) AS id`,
        ([row]) => ({ ...row, name })
      ),
    orElse: () => Effect.succeed({ name })
  })
}

const refusalOf = (operation: Effect.Effect<unknown, OAuth2Error.StoreError>) =>
  Effect.match(operation, { onFailure: ({ _tag, reason }) => `${_tag} ${reason}`, onSuccess: () => "none" })

const secret = "canary-that-nobody-may-see"

const record = (name: string): SessionRecord.SessionRecord =>
  SessionRecord.authorized(0, {
    accessToken: Redacted.make(name),
    tokenType: "Bearer",
    issuedAt: 0,
    refreshToken: Redacted.make(`${name}-refresh`)
  })

const begin = (store: TokenStore.TokenStoreService, generation: number) =>
  store.begin("key", { generation, attempt: "a" }, hold)

for (const [dialect, storage] of Object.entries({ postgres, sqlite })) {
  describe(`on ${dialect}`, () => {
    it.scopedLive("R39 a store says who sees it: the network, or the machine", () =>
      Effect.gen(function*() {
        const { durability, sharing } = yield* storeOf(yield* storage)
        assert.deepStrictEqual([durability, sharing], ["durable", dialect === "postgres" ? "network" : "machine"])
      }))

    it.scopedLive("R40 rows that version 1 wrote are read as what they were, and written as they were", () =>
      Effect.gen(function*() {
        const here = yield* storage
        const sql = sqlOf(here)
        const store = yield* storeOf(here)
        const table = tableOf(here, "sessions")
        const text = (value: string | number | null | undefined) => typeof value === "number" ? `${value}` : value
        for (const { record, row } of goldenRows) {
          yield* insert(here, "sessions", record, row)
          const found = Option.getOrThrow(yield* store.get(record))
          const encoded: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(SessionRecord.SessionRecord)(found)))
          assert.deepStrictEqual(encoded, goldenRecord(record))
          yield* store.replace("written", { ...found, generation: 0 })
          const written = (yield* sql<GoldenRow["row"]>`SELECT * FROM ${table} WHERE name = 'written'`)[0] ?? {}
          for (const column of Object.keys(row).filter((column) => column !== "generation")) {
            assert.strictEqual(text(written[column]), text(row[column]), column)
          }
          yield* store.remove("written")
        }
      }))

    it.scopedLive("R40 rows of a newer version are refused by every operation, and stay to the letter", () =>
      Effect.gen(function*() {
        const here = yield* storage
        const sql = sqlOf(here)
        const store = yield* storeOf(here)
        for (const { record, row } of goldenRows) {
          yield* insert(here, "sessions", record, {
            ...row,
            version: 2,
            payload: "what version 2 has",
            state: "Asleep"
          })
        }
        yield* store.replace("mine", record("mine"))
        const rows = sql`SELECT * FROM ${tableOf(here, "sessions")} ORDER BY name`
        const before = yield* rows
        for (const { record: key, row } of goldenRows) {
          const claim = { generation: Number(row["generation"]), attempt: String(row["attempt"]) }
          const operations = [
            store.get(key),
            store.begin(key, claim, hold),
            store.commit(key, claim, record("x")),
            store.replace(key, record("x")),
            store.remove(key),
            store.rename(key, "elsewhere", hold),
            store.rename("mine", key, hold)
          ]
          for (const operation of operations) {
            assert.strictEqual(yield* refusalOf(operation), "StoreError NewerVersion")
          }
          yield* store.release(key, claim, { unresolved: false })
        }
        assert.deepStrictEqual(yield* rows, before)
      }))

    it.scopedLive("R40 a pending authorization that version 1 wrote is read", () =>
      Effect.gen(function*() {
        const here = yield* storage
        const store = yield* Effect.provide(
          SqlPendingAuthorizations.make({ tablePrefix: here.tablePrefix }),
          here.client
        )
        const payload = JSON.stringify(goldenPending)
        yield* insert(here, "sign_ins", "golden", { version: 1, expires_at: 1_767_226_200_000, consumed: 0, payload })
        const found = yield* store.get("golden")
        assert.isDefined(found)
        const encoded = found && Schema.encodeSync(PendingAuthorization.PendingAuthorization)(found)
        assert.deepStrictEqual(JSON.parse(JSON.stringify(encoded)), goldenPending)
      }))

    it.scopedLive("R39 damage of every kind to a row is a typed error, and the row stays to the letter", () =>
      Effect.gen(function*() {
        const here = yield* storage
        const sql = sqlOf(here)
        const store = yield* storeOf(here)
        const damages = [
          "payload = ''",
          "payload = '[]'",
          "payload = '{\"token\":1}'",
          "payload = 'null'",
          "state = 'Asleep'",
          "state = 'Redeeming'",
          "state = 'Dead'",
          "version = 0"
        ]
        for (const damage of damages) {
          yield* store.remove("key")
          yield* store.replace("key", record("x"))
          yield* sql`UPDATE ${tableOf(here, "sessions")} SET ${sql.literal(damage)}`
          const rows = sql`SELECT * FROM ${tableOf(here, "sessions")}`
          const before = yield* rows
          for (
            const operation of [
              store.get("key"),
              begin(store, 1),
              store.commit("key", { generation: 1, attempt: "" }, record("x"))
            ]
          ) {
            assert.strictEqual(yield* refusalOf(operation), "StoreError Corrupt", damage)
          }
          assert.deepStrictEqual(yield* rows, before, damage)
        }
      }))

    it.scopedLive("R39 keys with what databases cannot hold are still different keys", () =>
      Effect.gen(function*() {
        const store = yield* storeOf(yield* storage)
        const keys = [
          "a\u0000",
          "a",
          "a\u0000\u0000",
          "\ud800",
          "\ud801",
          "\udc00",
          "\ufffd",
          "\\0000",
          "\\ud800",
          "\\",
          "\\\\"
        ]
        for (const [index, key] of keys.entries()) yield* store.replace(key, record(`key-${index}`))
        for (const [index, key] of keys.entries()) {
          const found = Option.getOrThrow(yield* store.get(key))
          assert.deepStrictEqual(found, { ...record(`key-${index}`), generation: 1 })
        }
        const idle = yield* store.idle?.({ prefix: "", renewedBefore: Infinity, limit: Infinity }) ?? Effect.succeed([])
        assert.sameMembers([...idle], keys)
      }))

    it.scopedLive("R39 many processes may make the tables at once, and again at each start", () =>
      Effect.gen(function*() {
        const here = yield* storage
        const processes = yield* Effect.replicateEffect(here.another, 6)
        const tablePrefix = `m${here.tablePrefix}`
        yield* Effect.forEach(processes, (client) => Effect.provide(SqlMigrations.run({ tablePrefix }), client), {
          concurrency: "unbounded"
        })
        const store = yield* Effect.provide(SqlTokenStore.make({ tablePrefix }), here.client)
        yield* store.replace("key", record("x"))
        yield* Effect.provide(SqlMigrations.run({ tablePrefix }), here.client)
        assert.isTrue(Option.isSome(yield* store.get("key")))
      }))

    it.scopedLive("tables of others under the same names are a typed error, and are left alone", () =>
      Effect.gen(function*() {
        const { client } = yield* storage
        const sql = Context.get(client, SqlClient.SqlClient)
        const prefix = `others${count++}_`
        yield* sql`CREATE TABLE ${sql(`${prefix}sign_ins`)} (mine integer)`
        const error = yield* Effect.flip(Effect.provide(SqlMigrations.run({ tablePrefix: prefix }), client))
        assert.include(["MigrationError", "SqlError"], error._tag)
        assert.deepStrictEqual(yield* sql`SELECT mine FROM ${sql(`${prefix}sign_ins`)}`, [])
      }))

    it.scopedLive("R39 without the tables the store is unavailable, and says so typed", () =>
      Effect.gen(function*() {
        const { client } = yield* storage
        const store = yield* Effect.provide(SqlTokenStore.make({ tablePrefix: "absent_" }), client)
        const error = yield* Effect.flip(store.get("key"))
        assert.deepInclude(error, { _tag: "StoreError", operation: "get", reason: "Unavailable" })
      }))

    it.scopedLive("R39 a renewal is kept although the transaction around it is rolled back", () =>
      Effect.gen(function*() {
        const here = yield* storage
        const store = yield* Effect.flatMap(here.another, (client) => storeOf({ ...here, client }))
        yield* store.replace("key", record("first"))
        yield* begin(store, 1)
        const next = { ...record("second"), generation: 2 }
        const sql = sqlOf(here)
        yield* Effect.exit(
          sql.withTransaction(
            Effect.zipRight(store.commit("key", { generation: 1, attempt: "a" }, next), Effect.fail("no"))
          )
        )
        assert.deepStrictEqual(yield* store.get("key"), Option.some(next))
      }))

    it.scopedLive("S74 S76 no token is in a span, a log or an error, even when the database quotes the row", () =>
      Effect.gen(function*() {
        const here = yield* storage
        const sql = sqlOf(here)
        const { spans, tracer } = recorder()
        const logged: Array<unknown> = []
        const logger = Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ cause, message }) => void logged.push(message, cause))
        )
        const store = yield* storeOf(here)
        const errors = yield* Effect.gen(function*() {
          yield* store.replace("key", record(secret))
          yield* store.get("key")
          yield* begin(store, 1)
          yield* store.commit("key", { generation: 1, attempt: "a" }, { ...record(secret), generation: 2 })
          yield* sql`ALTER TABLE ${
            tableOf(here, "sessions")
          } ADD COLUMN tenant integer NOT NULL DEFAULT 0 CHECK (tenant = 0)`
          yield* sql`CREATE UNIQUE INDEX ${tableOf(here, "one")} ON ${tableOf(here, "sessions")} (payload)`
          return [yield* Effect.exit(store.replace("other", record(secret)))]
        }).pipe(Effect.withSpan("program"), Effect.withTracer(tracer), Effect.provide(logger))
        assert.isTrue(errors.every(Exit.isFailure))
        assert.isAbove(spans.length, 0)
        assert.deepStrictEqual(leaks({ spans, logged, errors }, [secret, "INSERT INTO"]), [])
      }))
  })
}

describe("on PostgreSQL", () => {
  it.scopedLive("S74 the database's own error does quote the row, which the store's does not", () =>
    Effect.gen(function*() {
      const here = yield* postgres
      const sql = sqlOf(here)
      const store = yield* storeOf(here)
      yield* sql`ALTER TABLE ${tableOf(here, "sessions")} ADD CONSTRAINT none CHECK (generation > 100)`
      const own = yield* Effect.flip(insert(here, "sessions", "key", { ...goldenRows[0]!.row, payload: secret }))
      assert.isNotEmpty(leaks(own, [secret]))
      const error = yield* Effect.flip(store.replace("key", record(secret)))
      assert.deepInclude(error, { _tag: "StoreError", operation: "replace", reason: "Unavailable" })
      assert.deepStrictEqual(leaks(error, [secret]), [])
    }))

  it.scopedLive("R39 names that are transformed by the program's client are not by the store", () =>
    Effect.gen(function*() {
      const { tablePrefix } = yield* postgresStorage
      const client = yield* postgresClient({
        transformQueryNames: (name) => name.toUpperCase(),
        transformResultNames: (name) => name.toUpperCase()
      })
      const store = yield* Effect.provide(SqlTokenStore.make({ tablePrefix }), client)
      yield* store.replace("key", record("x"))
      assert.deepStrictEqual(yield* store.get("key"), Option.some({ ...record("x"), generation: 1 }))
    }))
})

describe("what cannot be used", () => {
  const other = (dialect: "mysql" | "mssql" | "clickhouse") =>
    Layer.effect(
      SqlClient.SqlClient,
      SqlClient.make({
        acquirer: Effect.die("nothing is to be asked of it"),
        compiler: Statement.makeCompiler({
          dialect,
          placeholder: () => "?",
          onIdentifier: (name) => name,
          onRecordUpdate: () => ["", []],
          onCustom: () => ["", []]
        }),
        spanAttributes: []
      })
    ).pipe(Layer.provide(Reactivity.layer))

  for (const dialect of ["mysql", "mssql", "clickhouse"] as const) {
    it.scoped(`a ${dialect} database is refused when the layer is built, before anything is asked of it`, () =>
      Effect.gen(function*() {
        for (const layer of [SqlCustody.layer(), SqlMigrations.layer()]) {
          const error = yield* Effect.flip(Layer.build(Layer.provide(layer, other(dialect))))
          assert.deepInclude(error, { _tag: "ConfigurationError", field: "SqlClient" })
        }
      }))
  }

  it.scopedLive("A prefix that is more than a plain name is refused when the layer is built", () =>
    Effect.gen(function*() {
      const { client } = yield* sqlite
      for (const tablePrefix of ["", "1a", "A", "a-b", "a;b", "a b", "a\"", "public.a", "ä", "a".repeat(41)]) {
        for (const layer of [SqlCustody.layer({ tablePrefix }), SqlMigrations.layer({ tablePrefix })]) {
          const error = yield* Effect.flip(Layer.build(Layer.provide(layer, Layer.succeedContext(client))))
          assert.deepInclude(error, { _tag: "ConfigurationError", field: "tablePrefix" })
        }
      }
    }))
})
