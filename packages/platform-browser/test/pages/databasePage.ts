/** A page with a store in IndexedDB and nothing else, whose database can be deleted under it. */
import * as SessionRecord from "@effect-oauth2/core/SessionRecord"
import * as IndexedDbTokenStore from "@effect-oauth2/platform-browser/IndexedDbTokenStore"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"

const scope = Effect.runSync(Scope.make())
const store = Effect.runPromise(Scope.extend(IndexedDbTokenStore.make(), scope))

const record = (name: string) =>
  SessionRecord.authorized(1, {
    accessToken: Redacted.make(`access-${name}`),
    tokenType: "Bearer",
    issuedAt: 0
  })

/** The access token, or why there is none. */
const told = (result: Either.Either<Option.Option<SessionRecord.SessionRecord>, { readonly reason: string }>) =>
  Either.match(result, {
    onLeft: ({ reason }) => reason,
    onRight: (found) => {
      const token = Option.getOrUndefined(found)?.token
      return token === undefined ? "nothing" : Redacted.value(token.accessToken)
    }
  })

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
