/** A page that makes as many stores of its tab as it is told to. */
import { OAuth2Crypto, webCrypto } from "@effect-oauth2/core/OAuth2Crypto"
import type { TokenStoreService } from "@effect-oauth2/core/TokenStore"
import * as SessionStorageTokenStore from "@effect-oauth2/platform-browser/SessionStorageTokenStore"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { record, told } from "./records.js"

interface Open {
  readonly store: TokenStoreService
  readonly scope: Scope.CloseableScope
}

const opened: Array<Open> = []

const open = async (): Promise<void> => {
  const scope = Effect.runSync(Scope.make())
  const store = await SessionStorageTokenStore.make.pipe(
    Scope.extend(scope),
    Effect.provideService(OAuth2Crypto, webCrypto),
    Effect.runPromise
  )
  opened.push({ store, scope })
}

const page = {
  /** So many more, at once. */
  open: async (count: number) => {
    await Promise.all(Array.from({ length: count }, open))
  },
  close: (index: number) => Effect.runPromise(Scope.close(opened[index]!.scope, Exit.void)),
  put: async (index: number, name: string) => {
    await Effect.runPromise(opened[index]!.store.replace("key", record(name)))
  },
  get: async (index: number) => told(await Effect.runPromise(Effect.either(opened[index]!.store.get("key"))))
}

Object.assign(globalThis, { page })
export type Page = typeof page
