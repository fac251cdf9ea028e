/** A page with a store in IndexedDB and nothing else, whose database can be deleted under it. */
import * as IndexedDbTokenStore from "@effect-oauth2/platform-browser/IndexedDbTokenStore"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { record, told } from "./records.js"

const scope = Effect.runSync(Scope.make())
const store = Effect.runPromise(Scope.extend(IndexedDbTokenStore.make(), scope))

const page = {
  put: async (name: string) => {
    await Effect.runPromise((await store).replace("key", record(name)))
  },
  get: async () => told(await Effect.runPromise(Effect.either((await store).get("key")))),
  remove: async () => told(await Effect.runPromise(Effect.either((await store).remove("key")))),
  deleteDatabase: () =>
    new Promise<string>((resolve) => {
      const request = indexedDB.deleteDatabase("effect-oauth2")
      request.onsuccess = () => resolve("deleted")
      request.onerror = () => resolve("failed")
    }),
  /** Whether the key that is stored can be taken out. */
  exportKey: () =>
    new Promise<string>((resolve) => {
      const open = indexedDB.open("effect-oauth2")
      open.onsuccess = () => {
        const request = open.result.transaction("keys").objectStore("keys").getAll()
        request.onsuccess = () => {
          const [{ key }] = request.result as [{ readonly key: CryptoKey }]
          open.result.close()
          crypto.subtle.exportKey("raw", key).then(() => resolve("exported"), () => resolve("refused"))
        }
      }
    })
}

Object.assign(globalThis, { page })
export type Page = typeof page
