/**
 * Sign-ins under way, by state: each is taken once, and only while it lasts.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AuthorizationResponseError, type StoreError } from "./OAuth2Error.js"
import type { PendingAuthorization } from "./PendingAuthorization.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface PendingAuthorizationsService {
  readonly put: (pending: PendingAuthorization) => Effect.Effect<void, StoreError>
  /**
   * What is pending under this state, left where it is. `undefined`: nothing, or it was consumed. What has expired may
   * still be found: `consume` tells.
   */
  readonly get: (state: string) => Effect.Effect<PendingAuthorization | undefined, StoreError>
  /**
   * Uses the pending authorization up: atomically, and for good. It need not have been `put` here before: the one that
   * the user agent carried is refused the second time all the same.
   *
   * Fails with `AuthorizationResponseError`, reason `TransactionConsumed` or `TransactionExpired`.
   */
  readonly consume: (pending: PendingAuthorization) => Effect.Effect<void, AuthorizationResponseError | StoreError>
  /** Whether a sign-in with this state was consumed, as far as that is still remembered. */
  readonly isConsumed: (state: string) => Effect.Effect<boolean, StoreError>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class PendingAuthorizations extends Context.Tag("@effect-oauth2/core/PendingAuthorizations")<
  PendingAuthorizations,
  PendingAuthorizationsService
>() {}

interface Entry {
  readonly pending: PendingAuthorization
  readonly consumed: boolean
}

/**
 * Sign-ins in the memory of this process. What has expired is forgotten ten minutes later, as others come, so that who
 * is late is told so.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeMemory: Effect.Effect<PendingAuthorizationsService> = Effect.sync(() => {
  const entries = new Map<string, Entry>()
  return {
    put: (pending) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        forgetExpired(entries, now)
        entries.set(pending.state, { pending, consumed: false })
      }),
    get: (state) =>
      Effect.sync(() => {
        const entry = entries.get(state)
        return entry?.consumed === false ? entry.pending : undefined
      }),
    consume: (pending) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        forgetExpired(entries, now)
        if (pending.expiresAt <= now) return new AuthorizationResponseError({ reason: "TransactionExpired" })
        if (entries.get(pending.state)?.consumed === true) {
          return new AuthorizationResponseError({ reason: "TransactionConsumed" })
        }
        entries.set(pending.state, { pending, consumed: true })
        return Effect.void
      }),
    isConsumed: (state) => Effect.sync(() => entries.get(state)?.consumed === true)
  }
})

const remembered = 600_000

/** Oldest first, as a map keeps them, up to the first that still lasts. */
const forgetExpired = (entries: Map<string, Entry>, now: number): void => {
  for (const [state, { pending }] of entries) {
    if (pending.expiresAt > now - remembered) return
    entries.delete(state)
  }
}

/**
 * Sign-ins that end with the process. Name this layer once and provide that one value.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<PendingAuthorizations> = Layer.effect(PendingAuthorizations, makeMemory)
