/**
 * Where session records are kept: by key, each with a generation, each change a compare-and-set.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Stream from "effect/Stream"
import { StoreError } from "./OAuth2Error.js"
import { type Idle, renewedAt, type SessionRecord } from "./SessionRecord.js"

/**
 * What came of asking to redeem.
 *
 * - `Begun`: the record is ours to redeem until the time is up.
 * - `Busy`: another attempt is redeeming, until then (epoch milliseconds).
 * - `Moved`: the generation is another than the one named, or the session is gone (`undefined`).
 *
 * @since 0.1.0
 * @category models
 */
export type BeginOutcome =
  | { readonly _tag: "Begun"; readonly record: SessionRecord }
  | { readonly _tag: "Busy"; readonly until: number }
  | { readonly _tag: "Moved"; readonly record: SessionRecord | undefined }

/**
 * What came of writing the result of a redemption. `Lost`: it was no longer ours to write.
 *
 * @since 0.1.0
 * @category models
 */
export type CommitOutcome =
  | { readonly _tag: "Committed" }
  | { readonly _tag: "Lost"; readonly record: SessionRecord | undefined }

/**
 * The right to write the outcome of one redemption.
 *
 * @since 0.1.0
 * @category models
 */
export interface Claim {
  readonly generation: number
  readonly attempt: string
}

/**
 * A store of session records. Keys are opaque to it. Each operation is atomic, and a change is there for every later
 * reader of the same store once the operation has returned.
 *
 * @since 0.1.0
 * @category models
 */
export interface TokenStoreService {
  /** Whether a record outlives the process. A volatile store answers at once: its writes are given no deadline. */
  readonly durability: "volatile" | "durable"
  /** Who sees the same records. */
  readonly sharing: "process" | "tab" | "origin" | "machine" | "network"
  readonly get: (key: string) => Effect.Effect<Option.Option<SessionRecord>, StoreError>
  /**
   * Marks the record of this generation as redeeming, for so long by the store's own clock. A redeeming record whose
   * time is up is taken over, and then `unresolved`; so is one whose time is further ahead than both the hold and
   * {@link longestHold}, since the clock was put back. The record keeps the pause that it had. Generation 0 is that of a session which is not
   * there yet.
   */
  readonly begin: (key: string, claim: Claim, hold: Duration.Duration) => Effect.Effect<BeginOutcome, StoreError>
  /** Writes the next record, if the claim still holds. */
  readonly commit: (key: string, claim: Claim, next: SessionRecord) => Effect.Effect<CommitOutcome, StoreError>
  /**
   * Gives the claim back without a result: the record is then idle, as the options say. Does nothing when the claim no
   * longer holds.
   */
  readonly release: (
    key: string,
    claim: Claim,
    options: Omit<Idle, "_tag">
  ) => Effect.Effect<void, StoreError>
  /** Writes a record whatever was there: a new sign-in. The generation is made one more than the old one. */
  readonly replace: (key: string, record: SessionRecord) => Effect.Effect<SessionRecord, StoreError>
  /** Removes the record and returns it. */
  readonly remove: (key: string) => Effect.Effect<Option.Option<SessionRecord>, StoreError>
  /** Moves a record to another key, whatever was there. `false`: there was none to move. */
  readonly rename: (from: string, to: string) => Effect.Effect<boolean, StoreError>
  /**
   * The keys, with this beginning, of sessions that were last renewed before the instant (epoch milliseconds) and are
   * not dead, the longest ago first. Absent: the store cannot tell, and a fleet's idle sessions cannot be swept.
   */
  readonly idle?: ((options: IdleOptions) => Effect.Effect<ReadonlyArray<string>, StoreError>) | undefined
  /**
   * The keys of records whose generation changed, or which are gone, whoever changed them, from the subscription on.
   * It may miss some and repeat some, and it ends only with the store. Absent: the store cannot tell, and is asked
   * again instead.
   */
  readonly changes?: Stream.Stream<string> | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface IdleOptions {
  readonly prefix: string
  readonly renewedBefore: number
  readonly limit: number
}

/**
 * @since 0.1.0
 * @category tags
 */
export class TokenStore extends Context.Tag("@effect-oauth2/core/TokenStore")<TokenStore, TokenStoreService>() {}

/**
 * A store in the memory of this process. One `Ref` holds the records, and each operation is one step on it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeMemory: Effect.Effect<TokenStoreService> = Effect.map(
  Effect.suspend(() => Ref.make(new Map<string, SessionRecord>())),
  (ref): TokenStoreService => {
    /** A map that is changed in place costs a session a third of the memory that a persistent one does. */
    const step = <A>(f: (records: Map<string, SessionRecord>) => A): Effect.Effect<A> =>
      Ref.modify(ref, (records) => [f(records), records])
    return {
      durability: "volatile",
      sharing: "process",
      get: (key) => Effect.map(Ref.get(ref), (records) => Option.fromNullable(records.get(key))),
      begin: (key, claim, hold) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          step((records) => {
            const outcome = begin(records.get(key), claim, now, Duration.toMillis(hold))
            if (outcome._tag === "Begun") records.set(key, outcome.record)
            return outcome
          })),
      commit: (key, claim, next) =>
        step((records): CommitOutcome => {
          const record = records.get(key)
          if (!holds(record, claim)) return { _tag: "Lost", record }
          records.set(key, next)
          return { _tag: "Committed" }
        }),
      release: (key, claim, options) =>
        step((records) => {
          const record = records.get(key)
          if (!holds(record, claim)) return
          if (record.generation === 0) records.delete(key)
          else records.set(key, { ...record, state: { _tag: "Idle", ...options } })
        }),
      replace: (key, record) =>
        step((records) => {
          const next = { ...record, generation: (records.get(key)?.generation ?? 0) + 1 }
          records.set(key, next)
          return next
        }),
      remove: (key) =>
        step((records) => {
          const record = Option.fromNullable(records.get(key))
          records.delete(key)
          return record
        }),
      rename: (from, to) =>
        step((records) => {
          const record = records.get(from)
          if (record === undefined) return false
          records.delete(from)
          records.set(to, record)
          return true
        }),
      idle: (options) => step((records) => idleOf(records, options))
    }
  }
)

