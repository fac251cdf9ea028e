/**
 * The sessions of one client: who asks for a token gets one, and one renewal serves them all.
 *
 * A renewal belongs to the manager: interrupting a caller ends its waiting, and nothing else.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberId from "effect/FiberId"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Flights from "./Flights.js"
import type { Grant } from "./Grant.js"
import * as LocalKeeper from "./LocalKeeper.js"
import { OAuth2Crypto } from "./OAuth2Crypto.js"
import type { AttemptError, OAuth2Error } from "./OAuth2Error.js"
import type { RefreshPolicy } from "./RefreshPolicy.js"
import type { Registration } from "./Registration.js"
import * as Renewal from "./Renewal.js"
import * as RevocationEndpoint from "./RevocationEndpoint.js"
import { SessionEvent } from "./SessionEvent.js"
import * as SessionMemory from "./SessionMemory.js"
import * as SessionRecord from "./SessionRecord.js"
import * as StoreKey from "./StoreKey.js"
import * as Telemetry from "./Telemetry.js"
import type { Token } from "./Token.js"
import type { TokenStoreService } from "./TokenStore.js"

/**
 * What became of the token at the server when a session was signed out. Here it is gone in any case.
 *
 * @since 0.1.0
 * @category models
 */
export type SignedOut =
  | { readonly revocation: "Revoked" | "NotConfigured" | "NothingHeld" }
  | { readonly revocation: "Failed"; readonly error: AttemptError }

/**
 * @since 0.1.0
 * @category models
 */
export interface TokenManager {
  /** The token under this key if it is fresh at this instant, by one look into memory. */
  readonly peek: (sessionKey: string, now: number) => SessionMemory.Held | undefined
  /** A token that can be presented: at once while one is valid, else as soon as the session is renewed. */
  readonly acquire: (sessionKey: string) => Effect.Effect<SessionMemory.Held, OAuth2Error>
  /** Renews the session although its token may still be valid. */
  readonly renew: (sessionKey: string) => Effect.Effect<SessionMemory.Held, OAuth2Error>
  /** What to present instead of a token that a resource refused, or `undefined` when there is nothing better. */
  readonly rejected: (
    sessionKey: string,
    held: SessionMemory.Held
  ) => Effect.Effect<SessionMemory.Held | undefined, OAuth2Error>
  /** Joins the renewal in the air, or starts one, and waits for a token that meets the need. */
  readonly awaitRenewal: (
    sessionKey: string,
    need: SessionMemory.Need
  ) => Effect.Effect<SessionMemory.Held, OAuth2Error>
  /** The sessions in memory. */
  readonly memory: SessionMemory.SessionMemory
  /** The store as this manager asks it. */
  readonly store: TokenStoreService
  /** What the keys of the sessions in the store begin with. See `StoreKey`. */
  readonly namespace: string
  /** Exchanges a grant and keeps the answer under this key, even if the caller is interrupted. */
  readonly authorize: (sessionKey: string, grant: Grant) => Effect.Effect<SessionMemory.Held, OAuth2Error>
  /** Keeps a token that was obtained elsewhere. */
  readonly restore: (sessionKey: string, token: Token) => Effect.Effect<SessionMemory.Held, OAuth2Error>
  /** Ends the session here, then revokes its token at the server if it can. */
  readonly signOut: (sessionKey: string) => Effect.Effect<SignedOut, OAuth2Error>
  /** Moves the session to another key, once nobody redeems it. `false`: there was none. */
  readonly rename: (from: string, to: string) => Effect.Effect<boolean, OAuth2Error>
  /** What happened, from the subscription on. A subscriber that is slow misses the oldest. */
  readonly events: Stream.Stream<SessionEvent>
  /** Tells the subscribers of `events`. */
  readonly publish: (event: SessionEvent) => Effect.Effect<unknown>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly registration: Registration
  readonly store: TokenStoreService
  readonly policy: RefreshPolicy
  /** The grant that can be run again, for sessions without a refresh token. */
  readonly renewableGrant: Effect.Effect<Grant, AttemptError> | undefined
  /** Runs after every change of a session's token. */
  readonly onToken?: ((sessionKey: string, token: Token) => Effect.Effect<void>) | undefined
}

