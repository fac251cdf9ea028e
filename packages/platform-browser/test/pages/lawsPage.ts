/** The laws of every store and lease, in a page: a test asks for them one by one. */
import { StoreLaws } from "@effect-oauth2/core/testing"
import * as IndexedDbTokenStore from "@effect-oauth2/platform-browser/IndexedDbTokenStore"
import * as SessionStoragePendingAuthorizations from "@effect-oauth2/platform-browser/SessionStoragePendingAuthorizations"
import * as SessionStorageTokenStore from "@effect-oauth2/platform-browser/SessionStorageTokenStore"
import * as UnsafeLocalStorageTokenStore from "@effect-oauth2/platform-browser/UnsafeLocalStorageTokenStore"
import * as WebLocksLease from "@effect-oauth2/platform-browser/WebLocksLease"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { flags, type Suite } from "./lawFlags.js"

const emptied = (name: "localStorage" | "sessionStorage") =>
  Effect.acquireRelease(
    Effect.sync(() => {
      globalThis[name].clear()
      return globalThis[name]
    }),
    (storage) => Effect.sync(() => storage.clear())
  )

const rewrite = (prefix: string, change: (text: string) => string) => (storage: Storage, key: string) =>
  Effect.sync(() => storage.setItem(prefix + key, change(storage.getItem(prefix + key) ?? "")))

const damaged = (text: string) => text.slice(0, -10)
const later = (text: string) => text.replaceAll("\"version\":1", "\"version\":2")

const settled = <A>(request: IDBRequest<A>): Promise<A> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error("IndexedDB"))
  })

/** A database of its own, deleted afterwards. */
const database = Effect.acquireRelease(
  Effect.sync(() => `laws ${Math.random()}`),
  (name) => Effect.promise(() => settled(indexedDB.deleteDatabase(name)))
)

const rewriteRow = (change: (text: string) => string) => (name: string, key: string) =>
  Effect.promise(async () => {
    const connection = await settled(indexedDB.open(name))
    const store = connection.transaction("sessions", "readwrite").objectStore("sessions")
    await settled(store.put(change(String(await settled(store.get(key)))), key))
    connection.close()
  })

const session = "effect-oauth2 session "

const laws: Record<Suite, ReadonlyArray<StoreLaws.Law>> = {
  IndexedDB: StoreLaws.tokenStore({
    ...flags.IndexedDB,
    storage: database,
    open: (database) => IndexedDbTokenStore.make({ database }),
    corrupt: rewriteRow(damaged),
    newer: rewriteRow(later)
  }),
  localStorage: StoreLaws.tokenStore({
    ...flags.localStorage,
    storage: emptied("localStorage"),
    open: () => UnsafeLocalStorageTokenStore.make,
    corrupt: rewrite(session, damaged),
    newer: rewrite(session, later)
  }),
  sessionStorage: StoreLaws.tokenStore({
    ...flags.sessionStorage,
    storage: emptied("sessionStorage"),
    open: () => SessionStorageTokenStore.make,
    corrupt: rewrite(session, damaged),
    newer: rewrite(session, later)
  }),
  "sign-ins": StoreLaws.pendingAuthorizations({
    storage: emptied("sessionStorage"),
    open: () => SessionStoragePendingAuthorizations.make,
    corrupt: rewrite("effect-oauth2 sign-in ", damaged),
    newer: rewrite("effect-oauth2 sign-in ", later)
  }),
  "Web Locks": StoreLaws.refreshLease({
    storage: Effect.sync(() => undefined),
    open: () => WebLocksLease.make
  })
}

/** Checks a law. Returns what is wrong. */
const check = async (suite: Suite, title: string): Promise<string | undefined> => {
  const law = laws[suite].find((law) => law.title === title)
  if (law === undefined) return "There is no such law in the page"
  const exit = await Effect.runPromiseExit(Effect.scoped(law.check))
  return Exit.isSuccess(exit) ? undefined : Cause.pretty(exit.cause)
}

Object.assign(globalThis, { check })
export type Check = typeof check
