/**
 * How sessions are kept in a store that may fail, that outlives the process, or that others see: writes are tried until
 * they are there, one of those who share the store redeems, and the others take over what came of it.
 *
 * Such a store names {@link make} as its `keeper`.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { OAuth2Crypto } from "./OAuth2Crypto.js"
import type { OAuth2Error, StoreError } from "./OAuth2Error.js"
import * as RecordWriter from "./RecordWriter.js"
import * as RefreshLease from "./RefreshLease.js"
import { SessionEvent } from "./SessionEvent.js"
import { type Cell, type Held, type Need, otherToken, type Write } from "./SessionMemory.js"
import * as SessionRecord from "./SessionRecord.js"
import * as Siblings from "./Siblings.js"
import * as StoreKey from "./StoreKey.js"
import * as Telemetry from "./Telemetry.js"
import * as TokenStore from "./TokenStore.js"

/**
 * The keeper's part of the protocol, for one client and as long as the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: TokenStore.KeeperOptions): Effect.Effect<TokenStore.Keeper, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { flights, memory, namespace, policy, publish, requestDeadline } = options
    /** When the store last failed here, in epoch milliseconds. */
    let failedAt = -Infinity
    const failed = Effect.map(Clock.currentTimeMillis, (now) => {
      failedAt = now
    })
    const store = TokenStore.withDeadline(options.store, Duration.millis(policy.persistDeadline), failed)
    const crypto = yield* OAuth2Crypto
    const lease = yield* RefreshLease.RefreshLease
    const isLeased = store.sharing !== "process" && lease !== RefreshLease.none
    const storeKey = ({ sessionKey }: Cell) => StoreKey.make(namespace, sessionKey)
    /** What of the hold may be over before the request is made: the rest is for the request and for the write. */
    const spare = policy.hold - requestDeadline - policy.persistDeadline
    /** How long it may take until whoever was kept from writing has tried once more. */
    const writing = policy.persistDeadline + RecordWriter.patience + 1_000

    const adopt: TokenStore.Keeper["adopt"] = (cell, before, record) =>
      Effect.gen(function*() {
        if (cell.record !== before) return
        memory.hold(cell, record, yield* Clock.currentTimeMillis)
        if (before !== undefined) yield* news(cell, before, record)
        const pause = record && unheardPause(cell, record)
        if (pause !== undefined) memory.setTrouble(cell, { ...cell.trouble, pause })
      })

    /** What a sibling did to the session since this process last saw it. */
    const news = (
      cell: Cell,
      before: SessionRecord.SessionRecord,
      record: SessionRecord.SessionRecord | undefined
    ): Effect.Effect<unknown> => {
      const { sessionKey } = cell
      if (record === undefined) return publish(SessionEvent.Removed({ sessionKey }))
      const { generation, state } = record
      if (generation <= before.generation && SessionRecord.isSameSignIn(record, before)) return Effect.void
      memory.recovered(cell)
      return Effect.zipRight(
        Telemetry.counted("adopted"),
        publish(
          state._tag === "Dead"
            ? SessionEvent.Dead({ sessionKey, reason: state.reason })
            : SessionEvent.Adopted({ sessionKey, generation })
        )
      )
    }

    const writer = RecordWriter.make({ adopt, store, policy, memory, flights, publish })

    const reload = (cell: Cell): Effect.Effect<unknown> => {
      const before = cell.record
      return before === undefined || cell.trouble?.unsaved !== undefined
        ? Effect.void
        : Effect.ignore(
          Effect.flatMap(store.get(storeKey(cell)), (record) => adopt(cell, before, Option.getOrUndefined(record)))
        )
    }

    const siblings = yield* Siblings.make(store, (key) =>
      Effect.suspend(() => {
        const cell = memory.cells.get(StoreKey.sessionKey(namespace, key) ?? "")
        return cell === undefined || cell.flight !== undefined ? Effect.void : reload(cell)
      }))

    const spared = new WeakMap<Cell, { readonly attempt: string; readonly until: number }>()

    /**
     * Who redeems may have an answer that the store did not take. Where it has just failed, each of them is given time to
     * write once more before it is robbed.
     */
    const sparedUntil = (cell: Cell, now: number): number | undefined => {
      const state = cell.record?.state
      if (state?._tag !== "Redeeming") return undefined
      const known = spared.get(cell)
      if (known?.attempt === state.attempt) return now < known.until ? known.until : undefined
      if (now - failedAt >= writing) return undefined
      const until = now + writing
      spared.set(cell, { attempt: state.attempt, until })
      return until
    }

    const begin = (cell: Cell, claim: TokenStore.Claim): Effect.Effect<TokenStore.BeginOutcome, StoreError> =>
      Effect.gen(function*() {
        const asked = yield* Clock.currentTimeMillis
        const until = sparedUntil(cell, asked)
        if (until !== undefined) return { _tag: "Busy", until }
        const begun = yield* store.begin(storeKey(cell), claim, Duration.millis(policy.hold))
        if (begun._tag !== "Begun") return begun
        // A process that was frozen meanwhile has no time left to ask in: the claim may be another's by now
        const isTooLate = (yield* Clock.currentTimeMillis) - asked > spare
        // A sibling tried in the meantime, and failed
        const isTooSoon = unheardPause(cell, begun.record) !== undefined
        if (!isTooLate && !isTooSoon) return begun
        yield* Effect.ignore(store.release(storeKey(cell), claim, SessionRecord.asIdle(begun.record)))
        return { _tag: "Moved", record: Option.getOrUndefined(yield* store.get(storeKey(cell))) }
      })

    /** Whoever had the lease before may have renewed the session. */
    const inTurn: TokenStore.Keeper["inTurn"] = (cell, redemption, again) => {
      if (!isLeased) return Effect.flatten(redemption)
      const current = Effect.suspend(() => {
        const before = cell.record
        return Effect.flatMap(store.get(storeKey(cell)), (latest) => {
          const record = Option.getOrUndefined(latest)
          return record?.generation === before?.generation ? redemption : Effect.as(adopt(cell, before, record), again)
        })
      })
      return Effect.flatten(
        Effect.catchTag(
          lease.withLease(storeKey(cell), { ttl: policy.hold, wait: policy.hold }, () => current),
          "LeaseTimeout",
          () => redemption
        )
      )
    }

    const replace = (cell: Cell, record: SessionRecord.SessionRecord): Write => {
      const key = storeKey(cell)
      const atOnce = store.replace(key, record)
      const late = Effect.flatMap(
        store.get(key),
        (found) =>
          Option.match(Option.filter(found, (stored) => isStanding(stored, record)), {
            onNone: () => atOnce,
            onSome: Effect.succeed
          })
      )
      let isLate = false
      return Effect.suspend(() => {
        const write = isLate ? late : atOnce
        isLate = true
        return write
      })
    }

    /**
     * Two redemptions of one refresh token were answered, and a sibling's was kept: what came of ours stands beside it
     * for one attempt. A server with a grace window has left only the later one alive, and nobody here knows which that
     * is; while the window is open it takes either, and what it gives for that is the one.
     */
    const reconcile = (
      cell: Cell,
      kept: SessionRecord.SessionRecord,
      alternate: Redacted.Redacted<string> | undefined,
      run: (cell: Cell, need: Need) => Effect.Effect<Held, OAuth2Error>
    ): void => {
      if (kept.state._tag === "Dead" || kept.token === undefined || alternate === undefined) return
      const settled = policy.rotation === "grace" ? run(cell, otherToken(kept.token)) : Effect.void
      flights.follow(Effect.ignore(Effect.zipRight(keepAlternate(cell, kept.generation, alternate), settled)))
    }

    const keepAlternate = (
      cell: Cell,
      generation: number,
      alternate: Redacted.Redacted<string>
    ): Effect.Effect<unknown, StoreError> =>
      Effect.gen(function*() {
        const claim = yield* TokenStore.claim(crypto, generation)
        const hold = Duration.millis(policy.hold)
        const begun = yield* Telemetry.step("oauth2.begin")(store.begin(storeKey(cell), claim, hold))
        switch (begun._tag) {
          case "Begun":
            return yield* store.commit(storeKey(cell), claim, SessionRecord.reconciled(begun.record, alternate))
          case "Busy":
            yield* siblings.awaitChange(storeKey(cell), policy.hold)
            return yield* keepAlternate(cell, generation, alternate)
          case "Moved":
            return
        }
      })

    return {
      store,
      adopt,
      begin,
      inTurn,
      awaitChange: (cell, most) => siblings.awaitChange(storeKey(cell), most),
      replace,
      save: writer.save,
      flush: (cell) => cell.trouble?.unsaved === undefined ? Effect.void : writer.retry(cell, cell.trouble.unsaved),
      reconcile
    }
  })

/** Whether what is stored was made of the same sign-in, or is of a later one. */
const isStanding = (stored: SessionRecord.SessionRecord, late: SessionRecord.SessionRecord): boolean =>
  stored.signIn !== undefined && late.signIn !== undefined &&
  (stored.signIn.id === late.signIn.id || stored.signIn.at > late.signIn.at)

/** The pause that a sibling left in the record, unless this process knows it. */
const unheardPause = (cell: Cell, record: SessionRecord.SessionRecord): SessionRecord.Pause | undefined => {
  const pause = SessionRecord.pause(record)
  const known = cell.trouble?.pause
  return pause !== undefined && (known === undefined || known.since < pause.since) ? pause : undefined
}
