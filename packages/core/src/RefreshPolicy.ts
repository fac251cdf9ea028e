/**
 * When a session is renewed, how often that is tried, and what each kind of failure means.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Hash from "effect/Hash"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import { type AttemptError, ConfigurationError } from "./OAuth2Error.js"
import type * as SessionRecord from "./SessionRecord.js"
import type { Token } from "./Token.js"

/**
 * What a failed attempt means for the session.
 *
 * - `invalidGrant`: the server refuses the refresh token. After a second look at the store, the session is dead.
 * - `configuration`: client or server is set up wrongly. The session is kept.
 * - `retryable`: the server did not act. The session is kept.
 * - `ambiguous`: nobody knows whether the server acted. The session is kept; see {@link Rotation}.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = "invalidGrant" | "configuration" | "retryable" | "ambiguous"

/**
 * What the server does with a refresh token that was used: keeps it (`none`), takes it again for a while (`grace`), or
 * refuses it and revokes the session (`strict`). After an ambiguous attempt, the first two are asked again at once; a
 * strict one only when the access token has expired, since asking may end the session.
 *
 * @since 0.1.0
 * @category models
 */
export type Rotation = "none" | "grace" | "strict"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How long before its expiry a token is renewed while it still serves. Default: 5 minutes. */
  readonly earlyWindow?: Duration.DurationInput | undefined
  /** The early window is at most this part of the token's life. Default: 0.2. */
  readonly earlyFraction?: number | undefined
  /** The shortest time from one token to its renewal; a shorter life is served for so long. Default: 1 second. */
  readonly minimumInterval?: Duration.DurationInput | undefined
  /** Default: `strict`, which is safe everywhere. */
  readonly rotation?: Rotation | undefined
  /**
   * The pause after each failed attempt. It is not slept through: callers bring the next attempt, not before it is
   * over. A longer `Retry-After` wins. When the schedule ends, its last pause stays.
   *
   * Default: exponential from 1 second to 60 seconds, jittered.
   */
  readonly retry?: Schedule.Schedule<unknown, AttemptError> | undefined
  /** Another judgement of failures. Default: {@link outcome}. */
  readonly outcome?: ((error: AttemptError) => Outcome) | undefined
  /**
   * How long a store that does not answer is waited for, and how long a renewed token may take to be written before it
   * is served from memory. Default: 2 seconds.
   */
  readonly persistDeadline?: Duration.DurationInput | undefined
  /** Never serve a token that could not be written. Default: `false`. */
  readonly strictPersistence?: boolean | undefined
  /**
   * For how long one attempt owns the record. At least request deadline + persist deadline + 1 second; what there is
   * beyond request and write is what the store may take to begin. At most 59 seconds. Default: one persist deadline more
   * than the least.
   */
  readonly hold?: Duration.DurationInput | undefined
  /** How long the end of the program waits for renewals in the air. Default: request deadline + persist deadline. */
  readonly drainTimeout?: Duration.DurationInput | undefined
  /** How long an unused session stays in memory. Default: 15 minutes. */
  readonly idleTimeToLive?: Duration.DurationInput | undefined
  /** With a store that others write to: how long their sign-out may go unseen. Default: 1 minute. */
  readonly revalidateAfter?: Duration.DurationInput | undefined
  /** The shortest time between two renewals that a resource's 401 asked for. Default: 1 minute. */
  readonly rejectionInterval?: Duration.DurationInput | undefined
}

