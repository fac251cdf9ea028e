/**
 * Encryption at rest, over any store: AES-256-GCM by WebCrypto. What remains readable is what a store needs to work:
 * generation, state, and when the session was last renewed.
 *
 * The key that a record is kept under is authenticated with it, so a record that was moved or swapped does not open.
 * Whoever can write to the store can still put back an older record of the same session, or take one away.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as AesGcm from "./AesGcm.js"
import { OAuth2Crypto } from "./OAuth2Crypto.js"
import { ConfigurationError, StoreError } from "./OAuth2Error.js"
import * as SessionRecord from "./SessionRecord.js"
import * as SharedKeeper from "./SharedKeeper.js"
import {
  type BeginOutcome,
  type Claim,
  claim as newClaim,
  type CommitOutcome,
  holds,
  type SharedStore,
  TokenStore,
  type TokenStoreService
} from "./TokenStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The first encrypts; each decrypts what it once encrypted. To change keys, put the new one first, and take the old
   * one away when every session was renewed or has ended.
   */
  readonly keys: readonly [AesGcm.EncryptionKey, ...ReadonlyArray<AesGcm.EncryptionKey>]
  /**
   * Takes records that are not encrypted, such as those from before there was a key. Who can write to the store can
   * then bring in a session of their own. Default: `false`, such a record is refused as `Corrupt`.
   */
  readonly acceptUnencrypted?: boolean | undefined
}

/**
 * The store, with all that is secret in its records encrypted. Beside the errors of the store itself, an operation fails
 * with `StoreError`, reason `Corrupt` when a record does not open, and `UnknownKey` when its key is not among those
 * given; the record stays as it is.
 *
 * `rename` is two writes: the session is put under its new key, then taken from the old one. Whoever is killed between
 * them, or loses the store for longer than a second, leaves it under both keys. The old one is redeemed by nobody until
 * the hold is over, and in doubt after that. A rename that is tried again before the session is renewed puts it right.
 *
 * Fails with `ConfigurationError`, field `keys`, when a key cannot be used.
 *
 * @since 0.1.0
 * @category combinators
 */
