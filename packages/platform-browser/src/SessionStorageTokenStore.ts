/**
 * Sessions of one tab, which outlive its reloads: in `sessionStorage`.
 *
 * A tab that was duplicated, or opened by a script, begins with a copy of its opener's storage. A refresh token must not
 * be used from two places, so each has an owner: a tab holds a Web Lock for as long as it lives, and one that finds the
 * lock of its storage taken is a copy, which forgets its sessions and starts signed out. A page that holds a lock is not
 * kept in the back-forward cache.
 *
 * Where there are no Web Locks a page is taken for a copy unless it was reloaded, or reached by the back or forward button.
 *
 * Every script of the page can read what is stored.
 *
 * @since 0.1.0
 */
import { OAuth2Crypto } from "@effect-oauth2/core/OAuth2Crypto"
import type { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import * as SharedKeeper from "@effect-oauth2/core/SharedKeeper"
import * as TokenStore from "@effect-oauth2/core/TokenStore"
import * as Effect from "effect/Effect"
import { encodeBase64Url } from "effect/Encoding"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { tokenStore } from "./internal/storedTexts.js"
import * as WebStorage from "./internal/webStorage.js"

const prefix = "effect-oauth2 session "
const owner = "effect-oauth2 tab"

/** How long the document before a reload may take to let go of its lock, in milliseconds. */
const patience = 1_000

/**
 * Takes the tab's storage, for as long as the scope lasts. An operation fails with `StoreError`: `Unavailable` for want of
 * space, `Corrupt` and `NewerVersion` for what cannot be read.
 *
 * Fails with `ConfigurationError`, field `sessionStorage`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<TokenStore.SharedStore, ConfigurationError, Scope.Scope> = Effect.gen(
  function*() {
    const storage = yield* WebStorage.storage("sessionStorage")
    const crypto = yield* OAuth2Crypto
    const id = storage.getItem(owner)
    const isOwner = id !== null && (yield* own(id))
    if (!isOwner) {
      for (const [key] of WebStorage.entries(storage, prefix)) storage.removeItem(prefix + key)
      const ours = encodeBase64Url(yield* crypto.randomBytes(16))
      yield* own(ours)
      storage.setItem(owner, ours)
    }
    return {
      durability: "durable",
      sharing: "tab",
      keeper: SharedKeeper.make,
      ...tokenStore(WebStorage.texts(storage, prefix), () => {})
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

/** Holds the tab's lock until the scope closes. `false`: another document has it. */
const own = (id: string): Effect.Effect<boolean, never, Scope.Scope> =>
  Effect.suspend(() => {
    const locks = (globalThis.navigator as { readonly locks?: LockManager }).locks
    if (locks === undefined) return Effect.succeed(isSameDocument())
    return Effect.map(
      Effect.acquireRelease(
        Effect.async<(() => void) | undefined>((resume) => {
          const signal = AbortSignal.timeout(patience)
          locks.request(`${owner} ${id}`, { signal }, () =>
            new Promise<void>((release) =>
              resume(Effect.succeed(release))
            )).catch(() => resume(Effect.succeed(undefined)))
        }),
        (release) => Effect.sync(() => release?.())
      ),
      (release) => release !== undefined
    )
  })

const isSameDocument = (): boolean => {
  const [navigation] = performance.getEntriesByType("navigation")
  const type = navigation !== undefined && "type" in navigation ? navigation.type : "navigate"
  return type === "reload" || type === "back_forward"
}
