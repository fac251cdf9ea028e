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
import * as Effect from "effect/Effect"
import { encodeBase64Url } from "effect/Encoding"
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
    const storage = yield* WebStorage.storage("sessionStorage")
    const crypto = yield* OAuth2Crypto
    const id = storage.getItem(owner)
    const before = id === null ? "another's" : yield* own(id)
    if (before === "another's" && isFrame() && id !== null) return yield* TokenStore.makeMemory
    const ours = encodeBase64Url(yield* crypto.randomBytes(16))
    if (before === "another's") yield* own(ours)
    yield* Effect.try({
      try: () => {
        if (before === "another's") begin(storage, ours)
        if (before === "nobody's") inherit(storage)
      },
      catch: () => WebStorage.unusable("sessionStorage")
    })
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

/** The tabs whose locks this document has, and how many of its stores need each. */
const held = new Map<string, { stores: number; readonly release: () => void }>()

/** Whose the tab's lock was. Unless it is another document's, it is this one's until the scope closes. */
const own = (id: string): Effect.Effect<"ours" | "nobody's" | "another's", never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const mine = held.get(id)
      if (mine === undefined) return Effect.map(lock(id), (release) => took(id, release))
      mine.stores++
      return Effect.succeed("ours" as const)
    }),
    (before) =>
      Effect.sync(() => {
        const mine = before === "another's" ? undefined : held.get(id)
        if (mine === undefined || --mine.stores > 0) return
        held.delete(id)
        mine.release()
      })
  )

const took = (id: string, release: (() => void) | undefined): "nobody's" | "another's" => {
  if (release === undefined) return "another's"
  held.set(id, { stores: 1, release })
  return "nobody's"
}

/** Takes the tab's lock, and gives how to let go of it. `undefined`: another document has it. */
const lock = (id: string): Effect.Effect<(() => void) | undefined> =>
  Effect.async((resume) => {
    const { locks } = globalThis.navigator as { readonly locks?: LockManager }
    if (locks === undefined) return resume(Effect.succeed(isSameDocument() ? () => {} : undefined))
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