export const make = (
  self: TokenStoreService,
  options: Options
): Effect.Effect<SharedStore, ConfigurationError> =>
  Effect.gen(function*() {
    const crypto = yield* OAuth2Crypto
    const problem = problemOf(options.keys)
    if (problem !== undefined) return yield* new ConfigurationError({ field: "keys", problem })
    const [current] = options.keys
    const keys = new Map(options.keys.map((key) => [key.id, key]))

    /** The record with its secrets encrypted for the place where it is to be kept. */
    const seal = (place: string, record: SessionRecord.SessionRecord): Effect.Effect<SessionRecord.SessionRecord> =>
      Effect.gen(function*() {
        const { generation, state, version } = record
        const plain = yield* Effect.orDie(encodeSecrets(record))
        const iv = yield* crypto.randomBytes(AesGcm.ivLength)
        const data = yield* AesGcm.encrypt(current, iv, associated(current.id, place), utf8.encode(plain))
        const sealed = ["v1", Encoding.encodeBase64Url(current.id), Encoding.encodeBase64Url(iv)]
        return {
          version,
          generation,
          state,
          sealed: [...sealed, Encoding.encodeBase64Url(data)].join("."),
          renewedAt: SessionRecord.renewedAt(record)
        }
      })

    const open = (
      operation: string,
      place: string,
      record: SessionRecord.SessionRecord
    ): Effect.Effect<SessionRecord.SessionRecord, StoreError> =>
      Effect.gen(function*() {
        const corrupt = new StoreError({ operation, reason: "Corrupt" })
        const { renewedAt: _, sealed, ...rest } = record
        if (sealed === undefined) {
          return hasNoSecret(record) || options.acceptUnencrypted === true ? record : yield* corrupt
        }
        const [version, id, iv, data] = sealed.split(".").map((part, index) =>
          index === 0 ? Either.right(utf8.encode(part)) : Encoding.decodeBase64Url(part)
        ).map(Either.getOrUndefined)
        if (version === undefined || id === undefined || iv === undefined || data === undefined) return yield* corrupt
        if (new TextDecoder().decode(version) !== "v1") {
          return yield* new StoreError({ operation, reason: "NewerVersion" })
        }
        const keyId = new TextDecoder().decode(id)
        const key = keys.get(keyId)
        if (key === undefined) return yield* new StoreError({ operation, reason: "UnknownKey" })
        const plain = yield* Effect.mapError(AesGcm.decrypt(key, iv, associated(keyId, place), data), () => corrupt)
        const secrets = yield* Effect.mapError(decodeSecrets(new TextDecoder().decode(plain)), () => corrupt)
        return { ...rest, ...secrets }
      })

    const opened = (operation: string, place: string) => (record: SessionRecord.SessionRecord | undefined) =>
      record === undefined ? Effect.succeed(undefined) : open(operation, place, record)

    /**
     * Sealed anew for the other place while nobody else redeems it, for what was sealed here does not open there. Who is
     * interrupted before the first write has moved nothing.
     */
    const rename: SharedStore["rename"] = (from, to, hold) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const stored = Option.getOrUndefined(yield* restore(self.get(from)))
          if (stored === undefined) return { _tag: "Missing" }
          const record = yield* restore(open("rename", from, stored))
          if (from === to) return yield* self.rename(from, to, hold)
          const claim = yield* newClaim(crypto, record.generation)
          const begun = record.state._tag === "Dead" ? undefined : yield* self.begin(from, claim, hold)
          if (begun?._tag === "Busy") return begun
          if (begun?._tag === "Moved") return yield* restore(rename(from, to, hold))
          const asIdle = begun && SessionRecord.asIdle(begun.record)
          const giveBack = asIdle === undefined ? Effect.void : Effect.ignore(self.release(from, claim, asIdle))
          const sealed = yield* Effect.onError(restore(seal(to, moving(record, asIdle))), () => giveBack)
          yield* arrive(to, sealed, giveBack)
          // It has moved, whatever comes of this
          yield* Effect.retry(leave(from, record, claim), { schedule: Schedule.spaced("100 millis"), times: 10 })
          return { _tag: "Renamed" }
        })
      )

    /** A write that failed may have been done all the same. Where nobody can tell, the claim is left to run out. */
    const arrive = (to: string, sealed: SessionRecord.SessionRecord, giveBack: Effect.Effect<void>) =>
      Effect.catchAll(self.replace(to, sealed), (error: StoreError) =>
        Effect.gen(function*() {
          const found = error.reason === "Unavailable" ? Option.getOrUndefined(yield* self.get(to)) : undefined
          if (found?.sealed === sealed.sealed) return
          yield* giveBack
          return yield* error
        }))

    /** Something else may have been put in its place, such as a session that was renamed the other way. */
    const leave = (from: string, record: SessionRecord.SessionRecord, claim: Claim) =>
      Effect.flatMap(self.get(from), (found) => {
        const left = Option.getOrUndefined(found)
        const isThere = record.state._tag === "Dead" ? left?.generation === record.generation : holds(left, claim)
        return isThere ? self.remove(from) : Effect.void
      })

    return {
      durability: self.durability,
      sharing: self.sharing,
      keeper: SharedKeeper.make,
      get: (key) => Effect.flatMap(self.get(key), Effect.transposeMapOption((record) => open("get", key, record))),
      begin: (key, claim, hold) =>
        Effect.flatMap(self.begin(key, claim, hold), (outcome): Effect.Effect<BeginOutcome, StoreError> => {
          switch (outcome._tag) {
            case "Begun":
              return Effect.map(open("begin", key, outcome.record), (record) => ({ ...outcome, record }))
            case "Moved":
              return Effect.map(opened("begin", key)(outcome.record), (record) => ({ ...outcome, record }))
            case "Busy":
              return Effect.succeed(outcome)
          }
        }),
      commit: (key, claim, next) =>
        Effect.flatMap(
          Effect.flatMap(seal(key, next), (sealed) => self.commit(key, claim, sealed)),
          (outcome): Effect.Effect<CommitOutcome, StoreError> =>
            outcome._tag === "Committed"
              ? Effect.succeed(outcome)
              : Effect.map(opened("commit", key)(outcome.record), (record) => ({ ...outcome, record }))
        ),
      release: self.release,
      replace: (key, record) =>
        Effect.flatMap(seal(key, record), (sealed) =>
          Effect.map(self.replace(key, sealed), ({ generation }) => ({ ...record, generation }))),
      // It is gone, whether or not it can be read
      remove: (key) =>
        Effect.flatMap(self.remove(key), (removed) =>
          Effect.orElseSucceed(
            Effect.transposeMapOption(removed, (record) =>
              open("remove", key, record)),
            Option.none
          )),
      rename,
      idle: self.idle,
      changes: self.changes
    }
  })

/**
 * The same over the `TokenStore` that is provided to it, and in its place.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <E = never, R = never>(
  options: Options | Effect.Effect<Options, E, R>
): Layer.Layer<TokenStore, ConfigurationError | E, TokenStore | R> =>
  Layer.effect(
    TokenStore,
    Effect.gen(function*() {
      return yield* make(yield* TokenStore, Effect.isEffect(options) ? yield* options : options)
    })
  )

const Secrets = Schema.parseJson(
  SessionRecord.SessionRecord.pick("signIn", "token", "refreshToken", "alternate", "sealed", "renewedAt")
)
const encodeSecrets = Schema.encode(Secrets)
const decodeSecrets = Schema.decode(Secrets)

/** As it was before it was claimed here, with what others left since it was read. */
const moving = (
  record: SessionRecord.SessionRecord,
  asIdle: Omit<SessionRecord.Idle, "_tag"> | undefined
): SessionRecord.SessionRecord =>
  record.state._tag === "Idle" && asIdle !== undefined ? { ...record, state: { _tag: "Idle", ...asIdle } } : record

/** A session that is not there yet has nothing in it to open. */
const hasNoSecret = ({ alternate, refreshToken, token }: SessionRecord.SessionRecord): boolean =>
  token === undefined && refreshToken === undefined && alternate === undefined

const utf8 = new TextEncoder()

/** What is authenticated with a record: under which key, and for which place. */
const associated = (keyId: string, place: string): Uint8Array =>
  utf8.encode(JSON.stringify(["effect-oauth2 session", 1, keyId, place]))

const problemOf = (keys: ReadonlyArray<AesGcm.EncryptionKey>): string | undefined => {
  if (keys.length === 0) return "is empty. Give at least one key"
  if (new Set(keys.map(({ id }) => id)).size < keys.length) return "names two keys alike. Give each an id of its own"
  const unfit = keys.find((key) => !AesGcm.isFit(key))
  return unfit && `${unfit.id} is not an AES-GCM key of 256 bits that may encrypt and decrypt`
}
