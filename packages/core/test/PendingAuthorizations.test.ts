import { type PendingAuthorization, PendingAuthorizations } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck, Redacted, TestClock } from "effect"
import * as arbitrary from "./arbitraries.js"
import { canary, runs } from "./fuzz.js"
import { leaks } from "./secrecy.js"

const pending = (
  over: Partial<PendingAuthorization.PendingAuthorization> = {}
): PendingAuthorization.PendingAuthorization => ({
  version: 1,
  sessionKey: "user",
  state: "state-1",
  codeVerifier: Redacted.make(canary),
  clientId: "app",
  server: "https://as.test",
  redirectUri: "https://app.test/callback",
  scope: undefined,
  resource: [],
  expiresAt: 600_000,
  ...over
})

const reasonOf = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(
    Effect.either(effect),
    (result) => Either.isLeft(result) ? (result.left as { readonly reason: string }).reason : "consumed"
  )

describe("PendingAuthorizations", () => {
  it.effect("S14 what is put is found by its state, any number of times, and used up once", () =>
    Effect.gen(function*() {
      const store = yield* PendingAuthorizations.makeMemory
      yield* store.put(pending())
      assert.strictEqual(yield* store.get("state-1"), yield* store.get("state-1"))
      assert.isUndefined(yield* store.get("state-2"))
      assert.isFalse(yield* store.isConsumed("state-1"))
      assert.strictEqual(yield* reasonOf(store.consume(pending())), "consumed")
      assert.strictEqual(yield* reasonOf(store.consume(pending())), "TransactionConsumed")
      assert.isUndefined(yield* store.get("state-1"))
      assert.isTrue(yield* store.isConsumed("state-1"))
    }))

  it.effect("S14 B408 what was begun in another process is used up once all the same", () =>
    Effect.gen(function*() {
      const store = yield* PendingAuthorizations.makeMemory
      assert.strictEqual(yield* reasonOf(store.consume(pending())), "consumed")
      assert.strictEqual(yield* reasonOf(store.consume(pending())), "TransactionConsumed")
    }))

  it.effect("S14 of many at a time, one uses it up", () =>
    Effect.gen(function*() {
      const store = yield* PendingAuthorizations.makeMemory
      yield* store.put(pending())
      const reasons = yield* Effect.all(Array.from({ length: 100 }, () => reasonOf(store.consume(pending()))), {
        concurrency: "unbounded"
      })
      assert.strictEqual(reasons.filter((reason) => reason === "consumed").length, 1)
      assert.strictEqual(reasons.filter((reason) => reason === "TransactionConsumed").length, 99)
    }))

  it.effect("S14 who is late is told so, and what was consumed stays so after its time", () =>
    Effect.gen(function*() {
      const store = yield* PendingAuthorizations.makeMemory
      yield* store.put(pending())
      yield* store.put(pending({ state: "used" }))
      yield* store.consume(pending({ state: "used" }))
      yield* TestClock.adjust("599999 millis")
      assert.isDefined(yield* store.get("state-1"))
      yield* TestClock.adjust("1 millis")
      assert.isDefined(yield* store.get("state-1"))
      assert.strictEqual(yield* reasonOf(store.consume(pending())), "TransactionExpired")
      assert.strictEqual(yield* reasonOf(store.consume(pending({ state: "used" }))), "TransactionExpired")
      assert.isTrue(yield* store.isConsumed("used"))
    }))

  it.effect("S14 what has expired is forgotten, whether sign-ins are begun here or only completed", () =>
    Effect.gen(function*() {
      for (const touch of ["put", "consume"] as const) {
        const store = yield* PendingAuthorizations.makeMemory
        const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
        const lasting = (state: string, life: number) => pending({ state, expiresAt: now + life })
        yield* store.put(lasting("begun", 600_000))
        yield* store.consume(lasting("consumed", 600_000))
        yield* TestClock.adjust("21 minutes")
        yield* store[touch](lasting("later", 10_000_000))
        assert.isUndefined(yield* store.get("begun"))
        assert.isFalse(yield* store.isConsumed("consumed"))
      }
    }))

  it.effect("S14 S73 sign-ins do not meddle with each other, whatever their states and keys", () =>
    Effect.gen(function*() {
      const store = yield* PendingAuthorizations.makeMemory
      const all = FastCheck.sample(
        FastCheck.uniqueArray(arbitrary.pendingAuthorization, {
          selector: ({ state }) => state,
          minLength: 20,
          maxLength: 20
        }),
        { ...runs(5) }
      ).flat().map((pending, i) => ({ ...pending, state: `${pending.state}-${i}`, expiresAt: 600_000 }))
      yield* Effect.forEach(all, store.put)
      for (const [i, one] of all.entries()) {
        assert.strictEqual(yield* store.get(one.state), one)
        if (i % 2 === 0) yield* store.consume(one)
      }
      for (const [i, one] of all.entries()) assert.strictEqual(yield* store.isConsumed(one.state), i % 2 === 0)
    }))

  it.effect("S74 the store and its refusals show no verifier", () =>
    Effect.gen(function*() {
      const store = yield* PendingAuthorizations.makeMemory
      yield* store.put(pending())
      yield* store.consume(pending())
      const refusal = yield* Effect.flip(store.consume(pending()))
      assert.deepStrictEqual([...leaks(store, [canary]), ...leaks(refusal, [canary])], [])
    }))
})
