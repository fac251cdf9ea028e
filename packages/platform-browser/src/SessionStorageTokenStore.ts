/**
 * Sessions of one tab, which outlive its reloads: in `sessionStorage`.
 *
 * A tab that was duplicated, or opened by a script, begins with a copy of its opener's storage. A refresh token must not
 * be used from two places, so each has an owner: a tab holds a Web Lock for as long as it lives, and one that finds the
 * lock of its storage taken is a copy, which forgets its sessions and starts signed out. A page that holds a lock is not
 * kept in the back-forward cache.
 *
 * A frame shares the storage of the tab's page, if both are of one origin, as in a silent sign-in. It leaves to the page
 * what is the page's, and keeps sessions of its own in memory.
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
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { encodeBase64Url } from "effect/Encoding"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { abandoned, tokenStore } from "./internal/storedTexts.js"
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
export const make: Effect.Effect<TokenStore.TokenStoreService, ConfigurationError, Scope.Scope> = Effect.gen(
  function*() {
    const storage = yield* taken
    if (storage === "another page's") return yield* TokenStore.makeMemory
    return {
      durability: "durable",
      sharing: "tab",
      keeper: SharedKeeper.make,
      ...tokenStore(WebStorage.texts(storage, prefix), () => {})
    }
  }
)

/** A tab, or a copy of one, begins signed out. */
const begin = (storage: Storage, id: string): void => {
  for (const [key] of WebStorage.entries(storage, prefix)) storage.removeItem(prefix + key)
  storage.setItem(owner, id)
}

/** Whoever redeemed in the document before this one will not end it. */
const inherit = (storage: Storage): void => {
  for (const [key, text] of WebStorage.entries(storage, prefix)) storage.setItem(prefix + key, abandoned(text))
}

/**
 * The store as a layer. Name it once and provide that one value.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<TokenStore.TokenStore, ConfigurationError> = Layer.scoped(TokenStore.TokenStore, make)

/** What this document has of its tab, and how many of its stores have it together. */
let shared: { stores: number; readonly tab: Deferred.Deferred<TakenTab, ConfigurationError> } | undefined

interface TakenTab {
  readonly storage: Storage | "another page's"
  readonly release: () => void
}

/** The tab's storage, taken by the first of the document's stores and let go of by the last: between them no other comes. */
const taken: Effect.Effect<TakenTab["storage"], ConfigurationError, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.suspend(() => {
      if (shared !== undefined) {
        shared.stores++
        return Deferred.await(shared.tab)
      }
      const tab = Deferred.unsafeMake<TakenTab, ConfigurationError>(FiberId.none)
      shared = { stores: 1, tab }
      return Effect.zipRight(Effect.intoDeferred(take, tab), Deferred.await(tab))
    }).pipe(Effect.tapErrorCause(() => Effect.sync(leave))),
    ({ release }) =>
      Effect.sync(() => {
        if (leave() === 0) release()
      })
  ),
  ({ storage }) => storage
)

/** How many stores are left. */
const leave = (): number => {
  const left = shared === undefined ? 0 : --shared.stores
  if (left === 0) shared = undefined
  return left
}

const take: Effect.Effect<TakenTab, ConfigurationError> = Effect.gen(function*() {
  const storage = yield* WebStorage.storage("sessionStorage")
  const crypto = yield* OAuth2Crypto
  const id = storage.getItem(owner)
  if (id !== null) {
    const release = yield* lock(id)
    if (release !== undefined) return yield* takenAs(id, release, storage, inherit)
    if (isFrame()) return { storage: "another page's", release: () => {} }
  }
  const ours = encodeBase64Url(yield* crypto.randomBytes(16))
  return yield* takenAs(ours, (yield* lock(ours)) ?? (() => {}), storage, begin)
})

const takenAs = (
  id: string,
  release: () => void,
  storage: Storage,
  prepare: (storage: Storage, id: string) => void
): Effect.Effect<TakenTab, ConfigurationError> =>
  Effect.try({
    try: () => {
      prepare(storage, id)
      latest = id
      return { storage, release }
    },
    catch: () => {
      release()
      return WebStorage.unusable("sessionStorage")
    }
  })

/** The tab that this document has, or had last. */
let latest: string | undefined

/** Takes the tab's lock, and gives how to let go of it. `undefined`: another document has it. */
const lock = (id: string): Effect.Effect<(() => void) | undefined> =>
  Effect.async((resume) => {
    const { locks } = globalThis.navigator as { readonly locks?: LockManager }
    if (locks === undefined) return resume(Effect.succeed(id === latest || isSameDocument() ? () => {} : undefined))
    // The page around a frame keeps the lock for longer than the frame is there
    const options = isFrame() ? { ifAvailable: true } : { signal: AbortSignal.timeout(patience) }
    locks.request(`${owner} ${id}`, options, (lock) =>
      lock === null
        ? resume(Effect.succeed(undefined))
        : new Promise<void>((release) => resume(Effect.succeed(release)))).catch(() =>
        resume(Effect.succeed(undefined)))
  })

/** In a page of this origin, and so of this storage: a page of another origin does not show its frame. */
const isFrame = (): boolean => globalThis.frameElement !== null

const isSameDocument = (): boolean => {
  const [navigation] = performance.getEntriesByType("navigation")
  const type = navigation !== undefined && "type" in navigation ? navigation.type : "navigate"
  return type === "reload" || type === "back_forward"
}
