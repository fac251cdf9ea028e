/**
 * One renewal of one session: read, begin, ask, commit. Whatever the server issued is written before anything else is
 * done with it.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { encodeBase64Url as encode } from "effect/Encoding"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type { Flights } from "./Flights.js"
import * as Grant from "./Grant.js"
import type { OAuth2CryptoService } from "./OAuth2Crypto.js"
import {
  type AttemptError,
  type OAuth2Error,
  ReauthorizationRequired,
  RefreshFailed,
  StoreError
} from "./OAuth2Error.js"
import { type Outcome, pauseAfter, type RefreshPolicy } from "./RefreshPolicy.js"
import type { Registration } from "./Registration.js"
import { SessionEvent } from "./SessionEvent.js"
import {
  type Cell,
  type Held,
  isSameToken,
  type Need,
  type SessionMemory,
  type Unsaved,
  type Write
} from "./SessionMemory.js"
import * as SessionRecord from "./SessionRecord.js"
import * as Telemetry from "./Telemetry.js"
import * as Token from "./Token.js"
import * as TokenEndpoint from "./TokenEndpoint.js"
import type { Claim, TokenStoreService } from "./TokenStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly registration: Registration
  readonly store: TokenStoreService
  readonly policy: RefreshPolicy
  readonly memory: SessionMemory
  readonly flights: Flights
  readonly crypto: OAuth2CryptoService
  /** The grant that can be run again, for sessions without a refresh token. */
  readonly renewableGrant: Effect.Effect<Grant.Grant, AttemptError> | undefined
  readonly storeKey: (sessionKey: string) => string
  readonly publish: (event: SessionEvent) => Effect.Effect<unknown>
  readonly onToken: ((sessionKey: string, token: Token.Token) => Effect.Effect<void>) | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Renewal {
  /** Loads the session, and renews it unless what it holds meets the need. */
  readonly run: (cell: Cell, need: Need) => Effect.Effect<Held, OAuth2Error>
  /** Exchanges a grant, and keeps the answer in place of whatever was there. */
  readonly authorize: (cell: Cell, grant: Grant.Grant) => Effect.Effect<Held, OAuth2Error>
  /** Keeps a token in place of whatever was there. */
  readonly restore: (cell: Cell, token: Token.Token) => Effect.Effect<Held, OAuth2Error>
  /** Writes what could not be written before. */
  readonly write: (cell: Cell, unsaved: Unsaved) => Effect.Effect<void, StoreError>
}

