import type { SessionRecord } from "@effect-oauth2/core"
import { PendingAuthorizations, RefreshLease, SharedKeeper, TokenStore } from "@effect-oauth2/core"
import { StoreLaws } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Option, PubSub, Stream, TestClock } from "effect"

describe("the memory store", () => {
  const laws = StoreLaws.tokenStore({ storage: TokenStore.makeMemory, open: Effect.succeed, hold: 30 })
  for (const law of laws) it.scopedLive(law.title, () => law.check)

  it("R39 there are at least thirty laws, each with a title of its own", () => {
    assert.isAtLeast(laws.length, 30)
    assert.strictEqual(new Set(laws.map(({ title }) => title)).size, laws.length)
    assert.deepStrictEqual(laws.filter(({ title }) => !/^[RS]\d+ /.test(title)), [])
  })
})

describe("the memory store under a test clock", () => {
  const laws = StoreLaws.tokenStore({
    storage: TokenStore.makeMemory,
    open: Effect.succeed,
    pass: TestClock.adjust,
    hold: "11 seconds"
  })
  for (const law of laws) it.scoped(law.title, () => law.check)
})

describe("sign-ins in memory", () => {
  const laws = StoreLaws.pendingAuthorizations({
    storage: PendingAuthorizations.makeMemory,
    open: Effect.succeed,
    hold: 30
  })
  for (const law of laws) it.scopedLive(law.title, () => law.check)
})

describe("the lease in memory", () => {
  const laws = StoreLaws.refreshLease({ storage: RefreshLease.makeMemory, open: Effect.succeed, hold: 30 })
  for (const law of laws) it.scopedLive(law.title, () => law.check)
})

describe("the lease in memory under a test clock", () => {
  const laws = StoreLaws.refreshLease({
    storage: RefreshLease.makeMemory,
    open: Effect.succeed,
    pass: TestClock.adjust,
    hold: "5 seconds"
  })
  for (const law of laws) it.scoped(law.title, () => law.check)
})

type Service = TokenStore.SharedStore

/** A memory store with something wrong in it. */
const broken = (change: (inner: Service) => Partial<Service>): Effect.Effect<Service> =>
  Effect.map(TokenStore.makeMemory, (memory) => {
    const inner = { ...memory, keeper: SharedKeeper.make }
    return { ...inner, ...change(inner) }
  })

/** The titles of the laws that a store breaks. */
const brokenBy = (laws: ReadonlyArray<StoreLaws.Law>) =>
  Effect.forEach(
    laws,
    (law) => Effect.map(Effect.exit(Effect.scoped(law.check)), (exit) => Exit.isFailure(exit) ? [law.title] : [])
  ).pipe(Effect.map((titles) => titles.flat()))

const now = Effect.clockWith((clock) => clock.currentTimeMillis)

/** Moves a record whoever redeems it. */
const renameAnyway = (inner: Service): Service["rename"] => (from, to) =>
  Effect.gen(function*() {
    const record = Option.getOrUndefined(yield* inner.remove(from))
    if (record === undefined) return { _tag: "Missing" }
    const claim = { generation: 0, attempt: "moving" }
    yield* inner.remove(to)
    yield* inner.begin(to, claim, Duration.minutes(1))
    yield* inner.commit(to, claim, record)
    return { _tag: "Renamed" }
  })