/**
 * A manager that lives as long as the scope: at its end no renewal starts, those in the air are awaited for the
 * policy's `drainTimeout`, and only then interrupted.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<TokenManager, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { policy, registration, renewableGrant } = options
    // Before the flights, so that it ends after them: what is in the air at the end still tells what became of it.
    const events = yield* Effect.acquireRelease(PubSub.sliding<SessionEvent>(1_024), PubSub.shutdown)
    const flights = yield* Flights.make(Duration.millis(policy.drainTimeout))
    const publish = (event: SessionEvent) => PubSub.publish(events, event)
    const namespace = StoreKey.namespace(registration)
    const storeKey = (sessionKey: string) => StoreKey.make(namespace, sessionKey)
    const memory = SessionMemory.make({
      policy,
      isShared: options.store.sharing !== "process",
      canRerun: renewableGrant !== undefined
    })
    const keeper = options.store.keeper === undefined
      ? LocalKeeper.make({ store: options.store, namespace, policy, memory })
      : yield* options.store.keeper({
        store: options.store,
        namespace,
        policy,
        requestDeadline: Duration.toMillis(registration.limits.requestDeadline),
        memory,
        flights,
        publish
      })
    const { store } = keeper
    const crypto = yield* OAuth2Crypto
    const renewal = Renewal.make({
      isClosing: flights.isClosing,
      registration,
      keeper,
      namespace,
      policy,
      memory,
      crypto,
      renewableGrant,
      publish,
      onToken: options.onToken
    })

    const gauges = Telemetry.gaugesOf(registration.clientId)
    const counted = Effect.suspend(() =>
      Effect.zipRight(Metric.set(gauges.sessions, memory.cells.size), Metric.set(gauges.failing, memory.failing()))
    )

    const withCell = <A, E>(sessionKey: string, f: (cell: SessionMemory.Cell, now: number) => Effect.Effect<A, E>) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const enter = Effect.sync(() => {
          const cell = memory.cell(sessionKey, now)
          cell.users++
          return cell
        })
        return Effect.acquireUseRelease(enter, (cell) => f(cell, now), (cell) => {
          cell.users--
          return done(cell)
        })
      })

    /** A cell in which nothing is left is not kept: keys that nobody knows must not fill the memory. */
    const done = (cell: SessionMemory.Cell) =>
      Effect.suspend(() => {
        const isEmpty = cell.record === undefined && cell.trouble === undefined && cell.flight === undefined
        if (isEmpty && cell.users === 0) memory.forget(cell)
        return counted
      })

    // ---- callers

    const acquire = (sessionKey: string): Effect.Effect<SessionMemory.Held, OAuth2Error> =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const held = memory.peek(sessionKey, now)
        return held === undefined ? acquireStale(memory.cell(sessionKey, now), now) : Effect.succeed(held)
      })

    /** What is still valid is served at once, and the manager told. */
    const acquireStale = (cell: SessionMemory.Cell, now: number) => {
      const held = memory.mustReload(cell, now) ? undefined : memory.usable(cell.record, now, SessionMemory.anyToken)
      return held === undefined
        ? Effect.tap(awaitRenewal(cell, SessionMemory.anyToken), renewEarly(cell))
        : Effect.as(renewEarly(cell), held)
    }

    const renewEarly = (cell: SessionMemory.Cell): Effect.Effect<void> =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        if (memory.isDue(cell, now)) void launch(cell, SessionMemory.laterToken)
      })

    const renew = (sessionKey: string): Effect.Effect<SessionMemory.Held, OAuth2Error> =>
      Effect.flatMap(Clock.currentTimeMillis, (asked) =>
        Effect.flatMap(acquire(sessionKey), (held) =>
          held.token.issuedAt > asked
            ? Effect.succeed(held)
            : renewFor(sessionKey, SessionMemory.otherToken(held.token))))

    const renewFor = (sessionKey: string, need: SessionMemory.Need) =>
      withCell(sessionKey, (cell) =>
        awaitRenewal(cell, need))

    const rejected = (
      sessionKey: string,
      { generation, token }: SessionMemory.Held
    ): Effect.Effect<SessionMemory.Held | undefined, OAuth2Error> =>
      withCell(sessionKey, (cell, now): Effect.Effect<SessionMemory.Held | undefined, OAuth2Error> => {
        const newer = memory.usable(cell.record, now, SessionMemory.otherToken(token))
        if (newer !== undefined && newer.generation > generation) {
          return Effect.succeed(newer)
        }
        return cell.flight !== undefined || mayRenewRejected(cell, now)
          ? awaitRenewal(cell, SessionMemory.insteadOf(token))
          : Effect.succeed(undefined)
      })

    /** A resource that refuses every token must not make the authorization server work for it. */
    const mayRenewRejected = (cell: SessionMemory.Cell, now: number): boolean => {
      const last = cell.trouble?.rejectedAt
      const isTooSoon = last !== undefined && now >= last && now - last < policy.rejectionInterval
      if (isTooSoon || !memory.isRenewable(cell.record)) {
        return false
      }
      memory.setTrouble(cell, { ...cell.trouble, rejectedAt: now })
      return true
    }

    // ---- flights

    /** The renewal in the air, started if there is none. */
    const launch = (
      cell: SessionMemory.Cell,
      need: SessionMemory.Need
    ): Deferred.Deferred<SessionMemory.Held, OAuth2Error> => {
      if (cell.flight !== undefined) {
        return cell.flight
      }
      let hasLanded = flights.isClosing()
      const landed = Effect.suspend(() => {
        hasLanded = true
        cell.flight = undefined
        return done(cell)
      })
      const flight = flights.launch(
        Effect.ensuring(renewal.run(cell, need).pipe(Telemetry.step("oauth2.renew", { root: true })), landed)
      )
      // A flight that never had to wait has landed before it is launched.
      if (!hasLanded) {
        cell.flight = flight
      }
      return flight
    }

    /**
     * Waits for the renewal; one that was started for less, and brought no other token, is followed by another. It is
     * joined or started at once: who looked before another landed must not wait for the one after it.
     */
    const awaitRenewal = (
      cell: SessionMemory.Cell,
      need: SessionMemory.Need
    ): Effect.Effect<SessionMemory.Held, OAuth2Error> => {
      const joined = cell.flight !== undefined
      return Effect.flatMap(Deferred.await(launch(cell, need)), (held) =>
        joined && SessionMemory.isSameToken(held.token, need.otherThan)
          ? Deferred.await(launch(cell, need))
          : Effect.succeed(held)).pipe(
          Effect.timed,
          Effect.flatMap(([waited, held]) =>
            Effect.as(Metric.update(Telemetry.waits, Duration.toMillis(waited)), held)
          )
        )
    }

    const detached = <A>(work: Effect.Effect<A, OAuth2Error>): Effect.Effect<A, OAuth2Error> =>
      Effect.suspend(() =>
        Deferred.await(flights.launch(work))
      )

    /**
     * What changes the session from outside waits for the renewal in the air, whatever comes of it, and has the session
     * to itself. Who wants a renewal meanwhile looks again afterwards.
     */
    const alone = <A>(cell: SessionMemory.Cell, change: Effect.Effect<A, OAuth2Error>): Effect.Effect<A, OAuth2Error> =>
      Effect.suspend(() => {
        if (cell.flight !== undefined) {
          return Effect.zipRight(Effect.exit(Deferred.await(cell.flight)), alone(cell, change))
        }
        const over = Deferred.unsafeMake<SessionMemory.Held, OAuth2Error>(FiberId.none)
        cell.flight = over
        return Effect.ensuring(
          change,
          Effect.sync(() => {
            cell.flight = undefined
            Deferred.unsafeDone(over, acquire(cell.sessionKey))
          })
        )
      })

    // ---- sessions

    const signOut = (sessionKey: string): Effect.Effect<SignedOut, OAuth2Error> =>
      detached(
        withCell(sessionKey, (cell) => Effect.flatMap(alone(cell, erase(cell)), revoke)).pipe(
          Telemetry.step("oauth2.sign_out")
        )
      )

    const erase = (cell: SessionMemory.Cell) =>
      Effect.gen(function*() {
        const removing = cell.record
        const removed = yield* Effect.tapError(
          store.remove(storeKey(cell.sessionKey)),
          () => Effect.sync(() => memory.setTrouble(cell, { ...cell.trouble, removing }))
        )
        const record = cell.trouble?.unsaved?.record ?? Option.getOrUndefined(removed) ?? cell.trouble?.removing
        memory.hold(cell, undefined, 0)
        memory.forget(cell)
        yield* publish(SessionEvent.SignedOut({ sessionKey: cell.sessionKey }))
        return record
      })

    const revoke = (record: SessionRecord.SessionRecord | undefined): Effect.Effect<SignedOut> => {
      const refreshToken = record && SessionRecord.refreshToken(record)
      const token = refreshToken ?? record?.token?.accessToken
      if (token === undefined) {
        return Effect.succeed({ revocation: "NothingHeld" })
      }
      if (registration.revocationEndpoint === undefined) {
        return Effect.succeed({ revocation: "NotConfigured" })
      }
      const hint = refreshToken === undefined ? "access_token" : "refresh_token"
      return Effect.map(Effect.either(RevocationEndpoint.revoke(registration, token, hint)), (result): SignedOut =>
        Either.isRight(result) ? { revocation: "Revoked" } : { revocation: "Failed", error: result.left })
    }

    /** What a sibling redeems stays where it looks for it, until it is done or its time is up. */
    const move = (cell: SessionMemory.Cell, to: string): Effect.Effect<boolean, OAuth2Error> =>
      Effect.gen(function*() {
        const outcome = yield* store.rename(storeKey(cell.sessionKey), storeKey(to), Duration.millis(policy.hold))
        if (outcome._tag !== "Busy") {
          return outcome._tag === "Renamed"
        }
        const left = outcome.until - (yield* Clock.currentTimeMillis)
        return yield* Effect.zipRight(keeper.awaitChange(cell, Math.max(left, Renewal.leastWait)), move(cell, to))
      })

    const rename = (from: string, to: string): Effect.Effect<boolean, OAuth2Error> =>
      detached(withCell(from, (cell) =>
        alone(
          cell,
          Effect.gen(function*() {
            yield* keeper.flush(cell)
            const moved = from === to || (yield* move(cell, to))
            if (!moved || from === to) {
              return moved
            }
            memory.forget(cell)
            yield* withCell(to, (target) =>
              Effect.sync(() =>
                memory.forget(target)
              ))
            yield* publish(SessionEvent.Renamed({ sessionKey: to, from }))
            return true
          })
        )))

    yield* Effect.forkScoped(
      Effect.schedule(
        Effect.zipRight(Effect.map(Clock.currentTimeMillis, memory.forgetIdle), counted),
        Schedule.spaced(Duration.millis(Math.max(policy.idleTimeToLive / 2, 1_000)))
      )
    )

    return {
      peek: memory.peek,
      acquire,
      renew,
      rejected,
      awaitRenewal: renewFor,
      memory,
      store,
      namespace,
      authorize: (sessionKey, grant) =>
        detached(
          withCell(sessionKey, (cell) => renewal.authorize(cell, grant)).pipe(Telemetry.step("oauth2.authorize"))
        ),
      restore: (sessionKey, token) => detached(withCell(sessionKey, (cell) => renewal.restore(cell, token))),
      signOut,
      rename,
      publish,
      events: Stream.fromPubSub(events)
    }
  })