/** How often a record is read again while another process is redeeming it. */
const pollInterval = 50

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Renewal => {
  const { crypto, flights, memory, onToken, policy, publish, registration, renewableGrant, store, storeKey } = options

  const run = (cell: Cell, need: Need): Effect.Effect<Held, OAuth2Error> =>
    Effect.gen(function*() {
      if (cell.trouble?.unsaved !== undefined) return yield* heldUnsaved(cell, need)
      const loaded = yield* Effect.either(store.get(storeKey(cell.sessionKey)))
      const now = yield* Clock.currentTimeMillis
      if (Either.isLeft(loaded)) return memory.usable(cell.record, now, need) ?? (yield* loaded.left)
      yield* adopt(cell, Option.getOrUndefined(loaded.right))
      return yield* renew(cell, need)
    })

  /** While the store does not take what is held here, nothing more is redeemed. */
  const heldUnsaved = (cell: Cell, need: Need): Effect.Effect<Held, OAuth2Error> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const held = memory.usable(cell.record, now, need)
      return held === undefined ? unwritten : Effect.succeed(held)
    })

  /** Takes over what the store holds, whoever wrote it. */
  const adopt = (cell: Cell, record: SessionRecord.SessionRecord | undefined): Effect.Effect<unknown> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const isNews = cell.record !== undefined && record !== undefined && record.generation > cell.record.generation
      memory.hold(cell, record, now)
      if (!isNews) return Effect.void
      return Effect.zipRight(
        recovered(cell, "adopted"),
        publish(SessionEvent.Adopted({ sessionKey: cell.sessionKey, generation: record.generation }))
      )
    })

  /** Renews the record just taken over, unless what it holds will do. */
  const renew = (cell: Cell, need: Need): Effect.Effect<Held, OAuth2Error> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const { record } = cell
      const held = memory.usable(record, now, need)
      if (held !== undefined && (need.mayBeDue || !memory.isDue(cell, now))) return Effect.succeed(held)
      if (!memory.isRenewable(record)) return new ReauthorizationRequired({ reason: whyNotRenewable(record) })
      const retryAt = memory.blockedUntil(cell, now)
      return retryAt === undefined
        ? redeem(cell, record ?? absent, need)
        : new RefreshFailed({ reason: "CoolDown", retryAt, lastError: cell.trouble?.pause?.lastError })
    })

  const redeem = (cell: Cell, record: SessionRecord.SessionRecord, need: Need): Effect.Effect<Held, OAuth2Error> =>
    Effect.gen(function*() {
      const claim: Claim = { generation: record.generation, attempt: encode(yield* crypto.randomBytes(16)) }
      const begun = yield* store.begin(storeKey(cell.sessionKey), claim, Duration.millis(policy.hold)).pipe(
        Telemetry.step("oauth2.begin")
      )
      switch (begun._tag) {
        case "Begun":
          return yield* attempt(cell, begun.record, claim, need)
        case "Moved":
          return yield* Effect.zipRight(adopt(cell, begun.record), renew(cell, need))
        case "Busy":
          return yield* awaitSibling(cell, begun.until, need)
      }
    })

  /** Another process is redeeming: what is valid is served, else its result is waited for. */
  const awaitSibling = (cell: Cell, until: number, need: Need): Effect.Effect<Held, OAuth2Error> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const held = memory.usable(cell.record, now, need)
      if (held !== undefined) return Effect.succeed(held)
      const pause = Duration.millis(Math.min(Math.max(until - now, 1), pollInterval))
      return Effect.zipRight(Effect.sleep(pause), run(cell, need))
    })

  /** One request, and what its outcome asks for. Once the reply is there, nothing interrupts before it is kept. */
  const attempt = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: Claim,
    need: Need
  ): Effect.Effect<Held, OAuth2Error> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.either(restore(exchange(record))), (reply) =>
        Either.isRight(reply)
          ? settle(cell, record, claim, reply.right, need)
          : reply.left.refreshToken === undefined
          ? unanswered(cell, record, claim, reply.left.error, need)
          : keepSuccessor(cell, record, claim, { ...reply.left, refreshToken: reply.left.refreshToken }, need))
    ).pipe(Effect.onError((cause) => Cause.isDie(cause) ? giveBack(cell, claim, true) : Effect.void))

  const exchange = (record: SessionRecord.SessionRecord): Effect.Effect<Token.Token, TokenEndpoint.Refused> => {
    const refreshToken = SessionRecord.refreshToken(record)
    const grant = refreshToken !== undefined
      ? Effect.succeed(Grant.refreshToken({ refreshToken }))
      : renewableGrant ?? new StoreError({ operation: "begin", reason: "Corrupt" })
    return Effect.flatMap(
      Effect.mapError(grant, (error) => TokenEndpoint.refused(error, undefined)),
      (grant) => TokenEndpoint.exchange(registration, grant)
    )
  }

  const settle = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: Claim,
    token: Token.Token,
    need: Need
  ): Effect.Effect<Held, OAuth2Error> =>
    Effect.gen(function*() {
      const merged = Token.merge(token, {
        refreshToken: SessionRecord.refreshToken(record),
        scope: record.token?.scope
      })
      const next = SessionRecord.authorized(record.generation + 1, merged)
      const kept = yield* save(cell, next, commit(cell, claim, next))
      if (!isThatToken(kept, token)) return yield* renew(cell, need)
      yield* recovered(cell, "refreshed")
      yield* told(cell, merged)
      yield* publish(SessionEvent.Refreshed({ sessionKey: cell.sessionKey, generation: next.generation }))
      return cell.trouble?.unsaved === undefined
        ? { generation: next.generation, token: merged }
        : yield* heldUnsaved(cell, need)
    })

  /** The reply was refused as a whole, but what could be redeemed next was readable (R46). */
  const keepSuccessor = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: Claim,
    refused: { readonly error: AttemptError; readonly refreshToken: Redacted.Redacted<string> },
    need: Need
  ): Effect.Effect<Held, OAuth2Error> => {
    const next = SessionRecord.superseded(record, refused.refreshToken)
    return Effect.zipRight(
      save(cell, next, commit(cell, claim, next)),
      failed(cell, refused.error, "configuration", need)
    )
  }

  const unanswered = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: Claim,
    error: AttemptError,
    need: Need
  ): Effect.Effect<Held, OAuth2Error> => {
    const outcome = policy.outcome(error)
    if (outcome === "invalidGrant") return refusedGrant(cell, record, claim, need)
    const wasUnresolved = record.state._tag === "Redeeming" && record.state.unresolved
    const isFirstDoubt = outcome === "ambiguous" && !wasUnresolved
    return Effect.zipRight(
      giveBack(cell, claim, outcome === "ambiguous" || wasUnresolved),
      Effect.suspend(() => {
        // A new sign-in is no part of this failure
        if ((cell.record?.generation ?? 0) > claim.generation) return Effect.interruptible(renew(cell, need))
        return isFirstDoubt && policy.rotation !== "strict"
          ? Effect.zipRight(counted(outcome), Effect.interruptible(run(cell, need)))
          : failed(cell, error, outcome, need)
      })
    )
  }

  /** The server refuses the refresh token: a sibling may have used it, another grant may do, or the session is dead. */
  const refusedGrant = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: Claim,
    need: Need
  ): Effect.Effect<Held, OAuth2Error> =>
    Effect.gen(function*() {
      const latest = Option.getOrUndefined(yield* store.get(storeKey(cell.sessionKey)))
      if (latest?.generation !== claim.generation) {
        return yield* Effect.zipRight(adopt(cell, latest), renew(cell, need))
      }
      if (renewableGrant !== undefined && SessionRecord.refreshToken(record) !== undefined) {
        return yield* attempt(cell, SessionRecord.withoutRefreshToken(record), claim, need)
      }
      const isUnknown = record.state._tag === "Redeeming" && record.state.unresolved
      const reason = isUnknown ? "RotationOutcomeUnknown" : "InvalidGrant"
      const dead = SessionRecord.dead(record, reason)
      const kept = yield* save(cell, dead, commit(cell, claim, dead))
      // A sibling that took the redemption over may have an answer yet
      if (kept?.state._tag !== "Dead") return yield* renew(cell, need)
      yield* recovered(cell, "invalidGrant")
      yield* publish(SessionEvent.Dead({ sessionKey: cell.sessionKey, reason }))
      const now = yield* Clock.currentTimeMillis
      return memory.usable(cell.record, now, need) ?? (yield* new ReauthorizationRequired({ reason }))
    })

  /** The session is kept; the next attempt has to wait. */
  const failed = (
    cell: Cell,
    error: AttemptError,
    outcome: Outcome,
    need: Need
  ): Effect.Effect<Held, RefreshFailed> =>
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const before = cell.trouble?.pause
      const pause = yield* pauseAfter(policy, error, now, before)
      memory.setTrouble(cell, { ...cell.trouble, pause })
      yield* counted(outcome)
      const held = memory.usable(cell.record, now, need)
      const retryAt = now + pause.delay
      yield* publish(SessionEvent.RenewalFailed({
        sessionKey: cell.sessionKey,
        generation: cell.record?.generation ?? 0,
        outcome,
        error,
        servedStale: held !== undefined,
        retryAt
      }))
      return held ?? (yield* new RefreshFailed({ reason: "Attempt", retryAt, lastError: error }))
    })

  /** Ends a time of trouble. The limit on renewals that a 401 asks for outlasts it. */
  const recovered = (cell: Cell, outcome: "refreshed" | "adopted" | "invalidGrant"): Effect.Effect<void> => {
    const { rejectedAt, unsaved } = cell.trouble ?? {}
    memory.setTrouble(cell, rejectedAt === undefined && unsaved === undefined ? undefined : { rejectedAt, unsaved })
    return counted(outcome)
  }

  const giveBack = (cell: Cell, claim: Claim, unresolved: boolean): Effect.Effect<void> =>
    Effect.ignore(store.release(storeKey(cell.sessionKey), claim, { unresolved })).pipe(
      Effect.zipRight(Effect.sync(() => {
        const { record } = cell
        if (record?.generation === claim.generation) cell.record = { ...record, state: { _tag: "Idle", unresolved } }
      }))
    )

  // ---- writing

  const commit = (cell: Cell, claim: Claim, next: SessionRecord.SessionRecord): Write =>
    Effect.map(
      store.commit(storeKey(cell.sessionKey), claim, next),
      (outcome) => outcome._tag === "Committed" ? next : outcome.record
    ).pipe(Telemetry.step("oauth2.commit"), orUnwritten)

  /**
   * Writes, again and again up to the persist deadline, and takes what the store then holds. When it does not write,
   * the record is held in memory, and the writing goes on beside.
   */
  const save = (
    cell: Cell,
    next: SessionRecord.SessionRecord,
    write: Write
  ): Effect.Effect<SessionRecord.SessionRecord | undefined> =>
    Effect.gen(function*() {
      const before = cell.record
      const first = store.durability === "volatile" ? yield* Effect.option(write) : Option.none()
      const written = Option.isSome(first) ? first : yield* inTime(write)
      const now = yield* Clock.currentTimeMillis
      if (Option.isSome(written)) {
        if (!isOvertaken(cell, before, written.value)) memory.hold(cell, written.value, now)
        return written.value
      }
      const unsaved = { record: next, write }
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
    Effect.ignore(Effect.retry(writeUnsaved(cell, unsaved), patient))

  const writeUnsaved = (cell: Cell, unsaved: Unsaved): Effect.Effect<void, StoreError> =>
    Effect.gen(function*() {
      if (cell.trouble?.unsaved !== unsaved) return
      const kept = yield* unsaved.write
      if (cell.trouble?.unsaved !== unsaved) return
      memory.setTrouble(cell, { ...cell.trouble, unsaved: undefined })
      memory.hold(cell, kept, yield* Clock.currentTimeMillis)
      yield* publish(SessionEvent.Saved({ sessionKey: cell.sessionKey, generation: unsaved.record.generation }))
    })

  // ---- signing in

  const authorize = (cell: Cell, grant: Grant.Grant): Effect.Effect<Held, OAuth2Error> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.either(restore(TokenEndpoint.exchange(registration, grant))), (reply) => {
        if (Either.isRight(reply)) return restore_(cell, reply.right)
        const { error, refreshToken } = reply.left
        const refused: Effect.Effect<never, OAuth2Error> = Effect.fail(error)
        if (refreshToken === undefined) return refused
        const record: SessionRecord.SessionRecord = { ...absent, refreshToken }
        return Effect.zipRight(save(cell, record, replace(cell, record)), refused)
      })
    )

  const restore_ = (cell: Cell, token: Token.Token): Effect.Effect<Held, OAuth2Error> =>
    Effect.uninterruptible(Effect.gen(function*() {
      const next = SessionRecord.authorized((cell.record?.generation ?? 0) + 1, token)
      const { generation } = (yield* save(cell, next, replace(cell, next))) ?? next
      memory.setTrouble(cell, cell.trouble && { unsaved: cell.trouble.unsaved })
      yield* told(cell, token)
      yield* publish(SessionEvent.Authorized({ sessionKey: cell.sessionKey, generation }))
      return policy.strictPersistence && cell.trouble?.unsaved !== undefined
        ? yield* unwritten
        : { generation, token }
    }))

  /** The observer has its turn when the token is kept; nothing that becomes of it changes the session. */
  const told = (cell: Cell, token: Token.Token): Effect.Effect<unknown> =>
    onToken === undefined
      ? Effect.void
      : Effect.catchAllCause(Effect.interruptible(Effect.suspend(() => onToken(cell.sessionKey, token))), (cause) =>
        publish(SessionEvent.ObserverFailed({ sessionKey: cell.sessionKey, cause })))

  const replace = (cell: Cell, record: SessionRecord.SessionRecord): Write =>
    store.replace(storeKey(cell.sessionKey), record).pipe(Telemetry.step("oauth2.commit"), orUnwritten)

  return { run, authorize, restore: restore_, write: writeUnsaved }
}

