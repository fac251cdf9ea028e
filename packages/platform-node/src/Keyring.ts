/**
 * A key for `EncryptedStore` in the operating system's keyring: Keychain on macOS, Credential Manager on Windows, Secret
 * Service (GNOME Keyring, KWallet) on Linux.
 *
 * It needs the package `@napi-rs/keyring`, which is an optional peer dependency and is loaded when a key is asked for.
 * On Linux the kernel's own keyring, which forgets everything when the machine stops, is never used in place of the
 * Secret Service.
 *
 * @since 0.1.0
 */
import { type EncryptionKey, importKey } from "@effect-oauth2/core/AesGcm"
import { OAuth2Crypto } from "@effect-oauth2/core/OAuth2Crypto"
import type { Remedy } from "@effect-oauth2/core/OAuth2Error"
import type { AsyncEntry } from "@napi-rs/keyring"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const alternative =
  "Or do without: give EncryptedStore a key of your own, by AesGcm.importKey from a Config, or leave " +
  "the files of FileTokenStore as they are, which no other user can read"

const advice = {
  NotInstalled: `@napi-rs/keyring cannot be loaded. Install it beside @effect-oauth2/platform-node. ${alternative}`,
  Unavailable: "This machine has no keyring, or it is locked: on Linux the Secret Service is asked over D-Bus. " +
    `Unlock it, or start it. ${alternative}`,
  NotAKey: "What is in the keyring under this service and account is no key. Give another account, or remove it; " +
    "what was encrypted with it is then lost"
}

/**
 * No key could be had. What is in the keyring is left as it is.
 *
 * @since 0.1.0
 * @category errors
 */
export class KeyringError extends Schema.TaggedError<KeyringError>()("KeyringError", {
  reason: Schema.Literal("NotInstalled", "Unavailable", "NotAKey")
}) {
  readonly remedy: Remedy = "operator"
  readonly ambiguous: boolean = false

  override get message(): string {
    return advice[this.reason]
  }
}

/**
 * Whose secret it is: names of the program's own.
 *
 * @since 0.1.0
 * @category models
 */
export interface Entry {
  readonly service: string
  readonly account: string
}

/**
 * A place for secrets of text.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyringService {
  /** `undefined`: there is no such secret. */
  readonly get: (entry: Entry) => Effect.Effect<Redacted.Redacted<string> | undefined, KeyringError>
  readonly set: (entry: Entry, secret: Redacted.Redacted<string>) => Effect.Effect<void, KeyringError>
}

/** The package is read when it is needed, and not before: it is a library of machine code. */
const load = Effect.tryPromise({
  try: () => import("@napi-rs/keyring"),
  catch: () => new KeyringError({ reason: "NotInstalled" })
})

/** What goes wrong is told by its kind alone: nobody knows what the platform writes into its errors. */
const attempt =
  <A>(act: (entry: AsyncEntry, signal: AbortSignal) => Promise<A>) =>
  ({ account, service }: Entry): Effect.Effect<A, KeyringError> =>
    Effect.flatMap(load, ({ AsyncEntry }) =>
      Effect.tryPromise({
        try: (signal) => act(new AsyncEntry(service, account, { linux: { store: "secret-service" } }), signal),
        catch: () => new KeyringError({ reason: "Unavailable" })
      }))

/**
 * The keyring of the operating system, by `@napi-rs/keyring`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const platformKeyring: KeyringService = {
  get: attempt(async (entry, signal) => {
    const secret = await entry.getPassword(signal)
    return secret === null ? undefined : Redacted.make(secret)
  }),
  set: (entry, secret) => attempt((entry, signal) => entry.setPassword(Redacted.value(secret), signal))(entry)
}

/**
 * The keyring in use: {@link platformKeyring} unless a program provides another.
 *
 * @since 0.1.0
 * @category tags
 */
export class Keyring extends Context.Reference<Keyring>()("@effect-oauth2/platform-node/Keyring", {
  defaultValue: () => platformKeyring
}) {}

/**
 * The key under this name: the one that is there, or a new one of 256 random bits, which is kept there from then on.
 * Its id is made from it, so that a record which was encrypted with another key fails with `StoreError`, reason
 * `UnknownKey`, and not with `Corrupt`.
 *
 * A keyring has no way to keep two programs from making a key at once. So a key that was made is read again a little
 * later, and that one counts.
 *
 * Fails with `KeyringError`: `NotInstalled`, `Unavailable`, `NotAKey`.
 *
 * @example
 * import { AesGcm } from "@effect-oauth2/core"
 * import { Keyring } from "@effect-oauth2/platform-node"
 * import { Effect } from "effect"
 *
 * // Where there is no keyring, a key that the operator gave.
 * declare const keyOfConfig: Effect.Effect<AesGcm.EncryptionKey>
 *
 * export const key = Keyring.key({ service: "tool", account: "sessions" }).pipe(
 *   Effect.catchTag("KeyringError", () => keyOfConfig)
 * )
 *
 * @since 0.1.0
 * @category constructors
 */
export const key = (entry: Entry): Effect.Effect<EncryptionKey, KeyringError> =>
  Effect.gen(function*() {
    const keyring = yield* Keyring
    const there = yield* keyring.get(entry)
    return yield* toKey(there ?? (yield* create(keyring, entry)))
  })

const create = (keyring: KeyringService, entry: Entry): Effect.Effect<Redacted.Redacted<string>, KeyringError> =>
  Effect.gen(function*() {
    const crypto = yield* OAuth2Crypto
    const secret = Redacted.make(Encoding.encodeBase64(yield* crypto.randomBytes(32)))
    yield* keyring.set(entry, secret)
    yield* Effect.sleep(settling)
    return (yield* keyring.get(entry)) ?? (yield* new KeyringError({ reason: "Unavailable" }))
  })

/** By then, whoever found no key at the same time has written theirs. */
const settling = "250 millis"

const toKey = (secret: Redacted.Redacted<string>): Effect.Effect<EncryptionKey, KeyringError> =>
  Effect.gen(function*() {
    const bytes = Either.getOrUndefined(Encoding.decodeBase64(Redacted.value(secret)))
    if (bytes === undefined) return yield* new KeyringError({ reason: "NotAKey" })
    const crypto = yield* OAuth2Crypto
    const digest = yield* crypto.sha256(bytes)
    return yield* Effect.mapError(
      importKey(`keyring-${Encoding.encodeHex(digest.slice(0, 8))}`, Redacted.make(bytes)),
      () => new KeyringError({ reason: "NotAKey" })
    )
  })
