/**
 * Sessions in IndexedDB, for all tabs of the origin, encrypted under a key that no script can read.
 *
 * The key can be used by every script of the origin, though: encryption keeps the tokens out of a copy of the browser's
 * files, and not from a script that was injected into the page. For that see `TokenWorker`.
 *
 * @since 0.1.0
 */
import * as AesGcm from "@effect-oauth2/core/AesGcm"
import * as EncryptedStore from "@effect-oauth2/core/EncryptedStore"
import type { ConfigurationError, StoreError } from "@effect-oauth2/core/OAuth2Error"
import * as SharedKeeper from "@effect-oauth2/core/SharedKeeper"
import * as TokenStore from "@effect-oauth2/core/TokenStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Database from "./internal/database.js"
import * as News from "./internal/news.js"
import { tokenStore } from "./internal/storedTexts.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The name of the database. Default: `effect-oauth2`. */
  readonly database?: string | undefined
}

/**
 * Opens the database, and makes the key where there is none. Tabs that do so at once agree on one.
 *
 * An operation fails with `StoreError`: `Unavailable` when the browser cannot read or write, such as in want of space, or
 * after the user has deleted the database: the next one opens it anew. `Corrupt` and `UnknownKey` as `EncryptedStore`.
 *
 * Fails with `ConfigurationError`, field `indexedDB`, where there is none or it cannot be opened.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  { database = "effect-oauth2" }: Options = {}
): Effect.Effect<TokenStore.SharedStore, ConfigurationError, Scope.Scope> =>
  Effect.gen(function*() {
    const connection = yield* Database.open(database)
    const key = yield* Effect.mapError(keyOf(connection), () => Database.unusable)
    const news = yield* News.make(`effect-oauth2 ${database}`)
    const store: TokenStore.SharedStore = {
      durability: "durable",
      sharing: "origin",
      keeper: SharedKeeper.make,
      ...tokenStore(Database.texts(connection), news.tell),
      changes: news.changes
    }
    return yield* EncryptedStore.make(store, { keys: [key] })
  })

/**
 * The store as a layer. Name it once and provide that one value. `BrowserCustody.layerIndexedDb` has it with all that
 * tabs need beside it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<TokenStore.TokenStore, ConfigurationError> =>
  Layer.scoped(TokenStore.TokenStore, make(options))

/** The key that is there, or the one that is made now: whichever was stored first. */
const keyOf = (connection: Database.Database): Effect.Effect<AesGcm.EncryptionKey, StoreError> =>
  Effect.flatMap(AesGcm.generateKey(keyId), (made) =>
    Database.transact(connection, "open", "keys", (keys, done) => {
      const request = keys.get(keyId)
      request.onsuccess = () => {
        const found: unknown = request.result
        if (found instanceof CryptoKey) return done({ id: keyId, key: found })
        keys.put(made.key, keyId)
        done(made)
      }
    }))

const keyId = "1"