/**
 * The policy with its defaults filled in. Times are in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface RefreshPolicy {
  readonly earlyWindow: number
  readonly earlyFraction: number
  readonly minimumInterval: number
  readonly rotation: Rotation
  readonly retry: Schedule.Schedule<unknown, AttemptError>
  readonly outcome: (error: AttemptError) => Outcome
  readonly persistDeadline: number
  readonly strictPersistence: boolean
  readonly hold: number
  readonly drainTimeout: number
  readonly idleTimeToLive: number
  readonly revalidateAfter: number
  readonly rejectionInterval: number
}

/**
 * The pause after a failure: exponential from 1 second to 60 seconds, jittered.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultRetry: Schedule.Schedule<unknown, AttemptError> = Schedule.exponential("1 second").pipe(
  Schedule.union(Schedule.spaced("60 seconds")),
  Schedule.jittered
)

/** What clocks of different machines may differ by. */
const drift = 1_000

/** What a client whose clock is behind still believes: less than its `TokenStore.longestHold` by that. */
const longestHold = 60_000 - drift

/**
 * Fills in and checks the options. `requestDeadline` is in milliseconds. Fails with `ConfigurationError`, naming the
 * field.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options,
  requestDeadline: number
): Either.Either<RefreshPolicy, ConfigurationError> =>
  Either.gen(function*() {
    const millis = (field: DurationField, standard: number) => finite(field, options[field] ?? standard)
    const persistDeadline = yield* millis("persistDeadline", 2_000)
    const shortestHold = requestDeadline + persistDeadline + drift
    const hold = yield* millis("hold", shortestHold + persistDeadline)
    if (hold < shortestHold) {
      return yield* invalid(
        "hold",
        `is shorter than request deadline + persist deadline + 1 second, ${shortestHold} ms`
      )
    }
    if (hold > longestHold) {
      return yield* invalid(
        "hold",
        `is ${hold} ms, and others believe at most ${longestHold} ms. Lower it, or the request and persist deadlines`
      )
    }
    const { earlyFraction = 0.2, rotation = "strict", retry = defaultRetry, strictPersistence = false } = options
    if (!(earlyFraction >= 0 && earlyFraction <= 1)) return yield* invalid("earlyFraction", "is not between 0 and 1")
    return {
      earlyFraction,
      persistDeadline,
      hold,
      rotation,
      retry,
      strictPersistence,
      outcome: options.outcome ?? outcome,
      earlyWindow: yield* millis("earlyWindow", 300_000),
      minimumInterval: yield* millis("minimumInterval", 1_000),
      drainTimeout: yield* millis("drainTimeout", requestDeadline + persistDeadline),
      idleTimeToLive: yield* millis("idleTimeToLive", 900_000),
      revalidateAfter: yield* millis("revalidateAfter", 60_000),
      rejectionInterval: yield* millis("rejectionInterval", 60_000)
    }
  })

/**
 * What a failure means by the standards.
 *
 * @since 0.1.0
 * @category combinators
 */
export const outcome = (error: AttemptError): Outcome => {
  switch (error._tag) {
    case "ErrorResponse":
      return outcomeOfResponse(error.code, error.status ?? 0, error.retryAfter)
    case "TransportError":
    case "InvalidResponse":
    case "HookError":
      return error.ambiguous ? "ambiguous" : error._tag === "HookError" ? "configuration" : "retryable"
    case "StoreError":
      return "retryable"
    case "InputError":
    case "ConfigurationError":
      return "configuration"
  }
}

const outcomeOfResponse = (code: string, status: number, retryAfter: number | undefined): Outcome => {
  if (status === 429 || (status === 503 && retryAfter !== undefined)) return "retryable"
  if (status < 400 || status >= 500 || code === "server_error") return "ambiguous"
  if (code === "temporarily_unavailable" || code === "slow_down") return "retryable"
  return code === "invalid_grant" ? "invalidGrant" : "configuration"
}

/**
 * Until when a token may be presented, in epoch milliseconds.
 *
 * @since 0.1.0
 * @category accessors
 */
export const usableUntil = (policy: RefreshPolicy, token: Token): number =>
  token.expiresAt === undefined ? Infinity : Math.max(token.expiresAt, token.issuedAt + policy.minimumInterval)

