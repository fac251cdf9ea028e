/**
 * Sessions in IndexedDB, for all tabs of the origin, encrypted under a key that no script can read.
 *
 * Every script of the origin can use the key, though, and the browser keeps it in its own files, Chromium in clear:
 * encryption keeps the tokens from whatever collects what lies in a page's storage, and neither from a script that was
 * injected for this page nor from a copy of the browser's files. For the first see `TokenWorker`.
 *
 * @since 0.1.0
 */
import * as AesGcm from "@effect-oauth2/core/AesGcm"
import * as EncryptedStore from "@effect-oauth2/core/EncryptedStore"
import { OAuth2Crypto } from "@effect-oauth2/core/OAuth2Crypto"
import { type ConfigurationError, StoreError } from "@effect-oauth2/core/OAuth2Error"
import * as SharedKeeper from "@effect-oauth2/core/SharedKeeper"
import * as TokenStore from "@effect-oauth2/core/TokenStore"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
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
 * at the moment in which the user deletes the database: the next one opens it anew. `Corrupt` and `UnknownKey` as
 * `EncryptedStore`.
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
    const { connected } = yield* Database.open(database)
    const crypto = yield* OAuth2Crypto
    const ours = yield* Effect.flatMap(
      crypto.randomBytes(8),
      (random) => AesGcm.generateKey(Encoding.encodeBase64Url(random))
    )
    const news = yield* News.make(`effect-oauth2 ${database}`)

    let last: Opened | undefined
    /** A database that was deleted meanwhile is another one, whose key is this page's or that of a tab that was faster. */
    const opened = Effect.gen(function*() {
      const connection = yield* Effect.tryPromise({ try: connected, catch: () => unavailable })
      if (last?.connection === connection) return last
      const key = yield* keyOf(connection, last?.key ?? ours)
      const plain = tokenStore(Database.texts(connection), news.tell)
      const store = yield* Effect.orDie(EncryptedStore.make({ ...traits, ...plain }, { keys: [key] }))
      return last = { connection, key, store }
    })
    yield* Effect.mapError(opened, () => Database.unusable)

    const at = <A>(act: (store: TokenStore.SharedStore) => Effect.Effect<A, StoreError>) =>
      Effect.flatMap(opened, ({ store }) => act(store))
    return {
      ...traits,
      get: (key) => at((store) => store.get(key)),
      begin: (key, claim, hold) => at((store) => store.begin(key, claim, hold)),
      commit: (key, claim, next) => at((store) => store.commit(key, claim, next)),
      release: (key, claim, as) => at((store) => store.release(key, claim, as)),
      replace: (key, record) => at((store) => store.replace(key, record)),
      remove: (key) => at((store) => store.remove(key)),
      rename: (from, to, hold) => at((store) => store.rename(from, to, hold)),
      idle: (options) => at((store) => store.idle?.(options) ?? Effect.succeed([])),
      changes: news.changes
    }
  })

/** A connection, and what belongs to its database. */
interface Opened {
  readonly connection: IDBDatabase
  readonly key: AesGcm.EncryptionKey
  readonly store: TokenStore.SharedStore
}

const traits = { durability: "durable", sharing: "origin", keeper: SharedKeeper.make } as const

const unavailable = new StoreError({ operation: "open", reason: "Unavailable" })

/**
 * The store as a layer. Name it once and provide that one value. `BrowserCustody.layerIndexedDb` has it with all that
 * tabs need beside it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options?: Options): Layer.Layer<TokenStore.TokenStore, ConfigurationError> =>
  Layer.scoped(TokenStore.TokenStore, make(options))

/** The key that is there, or this one: whichever was stored first. */
const keyOf = (connection: IDBDatabase, ours: AesGcm.EncryptionKey): Effect.Effect<AesGcm.EncryptionKey, StoreError> =>
  Database.transact(connection, "open", "keys", (keys, done) => {
    const request = keys.get(current)
    request.onsuccess = () => {
      const found: unknown = request.result
      if (isKey(found)) return done(found)
      keys.put(ours, current)
      done(ours)
    }
  })

const isKey = (value: unknown): value is AesGcm.EncryptionKey =>
  Predicate.hasProperty(value, "id") && typeof value.id === "string" &&
  Predicate.hasProperty(value, "key") && value.key instanceof CryptoKey

const current = "current"
