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
import { type RecordWriter, unwritten } from "./RecordWriter.js"
import type { RefreshLeaseService } from "./RefreshLease.js"
import { type Outcome, type Pause, pauseAfter, type RefreshPolicy } from "./RefreshPolicy.js"
import type { Registration } from "./Registration.js"
import { SessionEvent } from "./SessionEvent.js"
import {
  type Cell,
  type Held,
  isSameToken,
  type Need,
  otherToken,
  type SessionMemory,
  type Write
} from "./SessionMemory.js"
import * as SessionRecord from "./SessionRecord.js"
import type { Siblings } from "./Siblings.js"
import * as Telemetry from "./Telemetry.js"
import * as Token from "./Token.js"
import * as TokenEndpoint from "./TokenEndpoint.js"
import type { BeginOutcome, Claim, TokenStoreService } from "./TokenStore.js"

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
  readonly writer: RecordWriter
  readonly siblings: Siblings
  /** Shortens the wait for a sibling, where the platform has one. */
  readonly lease: RefreshLeaseService | undefined
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
  /** Takes over what the store holds now, as far as it can be read. */
  readonly reload: (cell: Cell) => Effect.Effect<unknown>
}

/**
 * A redemption up to its last write, and within it what follows: what waits for others, or is the program's own, has its
 * turn when the lease is given back.
 */
