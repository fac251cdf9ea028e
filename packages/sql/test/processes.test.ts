/** Processes of the operating system on one SQLite file: locks that fibers of one process cannot meet. */
import { SessionRecord, type TokenStore } from "@effect-oauth2/core"
import { SqlTokenStore } from "@effect-oauth2/sql"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, Redacted, Schedule } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { sqliteClient, sqliteFile, sqliteStorage } from "./support/databases.js"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const renewer = fileURLToPath(new URL("./support/renewer.ts", import.meta.url))

/** The lines that the process prints, one after the other; it is killed at the end. */
const start = (...args: ReadonlyArray<string>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(process.execPath, ["--import", "tsx", renewer, ...args], {
          cwd: root,
          stdio: ["ignore", "pipe", "inherit"]
        })
        return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
      }),
      ({ child }) =>
        Effect.promise(() =>
          child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")
            ? once(child, "exit")
            : Promise.resolve([])
        )
    ),
    ({ child, lines }) => ({
      line: Effect.promise(async () => String((await lines.next()).value)),
      kill: Effect.promise(() => (child.kill("SIGKILL"), once(child, "exit")))
    })
  )

const record = SessionRecord.authorized(0, { accessToken: Redacted.make("first"), tokenType: "Bearer", issuedAt: 0 })

const storage = Effect.gen(function*() {
  const { client, filename } = yield* sqliteStorage
  const store: TokenStore.TokenStoreService = yield* Effect.provide(SqlTokenStore.make(), client)
  yield* store.replace("key", record)
  return { filename, store }
})

describe("SqlTokenStore on SQLite, over processes", () => {
  it.scopedLive("R39 S61 four processes that renew one session two hundred times lose no update, and each is made once", () =>
    Effect.gen(function*() {
      const { filename, store } = yield* storage
      const processes = yield* Effect.forEach(["a", "b", "c", "d"], (name) => start(filename, name), { concurrency: 4 })
      const said = yield* Effect.forEach(processes, ({ line }) => Effect.zip(line, line), { concurrency: 4 })
      const renewed = said.flatMap(([, generations]) => JSON.parse(generations) as ReadonlyArray<number>)
      assert.deepStrictEqual([...renewed].sort((a, b) => a - b), Array.from({ length: 200 }, (_, index) => index + 1))
      assert.strictEqual(Option.getOrThrow(yield* store.get("key")).generation, 201)
    }))

  it.scopedLive("R39 processes that start at once on a new file all find their tables", () =>
    Effect.gen(function*() {
      const filename = yield* sqliteFile
      const processes = yield* Effect.replicateEffect(start(filename, "starter", "migrate"), 4)
      const said = yield* Effect.forEach(processes, ({ line }) => line, { concurrency: 4 })
      assert.deepStrictEqual(said, ["ready", "ready", "ready", "ready"])
      const store = yield* Effect.provide(SqlTokenStore.make(), yield* sqliteClient(filename))
      assert.isTrue(Option.isNone(yield* store.get("key")))
    }))

  it.scopedLive("R12 what a killed process held is taken over within a second of its time, and its answer is in doubt", () =>
    Effect.gen(function*() {
      const { filename, store } = yield* storage
      const holder = yield* start(filename, "holder", "hold")
      assert.deepStrictEqual([yield* holder.line, yield* holder.line], ["ready", "Begun"])
      yield* holder.kill
      const { generation, state } = Option.getOrThrow(yield* store.get("key"))
      const until = state._tag === "Redeeming" ? state.until : 0
      const claim = { generation, attempt: "successor" }
      const begun = yield* Effect.retry(
        Effect.filterOrFail(store.begin("key", claim, Duration.minutes(1)), ({ _tag }) => _tag === "Begun"),
        Schedule.spaced("20 millis")
      )
      const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
      assert.isAtLeast(now, until)
      assert.isAtMost(now, until + 1_000)
      assert.isTrue(begun._tag === "Begun" && SessionRecord.isUnresolved(begun.record))
      yield* store.commit("key", claim, { ...record, generation: generation + 1 })
    }))
})
