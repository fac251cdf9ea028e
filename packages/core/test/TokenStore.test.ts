import type { OAuth2Error } from "@effect-oauth2/core"
import { SessionRecord, SharedKeeper, type Token, TokenStore } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, Redacted, TestClock } from "effect"

const hold = Duration.seconds(11)

const token = (name: string): Token.Token => ({
  accessToken: Redacted.make(`access-${name}`),
  tokenType: "Bearer",
  issuedAt: 0,
  refreshToken: Redacted.make(`refresh-${name}`)
})

const claim = (attempt: string, generation = 1): TokenStore.Claim => ({ generation, attempt })

const record = (generation: number, name: string) => SessionRecord.authorized(generation, token(name))

/** A store with a record of the first generation under "key". */
const filled = Effect.tap(TokenStore.makeMemory, (store) => store.replace("key", record(0, "first")))

const stored = (store: TokenStore.TokenStoreService, key = "key") => Effect.map(store.get(key), Option.getOrUndefined)

describe("TokenStore.makeMemory", () => {
  it.effect("R39 tells what it is: gone with the process, and seen by nobody else", () =>
    Effect.gen(function*() {
      const { durability, sharing } = yield* TokenStore.makeMemory
      assert.deepStrictEqual([durability, sharing], ["volatile", "process"])
    }))

  it.effect("R39 two stores share nothing", () =>
    Effect.gen(function*() {
      yield* filled
      assert.isUndefined(yield* stored(yield* TokenStore.makeMemory))
    }))

  describe("begin", () => {
    it.effect("R39 marks the record as redeeming until the hold is over, and gives it back", () =>
      Effect.gen(function*() {
        const store = yield* filled
        yield* TestClock.adjust("5 seconds")
        const begun = yield* store.begin("key", claim("a"), hold)
        const expected = {
          ...record(1, "first"),
          state: { _tag: "Redeeming", attempt: "a", until: 16_000, unresolved: false } as const
        }
        assert.deepStrictEqual(begun, { _tag: "Begun", record: expected })
        assert.deepStrictEqual(yield* stored(store), expected)
      }))

    it.effect("R39 S61 while one attempt redeems, others are told until when", () =>
      Effect.gen(function*() {
        const store = yield* filled
        yield* store.begin("key", claim("a"), hold)
        const before = yield* stored(store)
        yield* TestClock.adjust("10999 millis")
        assert.deepStrictEqual(yield* store.begin("key", claim("b"), hold), { _tag: "Busy", until: 11_000 })
        assert.deepStrictEqual(yield* stored(store), before)
      }))

    it.effect("R39 S61 of a hundred at a time, one begins", () =>
      Effect.gen(function*() {
        const store = yield* filled
        const outcomes = yield* Effect.forEach(
          Array.from({ length: 100 }, (_, index) => claim(`${index}`)),
          (claim) => Effect.zipRight(Effect.yieldNow(), store.begin("key", claim, hold)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Begun").length, 1)
        assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Busy").length, 99)
      }))

    it.effect("R12 R39 when the time is up another takes over, and is told that the answer is unknown", () =>
      Effect.gen(function*() {
        const store = yield* filled
        yield* store.begin("key", claim("a"), hold)
        yield* TestClock.adjust(hold)
        const begun = yield* store.begin("key", claim("b"), hold)
        assert.strictEqual(begun._tag, "Begun")
        assert.deepStrictEqual((yield* stored(store))?.state, {
          _tag: "Redeeming",
          attempt: "b",
          until: 22_000,
          unresolved: true
        })
      }))

    it.effect("R29 R39 a time further ahead than any hold is a clock that was put back, and blocks nobody", () =>
      Effect.gen(function*() {
        const store = yield* filled
        yield* TestClock.setTime(3_600_000)
        yield* store.begin("key", claim("a"), hold)
        yield* TestClock.setTime(0)
        assert.strictEqual((yield* store.begin("key", claim("b"), hold))._tag, "Begun")
      }))

    it.effect("R39 another generation, a session that is gone and a dead one are not redeemed", () =>
      Effect.gen(function*() {
        const store = yield* filled
        const first = yield* stored(store)
        assert.deepStrictEqual(yield* store.begin("key", claim("a", 2), hold), { _tag: "Moved", record: first })
        assert.deepStrictEqual(yield* store.begin("other", claim("a"), hold), { _tag: "Moved", record: undefined })
        const dead = yield* store.replace("key", SessionRecord.dead(record(0, "x"), "InvalidGrant"))
        assert.deepStrictEqual(yield* store.begin("key", claim("a", dead.generation), hold), {
          _tag: "Moved",
          record: dead
        })
      }))

    it.effect("R39 a session that is not there yet is redeemed for as generation 0", () =>
      Effect.gen(function*() {
        const store = yield* TokenStore.makeMemory
        assert.strictEqual((yield* store.begin("key", claim("a", 0), hold))._tag, "Begun")
        assert.strictEqual((yield* store.begin("key", claim("b", 0), hold))._tag, "Busy")
        assert.deepStrictEqual(yield* store.commit("key", claim("a", 0), record(1, "new")), { _tag: "Committed" })
        assert.deepStrictEqual(yield* stored(store), record(1, "new"))
      }))
  })

  describe("commit", () => {
    it.effect("R39 writes the next record, if the claim still holds, and once", () =>
      Effect.gen(function*() {
        const store = yield* filled
        yield* store.begin("key", claim("a"), hold)
        assert.deepStrictEqual(yield* store.commit("key", claim("a"), record(2, "second")), { _tag: "Committed" })
        assert.deepStrictEqual(yield* stored(store), record(2, "second"))
        assert.deepStrictEqual(yield* store.commit("key", claim("a"), record(2, "third")), {
          _tag: "Lost",
          record: record(2, "second")
        })
      }))

    it.effect("R39 without a claim, with another attempt's, or after a takeover nothing is written", () =>
      Effect.gen(function*() {
        const store = yield* filled
        assert.strictEqual((yield* store.commit("key", claim("a"), record(2, "x")))._tag, "Lost")
        yield* store.begin("key", claim("a"), hold)
        assert.strictEqual((yield* store.commit("key", claim("b"), record(2, "x")))._tag, "Lost")
        assert.strictEqual((yield* store.commit("key", claim("a", 2), record(2, "x")))._tag, "Lost")
        yield* TestClock.adjust(hold)
        yield* store.begin("key", claim("b"), hold)
        assert.strictEqual((yield* store.commit("key", claim("a"), record(2, "x")))._tag, "Lost")
        assert.deepStrictEqual((yield* stored(store))?.token, token("first"))
      }))

    it.effect("R39 a claim that is late, but that nobody took over, still holds", () =>
      Effect.gen(function*() {
        const store = yield* filled
        yield* store.begin("key", claim("a"), hold)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* store.commit("key", claim("a"), record(2, "second")))._tag, "Committed")
      }))

    it.effect("R39 a session that was signed out meanwhile does not come back", () =>
      Effect.gen(function*() {
        const store = yield* filled
        yield* store.begin("key", claim("a"), hold)
        yield* store.remove("key")
        assert.deepStrictEqual(yield* store.commit("key", claim("a"), record(2, "x")), {
          _tag: "Lost",
          record: undefined
        })
        assert.isUndefined(yield* stored(store))
      }))
  })

  describe("release", () => {
    it.effect("R39 gives the claim back, with what is known of the answer", () =>
      Effect.gen(function*() {
        const store = yield* filled
        for (const unresolved of [true, false]) {
          yield* store.begin("key", claim("a"), hold)
          yield* store.release("key", claim("a"), { unresolved })
          assert.deepStrictEqual(yield* stored(store), {
            ...record(1, "first"),
            state: { _tag: "Idle", unresolved }
          })
        }
      }))

    it.effect("R39 a claim that does not hold gives nothing back", () =>
      Effect.gen(function*() {
        const store = yield* filled
        yield* store.begin("key", claim("a"), hold)
        const before = yield* stored(store)
        yield* store.release("key", claim("b"), { unresolved: false })
        yield* store.release("key", claim("a", 2), { unresolved: false })
        yield* store.release("other", claim("a"), { unresolved: false })
        assert.deepStrictEqual(yield* stored(store), before)
        assert.isUndefined(yield* stored(store, "other"))
      }))

    it.effect("R39 nothing is left of a session that was not there", () =>
      Effect.gen(function*() {
        const store = yield* TokenStore.makeMemory
        yield* store.begin("key", claim("a", 0), hold)
        yield* store.release("key", claim("a", 0), { unresolved: true })
        assert.isUndefined(yield* stored(store))
      }))
  })

  it.effect("R39 replace writes whatever was there, and the generation goes on", () =>
    Effect.gen(function*() {
      const store = yield* filled
      yield* store.begin("key", claim("a"), hold)
      const next = yield* store.replace("key", record(41, "second"))
      assert.deepStrictEqual(next, record(2, "second"))
      assert.deepStrictEqual(yield* stored(store), next)
      assert.deepStrictEqual(yield* store.commit("key", claim("a"), record(2, "x")), { _tag: "Lost", record: next })
    }))

  it.effect("R39 remove gives back what it removes, once, and touches no other session", () =>
    Effect.gen(function*() {
      const store = yield* filled
      yield* store.replace("other", record(0, "other"))
      assert.deepStrictEqual(yield* store.remove("key"), Option.some(record(1, "first")))
      assert.deepStrictEqual(yield* store.remove("key"), Option.none())
      assert.isDefined(yield* stored(store, "other"))
    }))

  it.effect("R39 rename moves a session over whatever was there, and tells when there is none", () =>
    Effect.gen(function*() {
      const store = yield* filled
      yield* store.replace("other", record(0, "other"))
      assert.deepStrictEqual(yield* store.rename("key", "other", hold), { _tag: "Renamed" })
      assert.isUndefined(yield* stored(store))
      assert.deepStrictEqual(yield* stored(store, "other"), record(1, "first"))
      assert.deepStrictEqual(yield* store.rename("key", "other", hold), { _tag: "Missing" })
      assert.deepStrictEqual(yield* stored(store, "other"), record(1, "first"))
    }))
})