const brokenStores: Readonly<Record<string, readonly [law: string, store: Effect.Effect<Service>]>> = {
  "begin reads, waits and then writes": [
    "R39 S61 of a hundred that begin at once, one begins",
    broken((inner) => ({
      begin: (key, claim, hold) =>
        Effect.gen(function*() {
          const record = Option.getOrUndefined(yield* inner.get(key))
          yield* Effect.yieldNow()
          const outcome = TokenStore.begin(record, claim, yield* now, Duration.toMillis(hold))
          if (outcome._tag === "Begun") {
            yield* inner.remove(key)
            yield* inner.begin(key, { ...claim, generation: 0 }, hold)
            yield* inner.commit(key, { ...claim, generation: 0 }, outcome.record)
          }
          return outcome
        })
    }))
  ],
  "commit goes by the generation alone": [
    "R10 R39 what comes late after a takeover is lost, and overwrites nothing",
    broken((inner) => ({
      commit: (key, claim, next) =>
        Effect.flatMap(inner.get(key), (found) => {
          const state = Option.getOrUndefined(found)?.state
          const attempt = state?._tag === "Redeeming" ? state.attempt : claim.attempt
          return inner.commit(key, { ...claim, attempt }, next)
        })
    }))
  ],
  "a redeeming record is never taken over": [
    "R12 R39 when the hold is over another takes over, and is told that the answer is unknown",
    broken((inner) => ({ begin: (key, claim) => inner.begin(key, claim, Duration.hours(1)) }))
  ],
  "keys are folded": [
    "R39 keys that look alike are different ones, whatever is in them",
    broken((inner) => ({
      get: (key) => inner.get(key.toLowerCase()),
      replace: (key, record) => inner.replace(key.toLowerCase(), record)
    }))
  ],
  "a member is forgotten": [
    "R39 every member of a record comes back as it was",
    broken((inner) => ({
      get: (key) =>
        Effect.map(inner.get(key), Option.map(({ alternate: _, ...record }) => record as SessionRecord.SessionRecord))
    }))
  ],
  "replace begins anew": [
    "R39 replace writes whatever was there, and the generation goes on by one",
    broken((inner) => ({
      replace: (key, record) => Effect.zipRight(inner.remove(key), inner.replace(key, record))
    }))
  ],
  "release leaves a session that was not there": [
    "R39 nothing is left of a session that was not there",
    broken((inner) => ({
      release: (key, claim, options) => claim.generation === 0 ? Effect.void : inner.release(key, claim, options)
    }))
  ],
  "rename writes and then removes": [
    "R39 a session renamed to its own key is as it was",
    broken((inner) => ({
      rename: (from, to) =>
        Effect.flatMap(
          inner.get(from),
          Option.match({
            onNone: () => Effect.succeed<TokenStore.RenameOutcome>({ _tag: "Missing" }),
            onSome: (record) =>
              Effect.as(Effect.zipRight(inner.replace(to, record), inner.remove(from)), { _tag: "Renamed" })
          })
        )
    }))
  ],
  "rename moves what is being redeemed": [
    "S61 R39 a session that is being redeemed is not moved, and the result holds",
    broken((inner) => ({ rename: renameAnyway(inner) }))
  ],
  "rename looks, waits and then moves": [
    "S61 R39 of a rename and a redemption that begin at once, one does",
    broken((inner) => ({
      rename: (from, to, hold) =>
        Effect.gen(function*() {
          const record = Option.getOrUndefined(yield* inner.get(from))
          const outcome = TokenStore.rename(record, yield* now, Duration.toMillis(hold))
          yield* Effect.yieldNow()
          return outcome._tag === "Renamed" ? yield* renameAnyway(inner)(from, to, hold) : outcome
        })
    }))
  ],
  "rename waits for a time that will not come": [
    "R29 R39 a time further ahead than any hold is a clock that was put back, and keeps nobody",
    broken((inner) => ({ rename: (from, to) => inner.rename(from, to, Duration.days(1)) }))
  ],
  "idle names the dead": [
    "R39 idle leaves out what is dead",
    broken((inner) => ({
      idle: (options) =>
        Effect.map(
          Effect.all([inner.idle?.(options) ?? Effect.succeed([]), inner.get("dead")]),
          ([keys, dead]) => Option.isSome(dead) ? [...keys, "dead"] : keys
        )
    }))
  ]
}

