/**
 * Where session records are kept: by key, each with a generation, each change a compare-and-set.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { encodeBase64Url as encode } from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Flights } from "./Flights.js"
import type { OAuth2CryptoService } from "./OAuth2Crypto.js"
import { type OAuth2Error, StoreError } from "./OAuth2Error.js"
import type { RefreshPolicy } from "./RefreshPolicy.js"
import type { SessionEvent } from "./SessionEvent.js"
import type { Cell, Held, Need, SessionMemory, Write } from "./SessionMemory.js"
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
 * What came of asking to move a session. `Missing`: there was none. `Busy`: somebody is redeeming it, until then (epoch
 * milliseconds), and it stays where they will look for it.
 *
 * @since 0.1.0
 * @category models
 */
export type RenameOutcome =
  | { readonly _tag: "Renamed" }
  | { readonly _tag: "Missing" }
  | { readonly _tag: "Busy"; readonly until: number }

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
 * The right to one more redemption of this generation, under a name of its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const claim = (crypto: OAuth2CryptoService, generation: number): Effect.Effect<Claim> =>
  Effect.map(crypto.randomBytes(16), (random) => ({ generation, attempt: encode(random) }))

/**
 * What is asked of a store, and `E`, what it may fail with. Keys are opaque to it. Each operation is atomic, and a change
 * is there for every later reader of the same store once the operation has returned.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operations<E> {
  readonly get: (key: string) => Effect.Effect<Option.Option<SessionRecord>, E>
  /**
   * Marks the record of this generation as redeeming, for so long by the store's own clock. A redeeming record whose
   * time is up is taken over, and then `unresolved`; so is one whose time is further ahead than both the hold and
   * {@link longestHold}, since the clock was put back. The record keeps the pause that it had. Generation 0 is that of a session which is not
   * there yet.
   */
  readonly begin: (key: string, claim: Claim, hold: Duration.Duration) => Effect.Effect<BeginOutcome, E>
  /** Writes the next record, if the claim still holds. */
  readonly commit: (key: string, claim: Claim, next: SessionRecord) => Effect.Effect<CommitOutcome, E>
  /**
   * Gives the claim back without a result: the record is then idle, as the options say. Does nothing when the claim no
   * longer holds.
   */
  readonly release: (
    key: string,
    claim: Claim,
    options: Omit<Idle, "_tag">
  ) => Effect.Effect<void, E>
  /** Writes a record whatever was there: a new sign-in. The generation is made one more than the old one. */
  readonly replace: (key: string, record: SessionRecord) => Effect.Effect<SessionRecord, E>
  /** Removes the record and returns it. */
  readonly remove: (key: string) => Effect.Effect<Option.Option<SessionRecord>, E>
  /**
   * Moves a record to another key, whatever was there, unless somebody redeems it: what comes of that is written where
   * it was. As for `begin`, it is the store's own clock that tells, and a time further ahead than both the hold and
   * {@link longestHold} is not believed. A redeeming record whose time is up is moved as it is.
   */
  readonly rename: (from: string, to: string, hold: Duration.Duration) => Effect.Effect<RenameOutcome, E>
  /**
   * The keys, with this beginning, of sessions that were last renewed before the instant (epoch milliseconds) and are
   * not dead, the longest ago first. Absent: the store cannot tell, and a fleet's idle sessions cannot be swept.
   */
  readonly idle?: ((options: IdleOptions) => Effect.Effect<ReadonlyArray<string>, E>) | undefined
  /**
   * The keys of records whose generation changed, or which are gone, whoever changed them, from the subscription on.
   * It may miss some and repeat some, and it ends only with the store. Absent: the store cannot tell, and is asked
   * again instead.
   */
  readonly changes?: Stream.Stream<string> | undefined
}

/**
 * A store that belongs to this process alone, answers at once, and never fails: nothing is to be done about others.
 *
 * @since 0.1.0
 * @category models
 */
export interface PrivateStore extends Operations<never> {
  readonly durability: "volatile"
  readonly sharing: "process"
  readonly keeper?: undefined
}

/**
 * A store that may fail, that outlives the process, or that others see.
 *
 * @since 0.1.0
 * @category models
 */
export interface SharedStore extends Operations<StoreError> {
  /** Whether a record outlives the process. A volatile store answers at once: its writes are given no deadline. */
  readonly durability: "volatile" | "durable"
  /** Who sees the same records. */
  readonly sharing: "process" | "tab" | "origin" | "machine" | "network"
  /** What is done about writes that fail, and about others who redeem: `SharedKeeper.make`. Without it it is no store. */
  readonly keeper: (options: KeeperOptions) => Effect.Effect<Keeper, never, Scope.Scope>
}

/**
 * A store of session records.
 *
 * @since 0.1.0
 * @category models
 */
export type TokenStoreService = PrivateStore | SharedStore

/**
 * How one client keeps its sessions in a store.
 *
 * @since 0.1.0
 * @category models
 */
