/** Looks for texts everywhere in a tab that outlives a page, as a script of the origin or a copy of the profile could. */
import * as Effect from "effect/Effect"
import type { Page as Tab } from "playwright-core"
import { promise } from "./house.js"

/** All that there is, by where it is. */
export type Found = Readonly<Record<Place, string>>

export type Place = "localStorage" | "sessionStorage" | "IndexedDB" | "cookies" | "caches" | "address" | "entries"

export const scan = (tab: Tab): Effect.Effect<Found> =>
  Effect.map(
    Effect.all([promise(() => tab.evaluate(look)), promise(() => tab.context().cookies())]),
    ([found, cookies]) => ({ ...found, cookies: found.cookies + JSON.stringify(cookies) })
  )

/** Where each of the texts is found. */
export const placesOf = (found: Found, texts: ReadonlyArray<string>): ReadonlyArray<Place> =>
  (Object.keys(found) as Array<Place>).filter((place) => texts.some((text) => found[place].includes(text)))

/** Runs in the page. */
const look = async (): Promise<Found> => {
  const settled = <A>(request: IDBRequest<A>): Promise<A> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error ?? new Error("IndexedDB"))
    })
  /** Texts, and bytes as texts, at whatever depth. */
  const textOf = (value: unknown): string => {
    if (typeof value === "string") return value
    if (value instanceof ArrayBuffer) return new TextDecoder("latin1").decode(value)
    if (ArrayBuffer.isView(value)) return new TextDecoder("latin1").decode(value)
    if (typeof value !== "object" || value === null) return String(value)
    const parts: Iterable<unknown> = Symbol.iterator in value ? value as Iterable<unknown> : Object.entries(value)
    return Array.from(parts, textOf).join("\n")
  }
  const databases: Array<string> = []
  for (const { name } of await indexedDB.databases()) {
    const database = await settled(indexedDB.open(name!))
    for (const store of Array.from(database.objectStoreNames)) {
      const records = database.transaction(store).objectStore(store)
      databases.push(name!, store, textOf(await settled(records.getAllKeys())), textOf(await settled(records.getAll())))
    }
    database.close()
  }
  const cached: Array<string> = []
  for (const name of await caches.keys()) {
    const cache = await caches.open(name)
    for (const request of await cache.keys()) {
      cached.push(request.url, await (await cache.match(request))!.text())
    }
  }
  return {
    localStorage: textOf({ ...localStorage }),
    sessionStorage: textOf({ ...sessionStorage }),
    IndexedDB: databases.join("\n"),
    cookies: document.cookie,
    caches: cached.join("\n"),
    address: [location.href, document.referrer, window.name, JSON.stringify(history.state)].join("\n"),
    entries: performance.getEntries().map(({ name }) => name).join("\n")
  }
}
