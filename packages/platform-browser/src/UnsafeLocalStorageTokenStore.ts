/**
 * Sessions of the origin in `localStorage`, in clear. What that gives up: every script that ever runs in the origin, in any
 * tab and at any time, can read the tokens and take them along, and they stay on the disk until somebody signs out.
 * `IndexedDbTokenStore` is shared by the same tabs, and encrypted.
 *
 * @since 0.1.0
 */
import { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import * as SharedKeeper from "@effect-oauth2/core/SharedKeeper"
import * as TokenStore from "@effect-oauth2/core/TokenStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as News from "./internal/news.js"
import { tokenStore } from "./internal/storedTexts.js"
import * as WebStorage from "./internal/webStorage.js"

const prefix = "effect-oauth2 session "

/**
 * `localStorage` has no step that reads and writes as one, so each operation runs under a Web Lock.
 *
 * Fails with `ConfigurationError`, field `localStorage` or `locks`. An operation fails with `StoreError`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<TokenStore.SharedStore, ConfigurationError, Scope.Scope> = Effect.gen(
  function*() {
    const storage = yield* WebStorage.storage("localStorage")
    const locks = (globalThis.navigator as { readonly locks?: LockManager }).locks
    if (locks === undefined) {
      return yield* new ConfigurationError({
        field: "locks",
        problem: "are not there: the page is no secure context, or the browser is old. Use IndexedDbTokenStore"
      })
    }
    const news = yield* News.make("effect-oauth2 localStorage")
    const alone = async <A>(act: () => A): Promise<A> =>
      await locks.request<A>("effect-oauth2 localStorage", () => act())
    return {
      durability: "durable",
      sharing: "origin",
      keeper: SharedKeeper.make,
      ...tokenStore(WebStorage.texts(storage, prefix, alone), news.tell),
      changes: news.changes
    }
  }
)

/**
 * The store as a layer. Name it once and provide that one value.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<TokenStore.TokenStore, ConfigurationError> = Layer.scoped(TokenStore.TokenStore, make)
