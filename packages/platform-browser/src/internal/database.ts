/** An IndexedDB database with one store for records and one for keys, which is opened anew whenever it was lost. */
import { ConfigurationError, StoreError } from "@effect-oauth2/core/OAuth2Error"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { Step, Texts } from "./storedTexts.js"

export interface Database {
  /** The connection that there is, or a new one after it was lost: then with whatever is there now. */
  readonly connected: () => Promise<IDBDatabase>
}

export const unusable = new ConfigurationError({
  field: "indexedDB",
  problem: "cannot be used here. Private windows and settings may forbid it; use another store"
})

const stores = ["sessions", "keys"] as const

/** How long the browser may take to open a database, in milliseconds. */
const patience = 10_000

/** Until the scope closes. Whoever wants to delete or upgrade the database is not kept waiting. */
export const open = (name: string): Effect.Effect<Database, ConfigurationError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      let connection: Promise<IDBDatabase> | undefined
      const connected = () => {
        const here = connection ??= connect(name, () => {
          if (connection === here) connection = undefined
        })
        return here
      }
      const close = () => connection?.then((database) => database.close(), () => {})
      return Effect.tryPromise({ try: connected, catch: () => unusable }).pipe(
        Effect.timeoutFail({ duration: patience, onTimeout: () => unusable }),
        Effect.interruptible,
        Effect.as({ connected, close })
      )
    }),
    ({ close }) => Effect.promise(async () => close())
  )

const connect = (name: string, onLost: () => void): Promise<IDBDatabase> =>
  new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => {
      for (const store of stores) request.result.createObjectStore(store)
    }
    request.onerror = () => reject(request.error ?? new Error("IndexedDB did not open"))
    request.onsuccess = () => {
      const database = request.result
      database.onclose = onLost
      database.onversionchange = () => {
        database.close()
        onLost()
      }
      resolve(database)
    }
  }).catch((error: unknown) => {
    onLost()
    throw error
  })

/**
 * One transaction on a store: what `act` hands over is the answer once everything is on the disk. It is written as a whole
 * or not at all, and an interruption waits for it no longer and undoes nothing.
 */
export const transact = <A>(
  connection: IDBDatabase,
  operation: string,
  store: typeof stores[number],
  act: (store: IDBObjectStore, done: (answer: A) => void) => void,
  mode: "readwrite" | "readonly" = "readwrite"
): Effect.Effect<A, StoreError> =>
  Effect.tryPromise({
    try: () => {
      const transaction = connection.transaction(store, mode, { durability: "strict" })
      return new Promise<A>((resolve, reject) => {
        let answer: { readonly value: A } | undefined
        const failed = () => reject(transaction.error ?? new Error("The transaction was aborted"))
        transaction.onabort = failed
        transaction.onerror = failed
        transaction.oncomplete = () => answer === undefined ? failed() : resolve(answer.value)
        act(transaction.objectStore(store), (value) => {
          answer = { value }
        })
      })
    },
    catch: () => new StoreError({ operation, reason: "Unavailable" })
  })

/** The records of one connection as texts. */
export const texts = (database: IDBDatabase): Texts => ({
  step: <A>(
    operation: string,
    keys: ReadonlyArray<string>,
    act: (texts: ReadonlyArray<string | undefined>) => Step<A>
  ) =>
    Effect.flatten(
      transact<Either.Either<A, StoreError>>(database, operation, "sessions", (store, done) => {
        const requests = keys.map((key) => store.get(key))
        // Requests are answered in turn: the last is the last
        requests.at(-1)!.onsuccess = () => {
          const { answer, writes = [] } = act(requests.map(({ result }) => textOf(result)))
          for (const [key, text] of writes) {
            if (text === undefined) store.delete(key)
            else store.put(text, key)
          }
          done(answer)
        }
      })
    ),
  all: transact(database, "idle", "sessions", (store, done) => {
    const keys = store.getAllKeys()
    const values = store.getAll()
    values.onsuccess = () =>
      done(keys.result.flatMap((key, index): Array<readonly [string, string]> => {
        const text = textOf(values.result[index])
        return typeof key === "string" && text !== undefined ? [[key, text]] : []
      }))
  }, "readonly")
})

/** What is no text is no record either, and cannot be read. */
const textOf = (value: unknown): string | undefined => value === undefined || typeof value === "string" ? value : ""
