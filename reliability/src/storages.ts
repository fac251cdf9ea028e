/** The stores of a run: a PostgreSQL of the rig's own, and SQLite in a folder that goes with the run. */
import { SqlMigrations } from "@effect-oauth2/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect, Layer } from "effect"
import type { Scope } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startPostgres } from "../../support/postgres.js"
import { databaseOf } from "../processes/custody.js"
import type { Storage } from "./Rig.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-oauth2-reliability-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const files: Storage = {
  name: "files",
  open: Effect.map(folder, (directory) => ({ kind: "files", directory: join(directory, "sessions") } as const))
}

const sqlite: Storage = {
  name: "SQLite",
  open: Effect.gen(function*() {
    const filename = join(yield* folder, "custody.db")
    yield* Effect.orDie(Effect.provide(SqlMigrations.run(), SqliteClient.layer({ filename })))
    return { kind: "sqlite", filename } as const
  })
}

/** A database server that lasts as long as the scope. */
const postgresServer: Effect.Effect<number, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.promise(() =>
      startPostgres({ neededBy: "the rig needs", password: "only-for-the-rig", settings: ["max_connections=200"] })
    ),
    ({ stop }) => Effect.promise(stop)
  ),
  ({ port }) => port
)

/** What is there to keep sessions in. Sessions of one PostgreSQL are told apart by their keys. */
export const make: Effect.Effect<ReadonlyArray<Storage>, never, Scope.Scope> = Effect.gen(function*() {
  const port = yield* postgresServer
  const settings = { kind: "postgres", port, pool: 2 } as const
  yield* Effect.orDie(Effect.provide(SqlMigrations.run(), Layer.orDie(databaseOf(settings))))
  return [files, sqlite, { name: "PostgreSQL", open: Effect.succeed(settings) }]
})