const hanging: TokenStore.SharedStore = {
  durability: "durable",
  sharing: "network",
  keeper: SharedKeeper.make,
  get: () => Effect.never,
  begin: () => Effect.never,
  commit: () => Effect.never,
  release: () => Effect.never,
  replace: () => Effect.never,
  remove: () => Effect.never,
  rename: () => Effect.never
}

describe("a store that others see", () => {
  it("S61 does not compile without what deals with them", () => {
    const { keeper: _, ...rest } = hanging
    // @ts-expect-error the keeper is missing
    const forgotten: TokenStore.TokenStoreService = rest
    assert.notProperty(forgotten, "keeper")
  })

  it.effect("S61 is not made of one that is this process's alone, unless it names its keeper", () =>
    Effect.gen(function*() {
      const memory = yield* TokenStore.makeMemory
      // @ts-expect-error the keeper is missing
      const forgotten: TokenStore.TokenStoreService = { ...memory, sharing: "origin" }
      const whole: TokenStore.TokenStoreService = { ...memory, sharing: "origin", keeper: SharedKeeper.make }
      assert.deepStrictEqual([forgotten.sharing, whole.sharing], ["origin", "origin"])
    }))
})

describe("TokenStore.withDeadline", () => {
  const operations = (store: TokenStore.TokenStoreService) => ({
    get: store.get("key"),
    begin: store.begin("key", claim("a"), hold),
    commit: store.commit("key", claim("a"), record(2, "x")),
    release: store.release("key", claim("a"), { unresolved: false }),
    replace: store.replace("key", record(2, "x")),
    remove: store.remove("key"),
    rename: store.rename("key", "other", hold)
  })

  for (const [name, act] of Object.entries(operations(TokenStore.withDeadline(hanging, Duration.seconds(2))))) {
    it.effect(`R20 ${name} of a store that hangs is left behind at the deadline, even in an uninterruptible region`, () =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(
          Effect.uninterruptible(Effect.flip<unknown, OAuth2Error.StoreError, never>(act))
        )
        yield* TestClock.adjust("1999 millis")
        assert.isTrue(Option.isNone(yield* fiber.poll))
        yield* TestClock.adjust("1 millis")
        const error = yield* fiber
        assert.deepInclude(error, { _tag: "StoreError", operation: name, reason: "Unavailable" })
      }))
  }

  it.effect("R08 a volatile store is taken as it is", () =>
    Effect.gen(function*() {
      const store = { ...(yield* TokenStore.makeMemory), keeper: SharedKeeper.make }
      assert.strictEqual(TokenStore.withDeadline(store, Duration.seconds(2)), store)
    }))
})
