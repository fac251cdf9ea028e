/**
 * How records get into the store: again and again until they are there, and held in memory while they are not.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { Flights } from "./Flights.js"
import { StoreError } from "./OAuth2Error.js"
import type { RefreshPolicy } from "./RefreshPolicy.js"
import { SessionEvent } from "./SessionEvent.js"
import { type Cell, isOvertaken, type SessionMemory, type Unsaved, type Write } from "./SessionMemory.js"
import * as SessionRecord from "./SessionRecord.js"
import type { Keeper, TokenStoreService } from "./TokenStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly store: TokenStoreService
  readonly policy: RefreshPolicy
  readonly memory: SessionMemory
  readonly flights: Flights
  readonly publish: (event: SessionEvent) => Effect.Effect<unknown>
  /** Takes over what somebody else wrote. */
  readonly adopt: Keeper["adopt"]
}

/**
 * @since 0.1.0
 * @category models
 */
export interface RecordWriter {
  /**
   * Writes, again and again up to the persist deadline, and takes what the store then holds. When it does not write,
   * the record is held in memory, and the writing goes on beside.
   */
  readonly save: (
    cell: Cell,
    next: SessionRecord.SessionRecord,
    write: Write,
    onLost?: Unsaved["onLost"]
  ) => Effect.Effect<SessionRecord.SessionRecord | undefined>
  /** Writes once more what could not be written before. */
  readonly retry: (cell: Cell, unsaved: Unsaved) => Effect.Effect<unknown, StoreError>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ adopt, flights, memory, policy, publish, store }: Options): RecordWriter => {
  const save = (
    cell: Cell,
    next: SessionRecord.SessionRecord,
    write: Write,
    onLost?: Unsaved["onLost"]
  ): Effect.Effect<SessionRecord.SessionRecord | undefined> =>
    Effect.gen(function*() {
      const before = cell.record
      const safe = orUnwritten(write)
      const first = store.durability === "volatile" ? yield* Effect.option(safe) : Option.none()
      const written = Option.isSome(first) ? first : yield* inTime(safe)
      const now = yield* Clock.currentTimeMillis
      if (Option.isSome(written)) {
        if (!isOvertaken(cell, before, written.value)) memory.hold(cell, written.value, now)
        // What could not be written before it is out of date
        if (cell.trouble?.unsaved !== undefined) memory.setTrouble(cell, { ...cell.trouble, unsaved: undefined })
        return written.value
      }
      if (isReplaced(cell, before, next)) return cell.record
      const unsaved = { record: next, write: safe, onLost }
      memory.setTrouble(cell, { ...cell.trouble, unsaved })
      flights.follow(keepWriting(cell, unsaved))
      if (!policy.strictPersistence) memory.hold(cell, next, now)
      yield* publish(SessionEvent.SaveFailed({ sessionKey: cell.sessionKey, generation: next.generation }))
      return next
    })

  /** Tries again and again; a store that does not answer is left behind at the deadline. */
  const inTime = (write: Write): Effect.Effect<Option.Option<SessionRecord.SessionRecord | undefined>> =>
    Effect.retry(write, Schedule.exponential("20 millis")).pipe(
      Effect.disconnect,
      Effect.interruptible,
      Effect.timeoutOption(Duration.millis(policy.persistDeadline)),
      Effect.orElseSucceed(() => Option.none())
    )

  /** Until it is written, or something else has taken its place. */
  const keepWriting = (cell: Cell, unsaved: Unsaved): Effect.Effect<void> =>
    Effect.ignore(Effect.retry(retry(cell, unsaved), patient))

  const retry = (cell: Cell, unsaved: Unsaved): Effect.Effect<unknown, StoreError> =>
    Effect.gen(function*() {
      if (cell.trouble?.unsaved !== unsaved) return
      const kept = yield* unsaved.write
      if (cell.trouble?.unsaved !== unsaved) return
      memory.setTrouble(cell, { ...cell.trouble, unsaved: undefined })
      if (kept === undefined || !SessionRecord.isSameContent(kept, unsaved.record)) {
        unsaved.onLost?.(kept)
        yield* adopt(cell, cell.record, kept)
        return
      }
      memory.hold(cell, kept, yield* Clock.currentTimeMillis)
      yield* publish(SessionEvent.Saved({ sessionKey: cell.sessionKey, generation: unsaved.record.generation }))
    })

  return { save, retry }
}

/**
 * What there is to say while the store does not take a record.
 *
 * @since 0.1.0
 * @category errors
 */
export const unwritten: Effect.Effect<never, StoreError> = Effect.fail(
  new StoreError({ operation: "commit", reason: "Unavailable" })
)

/** Whether another sign-in came in the meantime, which ends what was to be written. */
const isReplaced = (
  { record }: Cell,
  before: SessionRecord.SessionRecord | undefined,
  next: SessionRecord.SessionRecord
): boolean =>
  record !== undefined && !SessionRecord.isSameSignIn(record, next) &&
  (before === undefined || !SessionRecord.isSameSignIn(record, before))

/** A store that dies has not written. */
const orUnwritten = (write: Write): Write => Effect.catchAllDefect(write, () => unwritten)

/**
 * The longest time, in milliseconds, between tries to write what is held in memory.
 *
 * @since 0.1.0
 * @category constants
 */
export const patience = 5_000

const patient = Schedule.exponential("100 millis").pipe(Schedule.union(Schedule.spaced(patience)))
