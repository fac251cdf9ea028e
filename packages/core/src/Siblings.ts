/**
 * The other processes that share a store: how long to wait for what they do, and how to hear of it.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { TokenStoreService } from "./TokenStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Siblings {
  /** Waits for the record under the store's key to change, at most for so many milliseconds. It may wake early. */
  readonly awaitChange: (key: string, most: number) => Effect.Effect<void>
}

/** How often a record is read again while a sibling is redeeming it, by a store that does not tell, and by one that does. */
const pollInterval = { silent: 50, telling: 200 }

/**
 * `onChange` is told the store's key of what may have changed, whoever changed it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  { changes }: TokenStoreService,
  onChange: (key: string) => Effect.Effect<unknown>
): Effect.Effect<Siblings, never, Scope.Scope> => {
  if (changes === undefined) {
    return Effect.succeed({
      awaitChange: (_, most) => Effect.sleep(Duration.millis(Math.min(most, pollInterval.silent)))
    })
  }
  const waiting = new Map<string, Deferred.Deferred<void>>()
  const heard = (key: string) =>
    Effect.suspend(() => {
      const waiter = waiting.get(key)
      return waiter === undefined ? onChange(key) : Deferred.succeed(waiter, undefined)
    })
  const awaitChange = (key: string, most: number) =>
    Effect.flatMap(Deferred.make<void>(), (waiter) => {
      waiting.set(key, waiter)
      return Deferred.await(waiter).pipe(
        Effect.timeoutOption(Duration.millis(Math.min(most, pollInterval.telling))),
        Effect.ensuring(Effect.sync(() => waiting.delete(key)))
      )
    })
  return Effect.as(Effect.forkScoped(Stream.runForEach(changes, heard)), { awaitChange })
}