/**
 * From when on a token is renewed, in epoch milliseconds: before its expiry by a window that is smaller for short
 * lives, and spread over half of that window by the key, so that sessions issued together are not renewed together.
 *
 * @since 0.1.0
 * @category accessors
 */
export const renewAt = (policy: RefreshPolicy, token: Token, key: string): number => {
  if (token.expiresAt === undefined) return Infinity
  const window = Math.min(policy.earlyWindow, Math.max(token.expiresAt - token.issuedAt, 0) * policy.earlyFraction)
  return Math.max(token.expiresAt - window * (1 - spread(key) / 2), token.issuedAt + policy.minimumInterval)
}

/** A number from 0 to 1 that depends on the key alone. */
const spread = (key: string): number => (Math.imul(Hash.string(key) ^ 0x9e3779b9, 0x85ebca6b) >>> 8) / 0x1000000

/**
 * The pause that a session is in after failed attempts. What was learnt from a sibling has neither error nor schedule.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pause extends SessionRecord.Pause {
  readonly lastError?: AttemptError
  readonly schedule?: unknown
}

/**
 * The pause after one more failure.
 *
 * @since 0.1.0
 * @category combinators
 */
export const pauseAfter = (
  policy: RefreshPolicy,
  error: AttemptError,
  now: number,
  previous: Pause | undefined
): Effect.Effect<Pause> =>
  Effect.map(
    Effect.flatMap(scheduleAfter(policy, error, now, previous), (schedule) => policy.retry.step(now, error, schedule)),
    ([schedule, , decision]) => {
      const scheduled = ScheduleDecision.isContinue(decision)
        ? Math.max(ScheduleIntervals.start(decision.intervals) - now, 0)
        : previous?.delay ?? 60_000
      const askedFor = "retryAfter" in error && error.retryAfter !== undefined ? error.retryAfter : 0
      return {
        since: now,
        delay: Math.max(scheduled, askedFor),
        askedFor,
        failures: (previous?.failures ?? 0) + 1,
        lastError: error,
        schedule: schedule as unknown
      }
    }
  )

/** Where the schedule stands; for a pause that a sibling began, it is brought there step by step. */
const scheduleAfter = (
  { retry }: RefreshPolicy,
  error: AttemptError,
  now: number,
  previous: Pause | undefined
): Effect.Effect<unknown> =>
  previous?.schedule === undefined
    ? Effect.reduce(
      Array.from({ length: Math.min(previous?.failures ?? 0, mostSteps) }),
      retry.initial as unknown,
      (schedule) => Effect.map(retry.step(now, error, schedule), ([next]): unknown => next)
    )
    : Effect.succeed(previous.schedule)

/** After so many steps a schedule has reached its longest pause. */
const mostSteps = 32

/**
 * Until when no attempt is made, in epoch milliseconds, or `undefined`.
 *
 * A pause that began while the token still served ends with the token, so that nobody has to do without one while the
 * server is back; but not before the time that the server asked for. A clock that was put back ends the pause.
 *
 * @since 0.1.0
 * @category accessors
 */
export const pausedUntil = (pause: Pause | undefined, now: number, usableUntil: number): number | undefined => {
  if (pause === undefined || now < pause.since) return undefined
  const until = pause.since <= usableUntil && usableUntil < now
    ? pause.since + pause.askedFor
    : pause.since + pause.delay
  return now < until ? until : undefined
}

const invalid = (field: string, problem: string): Either.Either<never, ConfigurationError> =>
  Either.left(new ConfigurationError({ field: `refreshPolicy.${field}`, problem }))

type DurationField = {
  readonly [K in keyof Options]-?: Duration.DurationInput extends Options[K] ? K : never
}[keyof Options]

const finite = (field: string, input: Duration.DurationInput): Either.Either<number, ConfigurationError> => {
  const millis = Duration.toMillis(input)
  return millis >= 0 && Number.isFinite(millis)
    ? Either.right(millis)
    : invalid(field, "is not a finite, positive duration")
}