describe("a store that breaks a law is found out", () => {
  for (const [what, [law, storage]] of Object.entries(brokenStores)) {
    it.live(`R39 ${what}`, () =>
      Effect.gen(function*() {
        const found = yield* brokenBy(StoreLaws.tokenStore({ storage, open: Effect.succeed, hold: 30 }))
        assert.include(found, law)
      }))
  }

  it.live("R39 a store that deletes what it cannot read", () =>
    Effect.gen(function*() {
      const laws = StoreLaws.tokenStore({
        storage: TokenStore.makeMemory,
        open: Effect.succeed,
        hold: 30,
        corrupt: (store, key) => store.remove(key),
        newer: (store, key) => store.remove(key)
      })
      assert.include(yield* brokenBy(laws), "R39 a record that cannot be read is a typed error, and is left as it is")
      assert.include(
        yield* brokenBy(laws),
        "R39 R40 a record of a newer version is a typed error for every operation, and is never deleted"
      )
    }))

  it.live("R39 handles that each have a store of their own", () =>
    Effect.gen(function*() {
      const found = yield* brokenBy(
        StoreLaws.tokenStore({ storage: Effect.void, open: () => TokenStore.makeMemory, hold: 30 })
      )
      assert.include(found, "R39 what one handle wrote, another sees at once")
      assert.include(found, "R39 S61 of many handles that begin at once, one begins")
    }))

  it.live("R39 a store that is silent about its changes, and one that tells of them all", () =>
    Effect.gen(function*() {
      const options = { open: Effect.succeed<Service>, changes: true, hold: 5 } as const
      const silent = yield* brokenBy(
        StoreLaws.tokenStore({ ...options, storage: broken(() => ({ changes: Stream.never })) })
      )
      assert.include(silent, "R39 changes tells of what is renewed")
      const telling = Effect.flatMap(PubSub.unbounded<string>(), (told) =>
        broken((inner) => ({
          commit: (key, claim, next) => Effect.tap(inner.commit(key, claim, next), PubSub.publish(told, key)),
          replace: (key, record) => Effect.tap(inner.replace(key, record), PubSub.publish(told, key)),
          remove: (key) => Effect.tap(inner.remove(key), PubSub.publish(told, key)),
          rename: (from, to, hold) => Effect.tap(inner.rename(from, to, hold), PubSub.publishAll(told, [from, to])),
          changes: Stream.fromPubSub(told)
        })))
      assert.deepStrictEqual(yield* brokenBy(StoreLaws.tokenStore({ ...options, storage: telling, hold: 20 })), [])
    }))

  it.live("R39 a sign-in that can be used up twice", () =>
    Effect.gen(function*() {
      const storage = Effect.map(PendingAuthorizations.makeMemory, (inner) => ({
        ...inner,
        consume: (pending: Parameters<typeof inner.consume>[0]) =>
          Effect.flatMap(inner.isConsumed(pending.state), (isConsumed) =>
            isConsumed ? inner.consume(pending) : Effect.delay(Effect.ignore(inner.consume(pending)), 1))
      }))
      const found = yield* brokenBy(StoreLaws.pendingAuthorizations({ storage, open: Effect.succeed, hold: 30 }))
      assert.include(found, "R39 S14 of fifty callbacks at once, one uses the sign-in up")
    }))

  it.live("R39 a lease that is none", () =>
    Effect.gen(function*() {
      const found = yield* brokenBy(
        StoreLaws.refreshLease({ storage: Effect.succeed(RefreshLease.none), open: Effect.succeed, hold: 20 })
      )
      assert.include(found, "R39 of twenty that want a lease, each has it, one at a time")
      assert.include(found, "R39 who waits for a lease in vain is told so in time, and runs nothing")
    }))

  it.live("R39 what is said of a broken law names what was expected and what was seen", () =>
    Effect.gen(function*() {
      const laws = StoreLaws.tokenStore({
        storage: broken((inner) => ({ remove: (key) => Effect.as(inner.remove(key), Option.none()) })),
        open: Effect.succeed,
        hold: 30
      })
      const law = laws.find(({ title }) => title.startsWith("R39 remove gives back"))
      const error = yield* Effect.flip(Effect.scoped(law?.check ?? Effect.void))
      assert.match(String(error), /^LawBroken: remove: expected \{"some":.*access-first.*, saw \{"none":true\}$/)
    }))
})
