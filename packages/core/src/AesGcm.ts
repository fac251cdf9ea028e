/**
 * AES-256-GCM by WebCrypto.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { ConfigurationError } from "./OAuth2Error.js"

/**
 * A key with the name that records remember it by.
 *
 * @since 0.1.0
 * @category models
 */
export interface EncryptionKey {
  /** Never used again for another key. */
  readonly id: string
  /** For AES-GCM, 256 bits, to encrypt and to decrypt. It need not be extractable. */
  readonly key: CryptoKey
}

/**
 * A key out of its 32 bytes, as `openssl rand 32` makes them. Fails with `ConfigurationError`, field `keys`.
 *
 * @example
 * import { AesGcm } from "@effect-oauth2/core"
 * import { Config, Effect, Encoding, Redacted } from "effect"
 *
 * export const key = Effect.gen(function*() {
 *   const text = yield* Config.redacted("SESSION_KEY")
 *   const bytes = yield* Encoding.decodeBase64(Redacted.value(text))
 *   return yield* AesGcm.importKey("2026-11", Redacted.make(bytes))
 * })
 *
 * @since 0.1.0
 * @category constructors
 */
export const importKey = (
  id: string,
  bytes: Redacted.Redacted<Uint8Array>
): Effect.Effect<EncryptionKey, ConfigurationError> => {
  const raw = new Uint8Array(Redacted.value(bytes))
  if (raw.length !== 32) return new ConfigurationError({ field: "keys", problem: `${id} does not have 32 bytes` })
  return Effect.map(
    Effect.promise(() => globalThis.crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"])),
    (key) => ({ id, key })
  )
}

/**
 * A new key, which can be used and not read: for platforms that can store a `CryptoKey` as it is, such as a page.
 *
 * @since 0.1.0
 * @category constructors
 */
export const generateKey = (id: string): Effect.Effect<EncryptionKey> =>
  Effect.map(
    Effect.promise(() =>
      globalThis.crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"])
    ),
    (key) => ({ id, key })
  )

/**
 * The bytes of an initialization vector. Each is random: at most 2³² encryptions under one key.
 *
 * @since 0.1.0
 * @category constants
 */
export const ivLength = 12

/**
 * Whether a key can be used.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isFit = ({ key }: EncryptionKey): boolean =>
  key.algorithm.name === "AES-GCM" && "length" in key.algorithm && key.algorithm.length === 256 &&
  key.usages.includes("encrypt") && key.usages.includes("decrypt")

/**
 * Encrypts, and authenticates the associated data beside it. The initialization vector is never used twice.
 *
 * @since 0.1.0
 * @category combinators
 */
export const encrypt = (
  { key }: EncryptionKey,
  iv: Uint8Array,
  associated: Uint8Array,
  plain: Uint8Array
): Effect.Effect<Uint8Array> =>
  Effect.map(
    Effect.promise(() => globalThis.crypto.subtle.encrypt(parameters(iv, associated), key, new Uint8Array(plain))),
    (data) => new Uint8Array(data)
  )

/**
 * Decrypts what was encrypted with the same key, initialization vector and associated data. Fails with `undefined`
 * otherwise: there is nothing to tell about why.
 *
 * @since 0.1.0
 * @category combinators
 */
export const decrypt = (
  { key }: EncryptionKey,
  iv: Uint8Array,
  associated: Uint8Array,
  data: Uint8Array
): Effect.Effect<Uint8Array, undefined> =>
  Effect.map(
    Effect.tryPromise({
      try: () => globalThis.crypto.subtle.decrypt(parameters(iv, associated), key, new Uint8Array(data)),
      catch: () => undefined
    }),
    (plain) => new Uint8Array(plain)
  )

const parameters = (iv: Uint8Array, associated: Uint8Array) => ({
  name: "AES-GCM",
  iv: new Uint8Array(iv),
  additionalData: new Uint8Array(associated)
})
