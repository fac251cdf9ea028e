/**
 * Care for sessions that nobody is using just now: before their tokens expire, and before their refresh tokens die of
 * disuse.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { OAuth2ClientService } from "./OAuth2Client.js"
import { ConfigurationError, type OAuth2Error } from "./OAuth2Error.js"
import type { OAuth2Session } from "./OAuth2Session.js"
import { anyToken, otherToken } from "./SessionMemory.js"
import * as SessionRecord from "./SessionRecord.js"
import * as StoreKey from "./StoreKey.js"
import type { TokenManager } from "./TokenManager.js"

/**
 * Looks at the session again and again, so that it is renewed in its early window although nobody asks for its token.
 * It goes on until the session has to be authorized anew, and fails with that `ReauthorizationRequired`; other failures
 * are events of the client, and tried again.
 *
 * The schedule says when to look, not when to renew: that is the refresh policy's. Default: every 30 seconds.
 *
 * @example
 * import { OAuth2Client, Upkeep } from "@effect-oauth2/core"
 * import { Effect, Layer } from "effect"
 *
 * export const UpkeepLive = Layer.scopedDiscard(
 *   Effect.flatMap(OAuth2Client.OAuth2Client, (client) => Effect.forkScoped(Upkeep.keepFresh(client.session("nightly"))))
 * )
 *
 * @since 0.1.0
 * @category combinators
 */
export const keepFresh = (
  session: OAuth2Session,
  schedule: Schedule.Schedule<unknown> = Schedule.spaced("30 seconds")
): Effect.Effect<never, OAuth2Error> =>
  session.token.pipe(
    Effect.asVoid,
    Effect.catchTags({ RefreshFailed: () => Effect.void, StoreError: () => Effect.void }),
    Effect.repeat(schedule),
    Effect.zipRight(Effect.never)
  )

/**
 * @since 0.1.0
 * @category models
 */
export interface SweepOptions {
  /** Sessions that were not renewed for so long. Stay well below the time after which the server forgets them. */
  readonly idleFor: Duration.DurationInput
  /**
   * At most so many in one sweep, those first that were idle for longest. Those that fail with `ReauthorizationRequired`
   * are not counted: they stay where they are until the user comes, and would be in the way of all others.
   * Default: 1,000.
   */
  readonly limit?: number | undefined
  /** The time from one session to the next. Default: 100 milliseconds. */
  readonly pace?: Duration.DurationInput | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Swept {
  /** How many sessions are renewed now, by this process or by another that was there first. */
  readonly renewed: number
  /** Those that are not, and why. */
  readonly failed: ReadonlyArray<{ readonly sessionKey: string; readonly error: OAuth2Error }>
}

/**
 * Renews the sessions of this client that were idle for too long, one after the other. Every machine of a fleet may
 * sweep: each session is renewed by one of them.
 *
 * Fails with `StoreError` when the store cannot be read, and with `ConfigurationError`, field `store`, when it cannot tell
 * which sessions are idle.
 *
 * @example
 * import { OAuth2Client, Upkeep } from "@effect-oauth2/core"
 * import { Effect, Schedule } from "effect"
 *
 * export const nightly = Effect.flatMap(OAuth2Client.OAuth2Client, (client) =>
 *   Effect.repeat(Upkeep.sweep(client, { idleFor: "20 days" }), Schedule.cron("0 3 * * *")))
 *
 * @since 0.1.0
 * @category combinators
 */
export const sweep = (
  { manager }: OAuth2ClientService,
  { idleFor, limit = 1_000, pace = "100 millis" }: SweepOptions
): Effect.Effect<Swept, OAuth2Error> =>
  Effect.gen(function*() {
    const renewedBefore = (yield* Clock.currentTimeMillis) - Duration.toMillis(idleFor)
    const failed: Array<{ readonly sessionKey: string; readonly error: OAuth2Error }> = []
    const passed = new Set<string>()
    let renewed = 0
    let left = limit
    while (left > 0) {
      const asked = passed.size + left
      const keys = yield* idle(manager, renewedBefore, asked)
      const next = keys.filter((key) => !passed.has(key)).slice(0, left)
      for (const key of next) {
        if (passed.size > 0) yield* Effect.sleep(pace)
        passed.add(key)
        const sessionKey = StoreKey.sessionKey(manager.namespace, key)
        if (sessionKey === undefined) continue
        yield* Effect.match(renewIdle(manager, sessionKey, renewedBefore), {
          onFailure: (error) => {
            failed.push({ sessionKey, error })
            if (error._tag !== "ReauthorizationRequired") left--
          },
          onSuccess: () => {
            renewed++
            left--
          }
        })
      }
      if (next.length === 0 || keys.length < asked) break
    }
    return { renewed, failed }
  })

/** The store's keys of sessions that were last renewed before an instant (epoch milliseconds), the longest ago first. */
const idle = (
  { namespace, store }: TokenManager,
  renewedBefore: number,
  limit: number
): Effect.Effect<ReadonlyArray<string>, OAuth2Error> =>
  store.idle === undefined
    ? new ConfigurationError({ field: "store", problem: "cannot tell which sessions are idle" })
    : store.idle({ prefix: namespace, renewedBefore, limit })

/** Renews the session, unless that was done since the instant. */
const renewIdle = (
  manager: TokenManager,
  sessionKey: string,
  renewedBefore: number
): Effect.Effect<unknown, OAuth2Error> =>
  Effect.flatMap(manager.store.get(StoreKey.make(manager.namespace, sessionKey)), (stored) => {
    const record = Option.getOrUndefined(stored)
    return record === undefined || SessionRecord.renewedAt(record) >= renewedBefore
      ? Effect.void
      : manager.awaitRenewal(sessionKey, record.token === undefined ? anyToken : otherToken(record.token))
  })
