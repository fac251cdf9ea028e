/**
 * One renewal of one session: read, begin, ask, commit. Whatever the server issued is written before anything else is
 * done with it.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { encodeBase64Url } from "effect/Encoding"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Grant from "./Grant.js"
import type { OAuth2CryptoService } from "./OAuth2Crypto.js"
import {
  type AttemptError,
  type OAuth2Error,
  ReauthorizationRequired,
  RefreshFailed,
  StoreError
} from "./OAuth2Error.js"
import { unwritten } from "./RecordWriter.js"
import { type Outcome, type Pause, pauseAfter, type RefreshPolicy } from "./RefreshPolicy.js"
import type { Registration } from "./Registration.js"
import { SessionEvent } from "./SessionEvent.js"
import { type Cell, type Held, isSameToken, type Need, type SessionMemory, type Write } from "./SessionMemory.js"
import * as SessionRecord from "./SessionRecord.js"
import * as StoreKey from "./StoreKey.js"
import * as Telemetry from "./Telemetry.js"
import * as Token from "./Token.js"
import * as TokenEndpoint from "./TokenEndpoint.js"
import * as TokenStore from "./TokenStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Whether the layer ends: nothing is redeemed any more whose answer might come too late. */
  readonly isClosing: () => boolean
  readonly registration: Registration
  readonly keeper: TokenStore.Keeper
  /** What the keys of the client's sessions begin with. */
  readonly namespace: string
  readonly policy: RefreshPolicy
  readonly memory: SessionMemory
  readonly crypto: OAuth2CryptoService
  /** The grant that can be run again, for sessions without a refresh token. */
  readonly renewableGrant: Effect.Effect<Grant.Grant, AttemptError> | undefined
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
  const { crypto, isClosing, keeper, memory, namespace, onToken, policy, publish, registration, renewableGrant } =
    options
  const { adopt, save, store } = keeper
  const storeKey = ({ sessionKey }: Cell) => StoreKey.make(namespace, sessionKey)

  const run = (cell: Cell, need: Need): Effect.Effect<Held, OAuth2Error> =>
    Effect.matchEffect(load(cell), {
      onFailure: (error) => heldOr(cell, need, () => error),
      onSuccess: () => renew(cell, need)
    })

  /** While the store does not take what is held here, nothing more is redeemed. */
  const load = (cell: Cell): Effect.Effect<unknown, StoreError> =>
    cell.trouble?.unsaved === undefined
      ? Effect.suspend(() => {
        const before = cell.record
        return Effect.flatMap(store.get(storeKey(cell)), (record) => adopt(cell, before, Option.getOrUndefined(record)))
      })
      : unwritten

  /** What is held, as long as it meets the need. */
  const heldOr = <E>(
    cell: Cell,
    need: Need,
    otherwise: (now: number) => Effect.Effect<Held, E>
  ): Effect.Effect<Held, E> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const held = memory.usable(cell.record, now, need)
      return held === undefined ? otherwise(now) : Effect.succeed(held)
    })

  /** Renews the record just taken over, unless what it holds will do. */
  const renew = (cell: Cell, need: Need): Effect.Effect<Held, OAuth2Error> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const { record } = cell
      const held = memory.usable(record, now, need)
      if (held !== undefined && (need.mayBeDue || !memory.isDue(cell, now))) return Effect.succeed(held)
      if (!memory.isRenewable(record)) return new ReauthorizationRequired({ reason: whyNotRenewable(record) })
      const retryAt = memory.blockedUntil(cell, now, need)
      return retryAt === undefined
        ? keeper.inTurn(cell, begin(cell, record?.generation ?? 0, need), Effect.suspend(() => renew(cell, need)))
        : new RefreshFailed({ reason: "CoolDown", retryAt, lastError: cell.trouble?.pause?.lastError })
    })

  /** For the generation that was found due: one that came while a turn was waited for is not redeemed. */
  const begin = (cell: Cell, generation: number, need: Need): Redemption =>
    Effect.gen(function*() {
      if (isClosing()) return yield* closing
      const claim = yield* TokenStore.claim(crypto, generation)
      const before = cell.record
      const begun = yield* Telemetry.step("oauth2.begin")(keeper.begin(cell, claim))
      switch (begun._tag) {
        case "Begun":
          if (isClosing()) {
            yield* giveBack(cell, claim, SessionRecord.asIdle(begun.record))
            return yield* closing
          }
          return yield* attempt(cell, begun.record, claim, need)
        case "Moved":
          return yield* Effect.as(adopt(cell, before, begun.record), renew(cell, need))
        case "Busy":
          return awaitOther(cell, begun.until, need)
      }
    })

  /** Somebody else is redeeming: what is valid is served, else the result is waited for. */
  const awaitOther = (cell: Cell, until: number, need: Need): Effect.Effect<Held, OAuth2Error> =>
    heldOr(
      cell,
      need,
      (now) => Effect.zipRight(keeper.awaitChange(cell, Math.max(until - now, leastWait)), run(cell, need))
    )

  /** One request, and what its outcome asks for. Once the reply is there, nothing interrupts before it is kept. */
  const attempt = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: TokenStore.Claim,
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
    claim: TokenStore.Claim,
    token: Token.Token,
    need: Need
  ): Redemption =>
    Effect.gen(function*() {
      const merged = Token.merge(token, {
        refreshToken: SessionRecord.refreshToken(record),
        scope: record.token?.scope
      })
      const next = SessionRecord.authorized(record.generation + 1, merged, record.signIn)
      const onLost = (kept: SessionRecord.SessionRecord | undefined) => {
        if (kept !== undefined && SessionRecord.isSameSignIn(kept, record)) {
          keeper.reconcile(cell, kept, token.refreshToken, run)
        }
      }
      const kept = yield* save(cell, next, commit(cell, claim, next), onLost)
      if (!isThatToken(kept, token)) {
        onLost(kept)
        return renew(cell, need)
      }
      return Effect.uninterruptible(refreshed(cell, { generation: next.generation, token: merged }, need))
    })

  const refreshed = (cell: Cell, held: Held, need: Need): Effect.Effect<Held, OAuth2Error> =>
    Effect.gen(function*() {
      yield* recovered(cell, "refreshed")
      yield* told(cell, held.token)
      yield* publish(SessionEvent.Refreshed({ sessionKey: cell.sessionKey, generation: held.generation }))
      return cell.trouble?.unsaved === undefined ? held : yield* run(cell, need)
    })

  /** The reply was refused as a whole, but what could be redeemed next was readable (R46). */
  const keepSuccessor = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: TokenStore.Claim,
    refused: { readonly error: AttemptError; readonly refreshToken: Redacted.Redacted<string> },
    need: Need
  ): Redemption => {
    const next = SessionRecord.superseded(record, refused.refreshToken)
    return Effect.gen(function*() {
      const pause = yield* pauseOf(cell, refused.error)
      yield* save(
        cell,
        next,
        commit(cell, claim, { ...next, state: { _tag: "Idle", unresolved: false, pause: inRecord(pause) } })
      )
      return failed(cell, refused.error, "configuration", pause, need)
    })
  }

  const unanswered = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: TokenStore.Claim,
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
        ...(isAskedAgain ? undefined : { pause: inRecord(pause) })
      })
      // What a sibling or a new sign-in did in the meantime is no part of this failure
      yield* Effect.ignore(load(cell))
      if ((cell.record?.generation ?? 0) !== claim.generation) return renew(cell, need)
      return isAskedAgain
        ? Effect.zipRight(Telemetry.counted(outcome), run(cell, need))
        : failed(cell, error, outcome, pause, need)
    })
  }

  /** The server refuses the refresh token: a sibling may have used it, another grant may do, or the session is dead. */
  const refusedGrant = (
    cell: Cell,
    record: SessionRecord.SessionRecord,
    claim: TokenStore.Claim,
    need: Need
  ): Redemption =>
    Effect.gen(function*() {
      const before = cell.record
      const latest = Option.getOrUndefined(
        yield* Effect.tapError(store.get(storeKey(cell)), () => giveBack(cell, claim, SessionRecord.asIdle(record)))
      )
      if (latest?.generation !== claim.generation) {
        return yield* Effect.as(adopt(cell, before, latest), renew(cell, need))
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
      return yield* heldOr(cell, need, () => new ReauthorizationRequired({ reason }))
    })

  const pauseOf = (cell: Cell, error: AttemptError): Effect.Effect<Pause> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => pauseAfter(policy, error, now, cell.trouble?.pause))

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
      yield* Telemetry.counted(outcome)
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

  const recovered = (cell: Cell, outcome: Telemetry.RefreshOutcome): Effect.Effect<void> => {
    memory.recovered(cell)
    return Telemetry.counted(outcome)
  }

  const giveBack = (cell: Cell, claim: TokenStore.Claim, as: Omit<SessionRecord.Idle, "_tag">): Effect.Effect<void> =>
    Effect.ignore(store.release(storeKey(cell), claim, as)).pipe(
      Effect.zipRight(Effect.sync(() => {
        const { record } = cell
        if (record?.generation === claim.generation) cell.record = { ...record, state: { _tag: "Idle", ...as } }
      }))
    )

  // ---- writing

  const commit = (cell: Cell, claim: TokenStore.Claim, next: SessionRecord.SessionRecord): Write =>
    Effect.map(
      store.commit(storeKey(cell), claim, next),
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
        return Effect.flatMap(signIn, (signIn) => {
          const record: SessionRecord.SessionRecord = { ...absent, signIn, refreshToken }
          return Effect.zipRight(save(cell, record, replace(cell, record)), refused)
        })
      })
    )

  const restore_ = (cell: Cell, token: Token.Token): Effect.Effect<Held, OAuth2Error> =>
    Effect.uninterruptible(Effect.gen(function*() {
      const next = SessionRecord.authorized((cell.record?.generation ?? 0) + 1, token, yield* signIn)
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
    keeper.replace(cell, record).pipe(Telemetry.step("oauth2.commit"))

  const signIn: Effect.Effect<SessionRecord.SignIn> = Effect.zipWith(
    crypto.randomBytes(9),
    Clock.currentTimeMillis,
    (random, at) => ({ id: encodeBase64Url(random), at })
  )

  return { run, authorize, restore: restore_ }
}

/** An answer that comes after the end of the layer would be lost. */
const closing = Effect.fail(new RefreshFailed({ reason: "Closing" }))

/**
 * Between looks, in milliseconds, where another's time seems to be up and the store, by its own clock, does not think so.
 *
 * @since 0.1.0
 * @category constants
 */
export const leastWait = 50

const absent: SessionRecord.SessionRecord = { version: 1, generation: 0, state: SessionRecord.idle }

const whyNotRenewable = (record: SessionRecord.SessionRecord | undefined): ReauthorizationRequired["reason"] =>
  record === undefined ? "NoSession" : record.state._tag === "Dead" ? record.state.reason : "NoRefreshToken"

const isThatToken = (record: SessionRecord.SessionRecord | undefined, token: Token.Token): boolean =>
  record?.token !== undefined && isSameToken(record.token, token)

/** What of a pause is left to siblings and successors, so that they keep to it. */
const inRecord = ({ askedFor, delay, failures, since }: Pause): SessionRecord.Pause => ({
  askedFor,
  delay,
  failures,
  since
})