const absent: SessionRecord.SessionRecord = { version: 1, generation: 0, state: SessionRecord.idle }

const unwritten = Effect.fail(new StoreError({ operation: "commit", reason: "Unavailable" }))

/** A store that dies has not written. */
const orUnwritten = (write: Write): Write => Effect.catchAllDefect(write, () => unwritten)

/** Whether something newer was written in the meantime, such as a new sign-in: its answer may come before. */
const isOvertaken = (
  { record }: Cell,
  before: SessionRecord.SessionRecord | undefined,
  written: SessionRecord.SessionRecord | undefined
): boolean => record !== undefined && record !== before && record.generation > (written?.generation ?? 0)

/** Between tries to write what is held in memory. */
const patient = Schedule.exponential("100 millis").pipe(Schedule.union(Schedule.spaced("5 seconds")))

const whyNotRenewable = (record: SessionRecord.SessionRecord | undefined): ReauthorizationRequired["reason"] =>
  record === undefined ? "NoSession" : record.state._tag === "Dead" ? record.state.reason : "NoRefreshToken"

const isThatToken = (record: SessionRecord.SessionRecord | undefined, token: Token.Token): boolean =>
  record?.token !== undefined && isSameToken(record.token, token)

const counted = (outcome: Telemetry.RefreshOutcome): Effect.Effect<void> =>
  Metric.increment(Telemetry.refreshesByOutcome[outcome])
