/**
 * A lock beside the store: who waits for a sibling's renewal sleeps on it, instead of asking the store again and again.
 *
 * It decides nothing. What prevents two redemptions is the store's redeeming record, and a renewal goes on without the
 * lease when it cannot be had. Where the platform has no lock that ends with its holder, there is none.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Remedy } from "./OAuth2Error.js"

/**
 * Another held the lease for the whole of the wait.
 *
 * @since 0.1.0
 * @category errors
 */
export class LeaseTimeout extends Schema.TaggedError<LeaseTimeout>()("LeaseTimeout", {
  /** Milliseconds. */
  waited: Schema.Number
}) {
  readonly remedy: Remedy = "retry"
  readonly ambiguous: boolean = false

  override get message(): string {
    return `Another held the lease for ${this.waited} ms`
  }
}

/**
 * The lease's time was up, and another has taken it.
 *
 * @since 0.1.0
 * @category errors
 */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {}) {
  readonly remedy: Remedy = "retry"
  readonly ambiguous: boolean = false

  override get message(): string {
    return "The lease's time was up, and another has taken it"
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface LeaseOptions {
  /** For how long the lease is its holder's. After that another may take it. */
  readonly ttl: Duration.DurationInput
  /** For how long to wait for one that another holds. */
  readonly wait: Duration.DurationInput
}

/**
 * @since 0.1.0
 * @category models
 */
export interface RefreshLeaseService {
  /**
   * Runs `use` while the lease is held. `use` is given an effect that never succeeds, and fails with `LeaseLost` when
   * another has taken the lease; `use` itself is not interrupted. The lease ends with `use`, by its owner alone.
   *
   * Fails with `LeaseTimeout`, without having run `use`, and otherwise as `use` does.
   */
  readonly withLease: <A, E, R>(
    key: string,
    options: LeaseOptions,
    use: (lost: Effect.Effect<never, LeaseLost>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | LeaseTimeout, R>
}

/**
 * No lock: each may begin at once, and the store decides.
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: RefreshLeaseService = { withLease: (_key, _options, use) => use(Effect.never) }

/**
 * The lease in use: {@link none} unless a platform's layer provides one.
 *
 * @since 0.1.0
 * @category tags
 */
export class RefreshLease extends Context.Reference<RefreshLease>()("@effect-oauth2/core/RefreshLease", {
  defaultValue: () => none
}) {}

interface Holding {
  readonly until: number
  readonly lost: Deferred.Deferred<never, LeaseLost>
  readonly over: Deferred.Deferred<void>
}

/**
 * A lease among the clients of one process: for tests, and as the model of what a platform's own has to do.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeMemory: Effect.Effect<RefreshLeaseService> = Effect.sync(() => {
  const holdings = new Map<string, Holding>()

  /** Takes the lease, or tells who has it. */
  const take = (key: string, ttl: number) =>
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const mine: Holding = {
        until: now + ttl,
        lost: yield* Deferred.make<never, LeaseLost>(),
        over: yield* Deferred.make<void>()
      }
      const held = holdings.get(key)
      if (held !== undefined && now < held.until) return { held, now } as const
      holdings.set(key, mine)
      if (held !== undefined) yield* Deferred.fail(held.lost, new LeaseLost())
      return { mine } as const
    })

  const acquire = (key: string, ttl: number, wait: number, waitUntil: number): Effect.Effect<Holding, LeaseTimeout> =>
    Effect.flatMap(take(key, ttl), (taken) => {
      if (taken.mine !== undefined) return Effect.succeed(taken.mine)
      const { held, now } = taken
      if (now >= waitUntil) return new LeaseTimeout({ waited: wait })
      const pause = Duration.millis(Math.max(Math.min(held.until, waitUntil) - now, 1))
      return Effect.zipRight(
        Effect.interruptible(Effect.timeoutOption(Deferred.await(held.over), pause)),
        acquire(key, ttl, wait, waitUntil)
      )
    })

  const release = (key: string, mine: Holding) =>
    Effect.suspend(() => {
      if (holdings.get(key) === mine) holdings.delete(key)
      return Deferred.succeed(mine.over, undefined)
    })

  return {
    withLease: (key, options, use) => {
      const ttl = Duration.toMillis(options.ttl)
      const wait = Duration.toMillis(options.wait)
      return Effect.acquireUseRelease(
        Effect.flatMap(Clock.currentTimeMillis, (now) => acquire(key, ttl, wait, now + wait)),
        ({ lost }) => use(Deferred.await(lost)),
        (mine) => release(key, mine)
      )
    }
  }
})

/**
 * A lease among the clients of one process. Name this layer once and provide that one value.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<RefreshLease> = Layer.effect(RefreshLease, makeMemory)
