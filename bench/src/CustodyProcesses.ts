/** Programs that share a database, each in a process of its own. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { PostgresAddress } from "../../support/postgres.js"
import type * as Database from "./database.js"
import * as StoreWork from "./StoreWork.js"

/** How often a block does it. */
export const sizes = { ...StoreWork.sizes, refresh: 5, refreshInMemory: 5 }

export type Kind = keyof typeof sizes

export interface Settings {
  readonly server: PostgresAddress
  readonly table: Database.Table
  readonly share: StoreWork.Share
}

export interface CustodyProcess {
  /** Does a block of work, one at a time. */
  readonly run: (kind: Kind) => Promise<unknown>
}

/** So many of them, which divide the table's sessions among them, until the scope closes. */
export const start = (
  server: PostgresAddress,
  table: Database.Table,
  count: number
): Effect.Effect<ReadonlyArray<CustodyProcess>, never, Scope.Scope> =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => index),
    (index) => startOne({ server, table, share: { index, of: count } }),
    { concurrency: "unbounded" }
  )

/** Beside the program that starts it, where both are built. */
const path = fileURLToPath(new URL("custodyProcess.mjs", import.meta.url))

const startOne = (settings: Settings): Effect.Effect<CustodyProcess, never, Scope.Scope> =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => fork(path, [JSON.stringify(settings)])),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const ended = once(child, "exit").then(() =>
      Promise.reject(new Error("A process that uses the database has ended"))
    )
    ended.catch(() => {})
    const told = () => Promise.race([once(child, "message"), ended])
    yield* Effect.promise(told)
    return {
      run: (kind) => {
        child.send(kind)
        return told()
      }
    }
  })