/**
 * Sessions that end with the process.
 *
 * Name this layer once and provide that one value: built in two places it is two stores, and two refreshes.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<TokenStore> = Layer.effect(TokenStore, makeMemory)

/**
 * The store, with an end to its patience: an operation that is not done by the deadline fails with `StoreError`,
 * reason `Unavailable`, and is left behind. A volatile store waits for nothing, and stays as it is.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDeadline = (self: TokenStoreService, deadline: Duration.Duration): TokenStoreService => {
  const { changes, durability, idle, sharing } = self
  if (durability === "volatile") return self
  const inTime = <A>(operation: string, act: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.interruptible(Effect.disconnect(act)).pipe(
      Effect.timeoutFail({
        duration: deadline,
        onTimeout: () => new StoreError({ operation, reason: "Unavailable" })
      })
    )
  return {
    durability,
    sharing,
    get: (key) => inTime("get", self.get(key)),
    begin: (key, claim, hold) => inTime("begin", self.begin(key, claim, hold)),
    commit: (key, claim, next) => inTime("commit", self.commit(key, claim, next)),
    release: (key, claim, options) => inTime("release", self.release(key, claim, options)),
    replace: (key, record) => inTime("replace", self.replace(key, record)),
    remove: (key) => inTime("remove", self.remove(key)),
    rename: (from, to) => inTime("rename", self.rename(from, to)),
    idle: idle && ((options) => inTime("idle", idle(options))),
    changes
  }
}

/**
 * The rule of `idle`, for stores that can look at all their records.
 *
 * @since 0.1.0
 * @category combinators
 */
export const idleOf = (
  records: Iterable<readonly [string, SessionRecord]>,
  { limit, prefix, renewedBefore }: IdleOptions
): ReadonlyArray<string> =>
  Array.from(records)
    .filter(([key, record]) =>
      key.startsWith(prefix) && record.state._tag !== "Dead" && renewedAt(record) < renewedBefore
    )
    .sort(([, a], [, b]) => renewedAt(a) - renewedAt(b))
    .slice(0, limit)
    .map(([key]) => key)

/**
 * The rule of `begin`, for stores that keep their records where they can look at them first.
 *
 * @since 0.1.0
 * @category combinators
 */
export const begin = (
  record: SessionRecord | undefined,
  claim: Claim,
  now: number,
  holdMillis: number
): BeginOutcome => {
  const current = record ?? absent
  if (current.generation !== claim.generation || current.state._tag === "Dead") return { _tag: "Moved", record }
  if (current.state._tag === "Redeeming" && isAhead(current.state.until, now, holdMillis)) {
    return { _tag: "Busy", until: current.state.until }
  }
  const unresolved = current.state._tag === "Redeeming" || current.state.unresolved
  const { pause } = current.state
  const state = {
    _tag: "Redeeming",
    attempt: claim.attempt,
    until: now + holdMillis,
    unresolved,
    ...(pause === undefined ? undefined : { pause })
  } as const
  return { _tag: "Begun", record: { ...current, state } }
}

/**
 * Whether a claim still holds on a record.
 *
 * @since 0.1.0
 * @category predicates
 */
export const holds = (record: SessionRecord | undefined, claim: Claim): record is SessionRecord =>
  record !== undefined && record.generation === claim.generation && record.state._tag === "Redeeming" &&
  record.state.attempt === claim.attempt

/** A time further ahead than anyone is given means that the clock was put back. Others may hold for longer than this one. */
const isAhead = (until: number, now: number, holdMillis: number): boolean =>
  now < until && until - now <= Math.max(holdMillis, longestHold)

/**
 * How far ahead, in milliseconds, the end of a hold may be and still be believed, whoever asks.
 *
 * @since 0.1.0
 * @category constants
 */
export const longestHold = 60_000

/** A session that is not there yet, as something that can be redeemed for. */
const absent: SessionRecord = { version: 1, generation: 0, state: { _tag: "Idle", unresolved: false } }
