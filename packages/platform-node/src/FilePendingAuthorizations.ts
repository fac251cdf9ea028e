/**
 * Sign-ins under way, in files of this user's own: begun by one process, completed by another, and each used up once.
 *
 * What has expired is deleted ten minutes later, as others come.
 *
 * @since 0.1.0
 */
import { AuthorizationResponseError, type ConfigurationError, StoreError } from "@effect-oauth2/core/OAuth2Error"
import { PendingAuthorizations, type PendingAuthorizationsService } from "@effect-oauth2/core/PendingAuthorizations"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { asStoreError } from "./internal/fileErrors.js"
import * as SignInFile from "./internal/signInFile.js"
import * as VersionedFiles from "./internal/versionedFiles.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** An absolute path. The directory is made where there is none; it may be the one of `FileTokenStore`. */
  readonly directory: string
}

/**
 * Fails with `ConfigurationError`, field `directory`, when the directory is not private or cannot be used. An operation
 * fails with `StoreError` as one of `FileTokenStore` does.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<PendingAuthorizationsService, ConfigurationError> =>
  Effect.gen(function*() {
    const files = yield* VersionedFiles.make(options.directory, "sign-in")
    let forgottenAt = -Infinity

    const stateOf = (operation: string, state: string) =>
      Effect.gen(function*() {
        const found = yield* files.current(yield* files.chainOf(state))
        const file = SignInFile.decode(state, found)
        return file._tag === "Unreadable" ? yield* new StoreError({ operation, reason: file.reason }) : file
      }).pipe(asStoreError(operation))

    /** Writes unless it was used up. Answers whether it did. */
    const write = (operation: string, state: string, text: string): Effect.Effect<boolean, StoreError> =>
      Effect.flatMap(files.chainOf(state), (chain) =>
        files.change(chain, (found) => {
          const file = SignInFile.decode(state, found)
          if (file._tag === "Unreadable") return new StoreError({ operation, reason: file.reason })
          return Effect.succeed<VersionedFiles.Decision<boolean>>(
            file._tag === "Used"
              ? { _tag: "Keep", answer: false }
              : { _tag: "Change", answer: true, text, isEnd: false }
          )
        })).pipe(asStoreError(operation))

    /** Once a minute, and with no word of it when it fails. */
    const forget = (now: number) =>
      Effect.gen(function*() {
        if (Math.abs(now - forgottenAt) < forgetEvery) return
        forgottenAt = now
        for (const chain of (yield* files.latest).keys()) {
          const found = yield* files.current(chain)
          if (SignInFile.expiresAt(found) <= now - remembered) yield* files.sweep(chain, found.version)
        }
      }).pipe(Effect.ignore)

    return {
      put: (pending) =>
        Effect.gen(function*() {
          yield* forget(yield* Clock.currentTimeMillis)
          yield* write("put", pending.state, yield* SignInFile.encodePending(pending))
        }),
      get: (state) => Effect.map(stateOf("get", state), (file) => file._tag === "Pending" ? file.pending : undefined),
      consume: (pending) =>
        Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          if (pending.expiresAt <= now) return yield* new AuthorizationResponseError({ reason: "TransactionExpired" })
          yield* forget(now)
          if (!(yield* write("consume", pending.state, SignInFile.encodeUsed(pending)))) {
            return yield* new AuthorizationResponseError({ reason: "TransactionConsumed" })
          }
        }),
      isConsumed: (state) => Effect.map(stateOf("isConsumed", state), (file) => file._tag === "Used")
    }
  })

/**
 * The sign-ins as a layer. Name it once and provide that one value.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<PendingAuthorizations, ConfigurationError> =>
  Layer.effect(PendingAuthorizations, make(options))

/** Milliseconds. */
const remembered = 600_000
const forgetEvery = 60_000
