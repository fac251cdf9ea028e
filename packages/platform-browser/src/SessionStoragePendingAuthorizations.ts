/**
 * Sign-ins under way, in this tab's `sessionStorage`: they outlive the way to the authorization server and back. No other
 * tab has them, save for a copy of this one. What has expired is forgotten ten minutes later, as others come.
 *
 * @since 0.1.0
 */
import { AuthorizationResponseError, type ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import { PendingAuthorization } from "@effect-oauth2/core/PendingAuthorization"
import { PendingAuthorizations, type PendingAuthorizationsService } from "@effect-oauth2/core/PendingAuthorizations"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { decodeWith, encodeWith } from "./internal/storedTexts.js"
import * as WebStorage from "./internal/webStorage.js"

/** Without what is pending, it was used up. */
const Entry = Schema.Struct({
  version: Schema.Literal(1),
  expiresAt: Schema.Number,
  pending: Schema.optional(PendingAuthorization)
})

const decode = decodeWith(Entry)
const encode = encodeWith(Entry)
const prefix = "effect-oauth2 sign-in "
/** Milliseconds. */
const remembered = 600_000

/**
 * Fails with `ConfigurationError`, field `sessionStorage`. An operation fails with `StoreError`: `Unavailable` for want of
 * space, `Corrupt` and `NewerVersion` for what cannot be read.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<PendingAuthorizationsService, ConfigurationError> = Effect.map(
  Effect.suspend(() => WebStorage.storage("sessionStorage")),
  (storage): PendingAuthorizationsService => {
    const { step } = WebStorage.texts(storage, prefix)

    const forget = (now: number) =>
      Effect.sync(() => {
        for (const [state, text] of WebStorage.entries(storage, prefix)) {
          const entry = Either.getOrUndefined(decode("put", text))
          if (entry !== undefined && entry.expiresAt <= now - remembered) storage.removeItem(prefix + state)
        }
      })

    const found = (operation: string, state: string) =>
      step(operation, [state], ([text]) => ({ answer: decode(operation, text) }))

    return {
      put: (pending) =>
        Effect.zipRight(
          Effect.flatMap(Clock.currentTimeMillis, forget),
          step("put", [pending.state], ([text]) => {
            const before = decode("put", text)
            if (Either.isLeft(before)) return { answer: before }
            const entry = encode("put", { version: 1, expiresAt: pending.expiresAt, pending })
            return Either.isLeft(entry)
              ? { answer: Either.left(entry.left) }
              : { answer: Either.right(undefined), writes: [[pending.state, entry.right]] }
          })
        ),
      get: (state) => Effect.map(found("get", state), (entry) => entry?.pending),
      isConsumed: (state) =>
        Effect.map(found("isConsumed", state), (entry) => entry !== undefined && entry.pending === undefined),
      consume: ({ expiresAt, state }) =>
        Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          if (expiresAt <= now) return yield* new AuthorizationResponseError({ reason: "TransactionExpired" })
          yield* forget(now)
          const isFirst = yield* step("consume", [state], ([text]) => {
            const entry = decode("consume", text)
            if (Either.isLeft(entry)) return { answer: Either.left(entry.left) }
            if (entry.right !== undefined && entry.right.pending === undefined) return { answer: Either.right(false) }
            // The verifier is of no use any more
            return { answer: Either.right(true), writes: [[state, JSON.stringify({ version: 1, expiresAt })]] }
          })
          if (!isFirst) return yield* new AuthorizationResponseError({ reason: "TransactionConsumed" })
        })
    }
  }
)

/**
 * The sign-ins as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<PendingAuthorizations, ConfigurationError> = Layer.effect(PendingAuthorizations, make)
