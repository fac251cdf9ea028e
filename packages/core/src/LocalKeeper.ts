/**
 * How sessions are kept in a store that belongs to this process alone: one renewal at a time, and every write succeeds.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RefreshPolicy } from "./RefreshPolicy.js"
import { type Cell, isOvertaken, type SessionMemory } from "./SessionMemory.js"
import type { SessionRecord } from "./SessionRecord.js"
import * as StoreKey from "./StoreKey.js"
import type { Keeper, PrivateStore } from "./TokenStore.js"

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  { memory, namespace, policy, store }: {
    readonly store: PrivateStore
    readonly namespace: string
    readonly policy: RefreshPolicy
    readonly memory: SessionMemory
  }
): Keeper => {
  const hold = (cell: Cell, record: SessionRecord | undefined): Effect.Effect<void> =>
    Effect.map(Clock.currentTimeMillis, (now) => memory.hold(cell, record, now))
  return {
    store,
    adopt: (cell, before, record) => cell.record === before ? hold(cell, record) : Effect.void,
    begin: ({ sessionKey }, claim) =>
      store.begin(StoreKey.make(namespace, sessionKey), claim, Duration.millis(policy.hold)),
    inTurn: (_cell, redemption) => Effect.flatten(redemption),
    replace: ({ sessionKey }, record) => store.replace(StoreKey.make(namespace, sessionKey), record),
    // Another client of this process, with the same registration
    awaitChange: (_cell, most) => Effect.sleep(Math.min(most, 50)),
    // Such a store does not fail; if one does all the same, what was issued is held here (law 1)
    save: (cell, next, write) => {
      const before = cell.record
      return Effect.tap(
        Effect.orElseSucceed(write, () => next),
        (record) => isOvertaken(cell, before, record) ? Effect.void : hold(cell, record)
      )
    },
    flush: () => Effect.void,
    reconcile: () => {}
  }
}