type Redemption = Effect.Effect<Effect.Effect<Held, OAuth2Error>, OAuth2Error>

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Renewal => {
  const { crypto, flights, lease, memory, onToken, policy, publish, registration, renewableGrant, store, storeKey } =
    options
  const { save } = options.writer
  /** What of the hold may be over before the request is made: the rest is for the request and for the write. */
  const spare = policy.hold - Duration.toMillis(registration.limits.requestDeadline) - policy.persistDeadline

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

  const reload = (cell: Cell): Effect.Effect<unknown> =>
    cell.record === undefined || cell.trouble?.unsaved !== undefined
      ? Effect.void
      : Effect.ignore(
        Effect.flatMap(store.get(storeKey(cell.sessionKey)), (record) => adopt(cell, Option.getOrUndefined(record)))
      )

  /** Takes over what the store holds, whoever wrote it. */
  const adopt = (cell: Cell, record: SessionRecord.SessionRecord | undefined): Effect.Effect<unknown> =>
    Effect.gen(function*() {
      const before = cell.record
      memory.hold(cell, record, yield* Clock.currentTimeMillis)
      if (before !== undefined) yield* news(cell, before, record)
      const pause = record && unheardPause(cell, record)
      if (pause !== undefined) memory.setTrouble(cell, { ...cell.trouble, pause })
    })

  /** The pause that a sibling left in the record, unless this process knows it. */
  const unheardPause = (cell: Cell, record: SessionRecord.SessionRecord): SessionRecord.Pause | undefined => {
    const pause = SessionRecord.pause(record)
    const known = cell.trouble?.pause
    return pause !== undefined && (known === undefined || known.since < pause.since) ? pause : undefined
  }

  /** What a sibling did to the session since this process last saw it. */
  const news = (
    cell: Cell,
    before: SessionRecord.SessionRecord,
    record: SessionRecord.SessionRecord | undefined
  ): Effect.Effect<unknown> => {
    const { sessionKey } = cell
    if (record === undefined) return publish(SessionEvent.Removed({ sessionKey }))
    const { generation, state } = record
    if (generation <= before.generation) return Effect.void
    return Effect.zipRight(
      recovered(cell, "adopted"),
      publish(
        state._tag === "Dead"
          ? SessionEvent.Dead({ sessionKey, reason: state.reason })
          : SessionEvent.Adopted({ sessionKey, generation })
      )
    )
  }

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

  const redeem = (cell: Cell, record: SessionRecord.SessionRecord, need: Need): Effect.Effect<Held, OAuth2Error> => {
    const now = redeemNow(cell, record, need)
    if (lease === undefined) return Effect.flatten(now)
    const key = storeKey(cell.sessionKey)
    // Whoever had the lease before may have renewed the session
    const inTurn: Redemption = Effect.flatMap(store.get(key), (latest) => {
      const current = Option.getOrUndefined(latest)
      return current?.generation === cell.record?.generation
        ? now
        : Effect.as(adopt(cell, current), renew(cell, need))
    })
    return Effect.flatten(
      Effect.catchTag(
        lease.withLease(key, { ttl: policy.hold, wait: policy.hold }, () => inTurn),
        "LeaseTimeout",
        () => now
      )
    )
  }

  const claimed = (key: string, generation: number): Effect.Effect<readonly [BeginOutcome, Claim], StoreError> =>
    Effect.flatMap(crypto.randomBytes(16), (random) => {
      const claim: Claim = { generation, attempt: encode(random) }
      return Effect.map(store.begin(key, claim, Duration.millis(policy.hold)), (begun) => [begun, claim] as const)
    }).pipe(Telemetry.step("oauth2.begin"))

  const redeemNow = (cell: Cell, record: SessionRecord.SessionRecord, need: Need): Redemption =>
    Effect.gen(function*() {
      const asked = yield* Clock.currentTimeMillis
      const [begun, claim] = yield* claimed(storeKey(cell.sessionKey), record.generation)
      switch (begun._tag) {
        case "Begun": {
          // A process that was frozen meanwhile has no time left to ask in: the claim may be another's by now
          const isTooLate = (yield* Clock.currentTimeMillis) - asked > spare
          // A sibling tried in the meantime, and failed
          const isTooSoon = unheardPause(cell, begun.record) !== undefined
          return isTooLate || isTooSoon
            ? yield* Effect.as(giveBack(cell, claim, SessionRecord.asIdle(begun.record)), run(cell, need))
            : yield* attempt(cell, begun.record, claim, need)
        }
        case "Moved":
          return yield* Effect.as(adopt(cell, begun.record), renew(cell, need))
        case "Busy":
          return awaitSibling(cell, begun.until, need)
      }
    })

  /** Another process is redeeming: what is valid is served, else its result is waited for. */
  const awaitSibling = (cell: Cell, until: number, need: Need): Effect.Effect<Held, OAuth2Error> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const held = memory.usable(cell.record, now, need)
      if (held !== undefined) return Effect.succeed(held)
      const wait = options.siblings.awaitChange(storeKey(cell.sessionKey), Math.max(until - now, 1))
      return Effect.zipRight(wait, run(cell, need))
    })

  /** One request, and what its outcome asks for. Once the reply is there, nothing interrupts before it is kept. */
  const attempt = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: Claim,
    need: Need
  ): Redemption =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.either(restore(exchange(record))), (reply) =>
        Either.isRight(reply)
          ? settle(cell, record, claim, reply.right, need)
          : reply.left.refreshToken === undefined
          ? unanswered(cell, record, claim, reply.left.error, need)
          : keepSuccessor(cell, record, claim, { ...reply.left, refreshToken: reply.left.refreshToken }, need))
    ).pipe(Effect.onError((cause) => Cause.isDie(cause) ? giveBack(cell, claim, { unresolved: true }) : Effect.void))

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
  ): Redemption =>
    Effect.gen(function*() {
      const merged = Token.merge(token, {
        refreshToken: SessionRecord.refreshToken(record),
        scope: record.token?.scope
      })
      const next = SessionRecord.authorized(record.generation + 1, merged)
      const kept = yield* save(cell, next, commit(cell, claim, next))
      if (!isThatToken(kept, token)) {
        if (kept !== undefined) reconcile(cell, kept, token.refreshToken)
        return renew(cell, need)
      }
      return Effect.uninterruptible(refreshed(cell, { generation: next.generation, token: merged }, need))
    })

  const refreshed = (cell: Cell, held: Held, need: Need): Effect.Effect<Held, OAuth2Error> =>
    Effect.gen(function*() {
      yield* recovered(cell, "refreshed")
      yield* told(cell, held.token)
      yield* publish(SessionEvent.Refreshed({ sessionKey: cell.sessionKey, generation: held.generation }))
      return cell.trouble?.unsaved === undefined ? held : yield* heldUnsaved(cell, need)
    })

  /** The reply was refused as a whole, but what could be redeemed next was readable (R46). */
  const keepSuccessor = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: Claim,
    refused: { readonly error: AttemptError; readonly refreshToken: Redacted.Redacted<string> },
    need: Need
  ): Redemption => {
    const next = SessionRecord.superseded(record, refused.refreshToken)
    return Effect.gen(function*() {
      const pause = yield* pauseOf(cell, refused.error)
      yield* save(cell, next, commit(cell, claim, { ...next, state: { ...SessionRecord.idle, ...shared(pause) } }))
      return failed(cell, refused.error, "configuration", pause, need)
    })
  }

  /**
   * Two redemptions of one refresh token were answered, and a sibling's was kept: what came of ours stands beside it for
   * one attempt. A server with a grace window has left only the later one alive, and nobody here knows which that is;
   * while the window is open it takes either, and what it gives for that is the one.
   */
  const reconcile = (
    cell: Cell,
    kept: SessionRecord.SessionRecord,
    alternate: Redacted.Redacted<string> | undefined
  ): void => {
    if (kept.state._tag === "Dead" || kept.token === undefined || alternate === undefined) return
    const settled = policy.rotation === "grace" ? run(cell, otherToken(kept.token)) : Effect.void
    flights.follow(Effect.ignore(Effect.zipRight(keepAlternate(cell, kept.generation, alternate), settled)))
  }

  const keepAlternate = (
    cell: Cell,
    generation: number,
    alternate: Redacted.Redacted<string>
  ): Effect.Effect<unknown, StoreError> => {
    const key = storeKey(cell.sessionKey)
    return Effect.flatMap(claimed(key, generation), ([begun, claim]) => {
      switch (begun._tag) {
        case "Begun":
          return store.commit(key, claim, SessionRecord.reconciled(begun.record, alternate))
        case "Busy":
          return Effect.zipRight(
            options.siblings.awaitChange(key, policy.hold),
            keepAlternate(cell, generation, alternate)
          )
        case "Moved":
          return Effect.void
      }
    })
  }

  const unanswered = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: Claim,
    error: AttemptError,
    need: Need
  ): Redemption => {
    const outcome = policy.outcome(error)
    if (outcome === "invalidGrant") return refusedGrant(cell, record, claim, need)
    const wasUnresolved = SessionRecord.isUnresolved(record)
    const isFirstDoubt = outcome === "ambiguous" && !wasUnresolved
    const isAskedAgain = isFirstDoubt && policy.rotation !== "strict"
    return Effect.gen(function*() {
      const pause = yield* pauseOf(cell, error)
      yield* giveBack(cell, claim, {
        unresolved: outcome === "ambiguous" || wasUnresolved,
        ...(isAskedAgain ? undefined : shared(pause))
      })
      // A new sign-in is no part of this failure
      if ((cell.record?.generation ?? 0) > claim.generation) return renew(cell, need)
      return isAskedAgain
        ? Effect.zipRight(counted(outcome), run(cell, need))
        : failed(cell, error, outcome, pause, need)
    })
  }

  /** The server refuses the refresh token: a sibling may have used it, another grant may do, or the session is dead. */
  const refusedGrant = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: Claim,
    need: Need
  ): Redemption =>
    Effect.gen(function*() {
      const latest = Option.getOrUndefined(yield* store.get(storeKey(cell.sessionKey)))
      if (latest?.generation !== claim.generation) {
        return yield* Effect.as(adopt(cell, latest), renew(cell, need))
      }
      if (record.alternate !== undefined) {
        return yield* attempt(cell, SessionRecord.withAlternate(record, record.alternate), claim, need)
      }
      if (renewableGrant !== undefined && SessionRecord.refreshToken(record) !== undefined) {
        return yield* attempt(cell, SessionRecord.withoutRefreshToken(record), claim, need)
      }
      const reason = SessionRecord.isUnresolved(record) ? "RotationOutcomeUnknown" : "InvalidGrant"
      const dead = SessionRecord.dead(record, reason)
      const kept = yield* save(cell, dead, commit(cell, claim, dead))
      // A sibling that took the redemption over may have an answer yet
      if (kept?.state._tag !== "Dead") return renew(cell, need)
      return Effect.uninterruptible(ended(cell, reason, need))
    })

  const ended = (cell: Cell, reason: ReauthorizationRequired["reason"], need: Need): Effect.Effect<Held, OAuth2Error> =>
    Effect.gen(function*() {
      yield* recovered(cell, "invalidGrant")
      yield* publish(SessionEvent.Dead({ sessionKey: cell.sessionKey, reason }))
      const now = yield* Clock.currentTimeMillis
      return memory.usable(cell.record, now, need) ?? (yield* new ReauthorizationRequired({ reason }))
    })

  const pauseOf = (cell: Cell, error: AttemptError): Effect.Effect<Pause> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => pauseAfter(policy, error, now, cell.trouble?.pause))

  /** What of a pause goes into a store that outlives this process, so that its siblings and successors keep to it. */
  const shared = ({ askedFor, delay, failures, since }: Pause): { readonly pause?: SessionRecord.Pause } =>
    store.durability === "durable" ? { pause: { askedFor, delay, failures, since } } : {}

  /** The session is kept; the next attempt has to wait. */
  const failed = (
    cell: Cell,
    error: AttemptError,
    outcome: Outcome,
    pause: Pause,
    need: Need
  ): Effect.Effect<Held, RefreshFailed> =>
    Effect.gen(function*() {
      memory.setTrouble(cell, { ...cell.trouble, pause })
      yield* counted(outcome)
      const now = yield* Clock.currentTimeMillis
      const held = memory.usable(cell.record, now, need)
      const retryAt = pause.since + pause.delay
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

  const giveBack = (cell: Cell, claim: Claim, as: Omit<SessionRecord.Idle, "_tag">): Effect.Effect<void> =>
    Effect.ignore(store.release(storeKey(cell.sessionKey), claim, as)).pipe(
      Effect.zipRight(Effect.sync(() => {
        const { record } = cell
        if (record?.generation === claim.generation) cell.record = { ...record, state: { _tag: "Idle", ...as } }
      }))
    )

  // ---- writing

  const commit = (cell: Cell, claim: Claim, next: SessionRecord.SessionRecord): Write =>
    Effect.map(
      store.commit(storeKey(cell.sessionKey), claim, next),
      (outcome) => outcome._tag === "Committed" ? next : outcome.record
    ).pipe(Telemetry.step("oauth2.commit"))

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
    store.replace(storeKey(cell.sessionKey), record).pipe(Telemetry.step("oauth2.commit"))

  return { run, reload, authorize, restore: restore_ }
}

const absent: SessionRecord.SessionRecord = { version: 1, generation: 0, state: SessionRecord.idle }

const whyNotRenewable = (record: SessionRecord.SessionRecord | undefined): ReauthorizationRequired["reason"] =>
  record === undefined ? "NoSession" : record.state._tag === "Dead" ? record.state.reason : "NoRefreshToken"

const isThatToken = (record: SessionRecord.SessionRecord | undefined, token: Token.Token): boolean =>
  record?.token !== undefined && isSameToken(record.token, token)

const counted = (outcome: Telemetry.RefreshOutcome): Effect.Effect<void> =>
  Metric.increment(Telemetry.refreshesByOutcome[outcome])