export interface Keeper {
  /** The store as it is to be asked. */
  readonly store: TokenStoreService
  /**
   * Takes over what the store holds, whoever wrote it, unless the cell does not hold any more what it held when the store
   * was asked: an answer that comes late undoes nothing.
   */
  readonly adopt: (
    cell: Cell,
    before: SessionRecord | undefined,
    record: SessionRecord | undefined
  ) => Effect.Effect<unknown>
  /** Asks to redeem. */
  readonly begin: (cell: Cell, claim: Claim) => Effect.Effect<BeginOutcome, StoreError>
  /**
   * Runs a redemption when it is its turn, or `again` when somebody else was there before. The turn ends with the
   * redemption's last write; what follows is the effect within it.
   */
  readonly inTurn: (
    cell: Cell,
    redemption: Effect.Effect<Effect.Effect<Held, OAuth2Error>, OAuth2Error>,
    again: Effect.Effect<Held, OAuth2Error>
  ) => Effect.Effect<Held, OAuth2Error>
  /** Waits for somebody else's redemption to end, at most for so many milliseconds. It may wake early. */
  readonly awaitChange: (cell: Cell, most: number) => Effect.Effect<void>
  /**
   * A write of what a sign-in gave, whatever was there. One that is tried again lets stand what a sibling made of it, and
   * what a later sign-in gave.
   */
  readonly replace: (cell: Cell, record: SessionRecord) => Write
  /**
   * Writes, and takes what the store then holds. What cannot be written is held in memory, and written later; `onLost`
   * is told when somebody else's stands there by then.
   */
  readonly save: (
    cell: Cell,
    next: SessionRecord,
    write: Write,
    onLost?: (kept: SessionRecord | undefined) => void
  ) => Effect.Effect<SessionRecord | undefined>
  /** Writes once more what could not be written before. */
  readonly flush: (cell: Cell) => Effect.Effect<void, StoreError>
  /** Of two redemptions that were answered, somebody else's was kept: sees to the refresh token that ours gave. */
  readonly reconcile: (
    cell: Cell,
    kept: SessionRecord,
    alternate: Redacted.Redacted<string> | undefined,
    run: (cell: Cell, need: Need) => Effect.Effect<Held, OAuth2Error>
  ) => void
}

/**
 * What a keeper works with.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeeperOptions {
  readonly store: SharedStore
  /** What the keys of the client's sessions begin with. See `StoreKey`. */
  readonly namespace: string
  readonly policy: RefreshPolicy
  /** Of a token request, in milliseconds. */
  readonly requestDeadline: number
  readonly memory: SessionMemory
  readonly flights: Flights
  readonly publish: (event: SessionEvent) => Effect.Effect<unknown>
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
export const makeMemory: Effect.Effect<PrivateStore> = Effect.map(
  Effect.suspend(() => Ref.make(new Map<string, SessionRecord>())),
  (ref): PrivateStore => {
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
      rename: (from, to, hold) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          step((records) => {
            const record = records.get(from)
            const outcome = rename(record, now, Duration.toMillis(hold))
            if (record !== undefined && outcome._tag === "Renamed") {
              records.delete(from)
              records.set(to, record)
            }
            return outcome
          })),
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
 * reason `Unavailable`, and is left behind. `onFailure` is run whenever one fails. A volatile store waits for nothing,
 * and stays as it is.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDeadline = (
  self: SharedStore,
  deadline: Duration.Duration,
  onFailure: Effect.Effect<unknown> = Effect.void
): SharedStore => {
  const { changes, durability, idle, keeper, sharing } = self
  if (durability === "volatile") return self
  const inTime = <A>(operation: string, act: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.interruptible(Effect.disconnect(act)).pipe(
      Effect.timeoutFail({
        duration: deadline,
        onTimeout: () => new StoreError({ operation, reason: "Unavailable" })
      }),
      Effect.tapError(() => onFailure)
    )
  return {
    durability,
    sharing,
    keeper,
    get: (key) => inTime("get", self.get(key)),
    begin: (key, claim, hold) => inTime("begin", self.begin(key, claim, hold)),
    commit: (key, claim, next) => inTime("commit", self.commit(key, claim, next)),
    release: (key, claim, options) => inTime("release", self.release(key, claim, options)),
    replace: (key, record) => inTime("replace", self.replace(key, record)),
    remove: (key) => inTime("remove", self.remove(key)),
    rename: (from, to, hold) => inTime("rename", self.rename(from, to, hold)),
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
 * The rule of `rename`, for stores that keep their records where they can look at them first.
 *
 * @since 0.1.0
 * @category combinators
 */
export const rename = (record: SessionRecord | undefined, now: number, holdMillis: number): RenameOutcome => {
  if (record === undefined) return { _tag: "Missing" }
  const { state } = record
  return state._tag === "Redeeming" && isAhead(state.until, now, holdMillis)
    ? { _tag: "Busy", until: state.until }
    : { _tag: "Renamed" }
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
