/**
 * Work that belongs to a layer and to no caller: it goes on when the caller is interrupted, and the layer's end waits
 * for it.
 *
 * A scope's own fibers would be interrupted by its end, and with them a request whose answer is a rotated token.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { RefreshFailed } from "./OAuth2Error.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Flights {
  /** Starts work in a fiber of its own. Refused with `RefreshFailed`, reason `Closing`, once the layer ends. */
  readonly launch: <A, E>(work: Effect.Effect<A, E>) => Deferred.Deferred<A, E | RefreshFailed>
  /** Starts what finishes work already done: not even the layer's end refuses it. */
  readonly follow: <A, E>(work: Effect.Effect<A, E>) => void
  /** Whether the layer ends: what is launched from now on is refused. */
  readonly isClosing: () => boolean
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (drainTimeout: Duration.Duration): Effect.Effect<Flights, never, Scope.Scope> =>
  Effect.gen(function*() {
    const runtime = yield* Effect.runtime<never>()
    const inAir = new Set<Fiber.RuntimeFiber<unknown, unknown>>()
    let closing = false

    const fork = <A, E>(work: Effect.Effect<A, E>): Fiber.RuntimeFiber<A, E> => {
      // Whoever builds the layer may not be interruptible; what has a deadline of its own has to be
      const fiber = Runtime.runFork(runtime)(Effect.interruptible(work))
      inAir.add(fiber)
      fiber.addObserver(() => inAir.delete(fiber))
      return fiber
    }

    const landed: Effect.Effect<void> = Effect.suspend(() =>
      inAir.size === 0 ? Effect.void : Effect.zipRight(Fiber.awaitAll([...inAir]), landed)
    )

    /** What is interrupted may still have something to follow it. */
    const stopped: Effect.Effect<void> = Effect.suspend(() =>
      inAir.size === 0 ? Effect.void : Effect.zipRight(Fiber.interruptAll([...inAir]), stopped)
    )

    yield* Effect.addFinalizer(() => {
      closing = true
      return Effect.interruptible(landed).pipe(
        Effect.timeoutOption(drainTimeout),
        Effect.zipRight(stopped)
      )
    })

    return {
      launch: <A, E>(work: Effect.Effect<A, E>) => {
        const deferred = Deferred.unsafeMake<A, E | RefreshFailed>(FiberId.none)
        if (closing) Deferred.unsafeDone(deferred, closed)
        else fork(Effect.ignore(Effect.onExit(work, (exit) => tell(deferred, exit))))
        return deferred
      },
      follow: (work) => {
        fork(work)
      },
      isClosing: () => closing
    }
  })

/** Who waits is told how the work ended. Its fiber ends well, so that nobody logs a failure that is dealt with. */
const tell = <A, E>(deferred: Deferred.Deferred<A, E | RefreshFailed>, exit: Exit.Exit<A, E>) =>
  Deferred.done(deferred, Exit.mapErrorCause(exit, withoutInterruption))

const closed = Effect.fail(new RefreshFailed({ reason: "Closing" }))

/** Who waits for a flight was not interrupted when the flight was. */
const withoutInterruption = <E>(cause: Cause.Cause<E>): Cause.Cause<E | RefreshFailed> =>
  Cause.isInterrupted(cause) ? Cause.fail(new RefreshFailed({ reason: "Closing" })) : cause
