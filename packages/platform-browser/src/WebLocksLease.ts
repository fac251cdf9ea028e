/**
 * The lease on a session's renewal as a Web Lock, which all tabs and workers of the origin share and which ends with its
 * holder. A holder that was frozen is robbed when its time is up.
 *
 * Two locks are held: that of the session, and one whose name tells until when, so that everybody can see how long there
 * is to wait.
 *
 * @since 0.1.0
 */
import {
  LeaseLost,
  type LeaseOptions,
  LeaseTimeout,
  none,
  RefreshLease,
  type RefreshLeaseService
} from "@effect-oauth2/core/RefreshLease"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * The lease over the page's Web Locks, or none where there are none: then the store's redeeming record alone decides who
 * renews.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<RefreshLeaseService> = Effect.sync(() => {
  const locks = (globalThis.navigator as { readonly locks?: LockManager }).locks
  return locks === undefined ? none : over(locks)
})

/**
 * The lease as a layer, to be provided to the client beside its store.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<RefreshLease> = Layer.effect(RefreshLease, make)

/** What one holder has to give back. */
interface Holding {
  readonly lost: Deferred.Deferred<never, LeaseLost>
  held: Array<{ readonly release: () => void; readonly released: Promise<unknown> }>
}

const over = (locks: LockManager): RefreshLeaseService => {
  /**
   * Takes a lock into the holding. `false`: it is another's, with `ifAvailable`. Interruption ends the waiting. Where the
   * browser refuses locks, as in some frames, there is nothing to wait for: then the store's record alone decides.
   */
  const take = (holding: Holding, name: string, options: Omit<LockOptions, "signal">): Effect.Effect<boolean> =>
    Effect.async<boolean>((resume) => {
      const controller = new AbortController()
      let isHeld = false
      const released: Promise<unknown> = locks.request(name, {
        ...options,
        ...(plain(options) ? { signal: controller.signal } : {})
      }, (lock) => {
        if (lock === null || controller.signal.aborted) return resume(Effect.succeed(false))
        isHeld = true
        return new Promise<void>((release) => {
          holding.held.push({ release, released })
          resume(Effect.succeed(true))
        })
      }).catch(() => {
        // It was robbed, nobody waits for it any more, or it was refused
        if (isHeld) Deferred.unsafeDone(holding.lost, Effect.fail(new LeaseLost()))
        else resume(Effect.succeed(true))
      })
      return Effect.sync(() => controller.abort())
    })

  /** Until when the lock is its holder's. `undefined`: nobody has it. */
  const heldUntil = (name: string): Effect.Effect<number | undefined> =>
    Effect.map(Effect.promise(() => locks.query().catch((): LockManagerSnapshot => ({}))), ({ held = [] }) => {
      const times = held.flatMap(({ name: other = "" }) =>
        other.startsWith(marker(name)) ? [Number(other.slice(marker(name).length))] : []
      )
      return times.length === 0 ? undefined : Math.max(...times)
    })

  const mark = (holding: Holding, name: string, ttl: number): Effect.Effect<void> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => take(holding, marker(name) + String(now + ttl), {}))

  /** One robs at a time, and only who is late. `false`: somebody else did, or did not come to an end of it. */
  const rob = (holding: Holding, name: string, ttl: number, wait: number): Effect.Effect<boolean> =>
    Effect.flatMap(Deferred.make<never, LeaseLost>(), (lost) => {
      const turn: Holding = { lost, held: [] }
      return Effect.gen(function*() {
        const isMyTurn = yield* Effect.timeoutOption(take(turn, `${name} robbery`, {}), Duration.millis(wait))
        if (isMyTurn._tag === "None") return false
        const until = yield* heldUntil(name)
        if (until !== undefined && (yield* Clock.currentTimeMillis) < until) return false
        yield* take(holding, name, { steal: true })
        yield* mark(holding, name, ttl)
        return true
      }).pipe(Effect.ensuring(release(turn)))
    })

  const acquire = (holding: Holding, name: string, ttl: number, wait: number): Effect.Effect<void, LeaseTimeout> =>
    Effect.gen(function*() {
      const waitUntil = (yield* Clock.currentTimeMillis) + wait
      let isMine = yield* take(holding, name, { ifAvailable: true })
      while (!isMine) {
        const now = yield* Clock.currentTimeMillis
        if (now >= waitUntil) return yield* new LeaseTimeout({ waited: wait })
        const until = (yield* heldUntil(name)) ?? now + short
        if (until <= now) {
          if (yield* rob(holding, name, ttl, waitUntil - now)) return
        } else {
          const pause = Duration.millis(Math.min(until, waitUntil) - now)
          isMine = (yield* Effect.timeoutOption(take(holding, name, {}), pause))._tag === "Some"
          // It may have come in the moment in which it was given up
          if (!isMine) yield* release(holding)
        }
      }
      yield* mark(holding, name, ttl)
    })

  return {
    withLease: <A, E, R>(
      key: string,
      options: LeaseOptions,
      use: (lost: Effect.Effect<never, LeaseLost>) => Effect.Effect<A, E, R>
    ) =>
      Effect.flatMap(Deferred.make<never, LeaseLost>(), (lost) => {
        const holding: Holding = { lost, held: [] }
        const [ttl, wait] = [Duration.toMillis(options.ttl), Duration.toMillis(options.wait)]
        return acquire(holding, `effect-oauth2 renewal ${key}`, ttl, wait).pipe(
          Effect.zipRight(Effect.suspend(() => use(Deferred.await(lost)))),
          Effect.ensuring(release(holding))
        )
      })
  }
}

/** Whoever asks afterwards finds them free. */
const release = (holding: Holding): Effect.Effect<unknown> =>
  Effect.promise(() =>
    Promise.all(
      holding.held.splice(0).map(({ release, released }) => {
        release()
        return released
      })
    )
  )

/** A lock that is robbed, or only asked for, cannot be waited for. */
const plain = ({ ifAvailable, steal }: LockOptions): boolean => ifAvailable !== true && steal !== true

const marker = (name: string): string => `${name} until `

/** How long to wait for a holder that has not told its time yet, in milliseconds. */
const short = 20
