import { OAuth2Client, RefreshPolicy, SessionRecord, Telemetry, type Token } from "@effect-oauth2/core"
import * as SessionMemory from "@effect-oauth2/core/SessionMemory"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Either, FiberId, Metric, Redacted, TestClock } from "effect"
import { layer } from "./fixtures.js"
import { minute, second } from "./reliability/house.js"

const policy = Either.getOrThrow(RefreshPolicy.make({}, 8 * second))

const token: Token.Token = {
  accessToken: Redacted.make("a"),
  tokenType: "Bearer",
  issuedAt: 0,
  expiresAt: 60 * minute,
  refreshToken: Redacted.make("r")
}

const record = SessionRecord.authorized(1, token)

const memoryOf = (isShared = false) => SessionMemory.make({ policy, isShared, canRerun: false })

const pause: RefreshPolicy.Pause = {
  since: 0,
  delay: minute,
  askedFor: 0,
  lastError: Either.getOrThrow(Either.flip(RefreshPolicy.make({ hold: 0 }, 8 * second))),
  failures: 1
}

describe("SessionMemory", () => {
  it("R43 a session leaves the memory when it was not used for the policy's time, and no sooner", () => {
    const memory = memoryOf()
    memory.hold(memory.cell("user", 0), record, 0)
    memory.forgetIdle(15 * minute)
    assert.strictEqual(memory.cells.size, 1)
    memory.forgetIdle(15 * minute + 1)
    assert.strictEqual(memory.cells.size, 0)
    assert.isUndefined(memory.peek("user", 15 * minute + 1))
  })

  it("R43 each look at a session is a use of it", () => {
    const memory = memoryOf()
    memory.hold(memory.cell("user", 0), record, 0)
    assert.isDefined(memory.peek("user", 10 * minute))
    memory.forgetIdle(25 * minute)
    assert.strictEqual(memory.cells.size, 1)
    memory.forgetIdle(25 * minute + 1)
    assert.strictEqual(memory.cells.size, 0)
  })

  it("R20 what is in the air, or not written yet, is not forgotten", () => {
    const memory = memoryOf()
    const flying = memory.cell("flying", 0)
    flying.flight = Deferred.unsafeMake(FiberId.none)
    const unsaved = memory.cell("unsaved", 0)
    memory.setTrouble(unsaved, { unsaved: { record, write: Effect.never, onLost: undefined } })
    memory.cell("idle", 0)
    memory.forgetIdle(60 * minute)
    assert.deepStrictEqual([...memory.cells.keys()], ["flying", "unsaved"])
    flying.flight = undefined
    memory.setTrouble(unsaved, undefined)
    memory.forgetIdle(60 * minute)
    assert.strictEqual(memory.cells.size, 0)
  })

  it("R22 it counts the sessions that fail, also when they are mended, forgotten, or named twice", () => {
    const memory = memoryOf()
    const [a, b] = [memory.cell("a", 0), memory.cell("b", 0)]
    memory.setTrouble(a, { pause })
    memory.setTrouble(a, { pause, rejectedAt: 1 })
    memory.setTrouble(b, { pause })
    assert.strictEqual(memory.failing(), 2)
    memory.setTrouble(a, { rejectedAt: 1 })
    assert.strictEqual(memory.failing(), 1)
    memory.forget(b)
    memory.forget(b)
    assert.strictEqual(memory.failing(), 0)
    // A flight that ends on a cell nobody looks at
    memory.setTrouble(b, { pause })
    assert.strictEqual(memory.failing(), 0)
  })

  it("R08 a session of this process is fresh until its renewal, one of a shared store until it is looked up again", () => {
    const renewAt = RefreshPolicy.renewAt(policy, token, "user")
    for (const [isShared, until] of [[false, renewAt], [true, minute]] as const) {
      const memory = memoryOf(isShared)
      const cell = memory.cell("user", 0)
      memory.hold(cell, record, 0)
      assert.deepInclude(memory.peek("user", until - 1), { generation: 1, token })
      assert.isUndefined(memory.peek("user", until))
      assert.strictEqual(memory.mustReload(cell, minute), isShared)
      assert.isFalse(memory.mustReload(cell, minute - 1))
      assert.isFalse(memory.isDue(cell, until - 1))
    }
  })

  it.effect("R43 of 10,000 sessions, and of 10,000 keys that nobody knows, nothing is left in memory", () =>
    Effect.gen(function*() {
      const client = yield* OAuth2Client.OAuth2Client
      const held = Effect.map(
        Metric.value(Metric.tagged(Telemetry.sessions, "client_id", "memory")),
        ({ value }) => value
      )
      const users = Array.from({ length: 10_000 }, (_, user) => `user-${user}`)
      yield* Effect.forEach(users, (sessionKey) => client.restore(token, { sessionKey }), { discard: true })
      assert.strictEqual(yield* held, 10_000)
      yield* Effect.forEach(users, (user) => Effect.flip(client.session(`not-${user}`).token), { discard: true })
      assert.strictEqual(yield* held, 10_000)
      yield* TestClock.adjust("24 minutes")
      assert.strictEqual(yield* held, 0)
      // It is gone from memory, and not from the store
      assert.deepStrictEqual(yield* client.session("user-5000").token, token)
      yield* TestClock.adjust("8 minutes")
      assert.strictEqual(yield* held, 1)
    }).pipe(Effect.provide(layer({ client: { clientId: "memory" } })), Effect.withTracerEnabled(false)))
})
