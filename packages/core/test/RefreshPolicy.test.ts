import { OAuth2Error, RefreshPolicy, type Token, TokenStore } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck, Redacted, Schedule } from "effect"
import { runs } from "./fuzz.js"

const second = 1_000
const minute = 60 * second

const policyOf = (options: RefreshPolicy.Options = {}) => Either.getOrThrow(RefreshPolicy.make(options, 8 * second))
const policy = policyOf()

const issuedAt = 1_000_000

/** A token that lasts for so many seconds. */
const token = (life: number | undefined): Token.Token => ({
  accessToken: Redacted.make("a"),
  tokenType: "Bearer",
  issuedAt,
  ...(life === undefined ? undefined : { expiresAt: issuedAt + life * second })
})

const errorResponse = (code: string, status: number, retryAfter?: number) =>
  new OAuth2Error.ErrorResponse({ endpoint: "token", code, status, retryAfter })

const invalidResponse = (status: number, retryAfter?: number) =>
  new OAuth2Error.InvalidResponse({ endpoint: "token", reason: "Status", status, retryAfter })

const reset = new OAuth2Error.TransportError({ endpoint: "token", reason: "ConnectionLost" })
const busy = (retryAfter: number) => invalidResponse(503, retryAfter)

describe("RefreshPolicy.make", () => {
  it("R09 an attempt owns the record for at least the request, the write and a second", () => {
    assert.strictEqual(policy.hold, 13 * second)
    assert.strictEqual(policyOf({ hold: "11 seconds" }).hold, 11 * second)
    assert.strictEqual(policyOf({ persistDeadline: "5 seconds" }).hold, 19 * second)
    assert.deepInclude(Either.getOrThrow(Either.flip(RefreshPolicy.make({ hold: "10999 millis" }, 8 * second))), {
      _tag: "ConfigurationError",
      field: "refreshPolicy.hold"
    })
  })

  it("R09 nobody holds for longer than others believe, clocks being apart by up to a second", () => {
    const longest = TokenStore.longestHold - second
    assert.strictEqual(policyOf({ hold: longest }).hold, longest)
    for (
      const [options, requestDeadline] of [
        [{ hold: longest + 1 }, 8 * second],
        [{}, 55 * second],
        [{ persistDeadline: "26 seconds" }, 8 * second]
      ] as const
    ) {
      const error = Either.getOrThrow(Either.flip(RefreshPolicy.make(options, requestDeadline)))
      assert.deepInclude(error, { _tag: "ConfigurationError", field: "refreshPolicy.hold" })
      assert.include(error.message, "Lower it, or the request and persist deadlines")
    }
  })

  it("R18 the end of the program waits for as long as a renewal in the air may take", () => {
    assert.strictEqual(policy.drainTimeout, 10 * second)
    assert.strictEqual(policyOf({ persistDeadline: "5 seconds" }).drainTimeout, 13 * second)
  })
})

describe("RefreshPolicy.renewAt", () => {
  it.each(
    [
      ["a day", 86_400, {}, 300],
      ["an hour", 3_600, {}, 300],
      ["25 minutes", 1_500, {}, 300],
      ["10 minutes", 600, {}, 120],
      ["a minute", 60, {}, 12],
      ["an hour, with a window of ten minutes", 3_600, { earlyWindow: "10 minutes" }, 600],
      ["an hour, with a twentieth of it", 3_600, { earlyFraction: 0.05 }, 180],
      ["an hour, without a window", 3_600, { earlyWindow: 0 }, 0]
    ] as const
  )(
    "B061 R25 a life of %s is renewed in the first half of its window, by the key alone",
    (_, life, options, window) => {
      const policy = policyOf(options)
      const expiresAt = issuedAt + life * second
      const seen = new Set<number>()
      FastCheck.assert(
        FastCheck.property(FastCheck.string(), (key) => {
          const at = RefreshPolicy.renewAt(policy, token(life), key)
          assert.isAtLeast(at, expiresAt - window * second)
          assert.isAtMost(at, expiresAt - window * second / 2)
          assert.strictEqual(RefreshPolicy.renewAt(policy, token(life), key), at)
          seen.add(at)
        }),
        runs(200)
      )
      if (window > 0) assert.isAbove(seen.size, 20, "keys are spread")
    }
  )

  it.each([0, 0.5, 1])("R24 a life of %f s is served for the shortest interval, and then renewed", (life) => {
    for (const minimumInterval of [second, 5 * second]) {
      const policy = policyOf({ minimumInterval })
      assert.strictEqual(RefreshPolicy.renewAt(policy, token(life), "user"), issuedAt + minimumInterval)
      assert.strictEqual(RefreshPolicy.usableUntil(policy, token(life)), issuedAt + minimumInterval)
    }
  })

  it("S48 a token is usable up to its expiry, and for ever where that is not known", () => {
    assert.strictEqual(RefreshPolicy.usableUntil(policy, token(3_600)), issuedAt + 3_600 * second)
    assert.strictEqual(RefreshPolicy.usableUntil(policy, token(undefined)), Infinity)
    assert.strictEqual(RefreshPolicy.renewAt(policy, token(undefined), "user"), Infinity)
  })
})

describe("RefreshPolicy.outcome", () => {
  const table: ReadonlyArray<readonly [RefreshPolicy.Outcome, OAuth2Error.AttemptError]> = [
    ["invalidGrant", errorResponse("invalid_grant", 400)],
    ["invalidGrant", errorResponse("invalid_grant", 401)],
    ["configuration", errorResponse("invalid_client", 401)],
    ["configuration", errorResponse("unauthorized_client", 400)],
    ["configuration", errorResponse("invalid_scope", 400)],
    ["configuration", errorResponse("unsupported_grant_type", 400)],
    ["configuration", errorResponse("something_new", 400)],
    ["retryable", errorResponse("temporarily_unavailable", 400)],
    ["retryable", errorResponse("slow_down", 400)],
    ["retryable", errorResponse("invalid_grant", 429)],
    ["retryable", errorResponse("invalid_grant", 503, 5 * second)],
    ["ambiguous", errorResponse("invalid_grant", 503)],
    ["ambiguous", errorResponse("invalid_grant", 200)],
    ["ambiguous", errorResponse("server_error", 400)],
    ["retryable", invalidResponse(429)],
    ["retryable", invalidResponse(503, 5 * second)],
    ["ambiguous", invalidResponse(500)],
    ["ambiguous", invalidResponse(502)],
    ["ambiguous", invalidResponse(504)],
    ["retryable", new OAuth2Error.TransportError({ endpoint: "token", reason: "Unreachable" })],
    ["ambiguous", new OAuth2Error.TransportError({ endpoint: "token", reason: "Timeout" })],
    ["ambiguous", reset],
    ["retryable", new OAuth2Error.StoreError({ operation: "get", reason: "Unavailable" })],
    ["configuration", new OAuth2Error.InputError({ field: "scope", problem: "is wrong" })],
    ["configuration", new OAuth2Error.ConfigurationError({ field: "grant", problem: "is wrong" })]
  ]

  it.each(table.map(([outcome, error]) => [outcome, error.message, error] as const))(
    "R28 %s: %s",
    (outcome, _, error) => {
      assert.strictEqual(RefreshPolicy.outcome(error), outcome)
    }
  )
})

describe("RefreshPolicy.pauseAfter", () => {
  /** The pauses after so many failures, one at the end of the other. */
  const pauses = (policy: RefreshPolicy.RefreshPolicy, error: OAuth2Error.AttemptError, count: number) =>
    Effect.gen(function*() {
      const delays: Array<number> = []
      let pause: RefreshPolicy.Pause | undefined
      let now = issuedAt
      for (let failure = 0; failure < count; failure++) {
        pause = yield* RefreshPolicy.pauseAfter(policy, error, now, pause)
        delays.push(pause.delay)
        now += pause.delay
      }
      return delays
    })

  it.effect("R23 each pause is twice the one before, from a second to a minute, jittered by a fifth", () =>
    Effect.gen(function*() {
      const delays = yield* pauses(policy, reset, 12)
      for (const [failure, delay] of delays.entries()) {
        const middle = Math.min(2 ** failure, 60) * second
        assert.isAtLeast(delay, Math.floor(middle * 0.8), `pause ${failure}`)
        assert.isAtMost(delay, Math.ceil(middle * 1.2), `pause ${failure}`)
      }
      assert.notDeepEqual(yield* pauses(policy, reset, 12), delays)
    }))

  it.effect("S63 R23 a longer Retry-After wins, and a shorter one does not shorten", () =>
    Effect.gen(function*() {
      const policy = policyOf({ retry: Schedule.spaced("10 seconds") })
      assert.deepStrictEqual(yield* pauses(policy, busy(30 * second), 2), [30 * second, 30 * second])
      assert.deepStrictEqual(yield* pauses(policy, busy(3 * second), 2), [10 * second, 10 * second])
    }))

  it.effect("R23 the last pause of a schedule that ends stays, and one that allows nothing is a minute", () =>
    Effect.gen(function*() {
      const ending = Schedule.spaced("10 seconds").pipe(Schedule.intersect(Schedule.recurs(2)))
      assert.deepStrictEqual(
        yield* pauses(policyOf({ retry: ending }), reset, 5),
        Array.from({ length: 5 }, () => 10 * second)
      )
      assert.deepStrictEqual(yield* pauses(policyOf({ retry: Schedule.stop }), reset, 1), [minute])
    }))
})

describe("RefreshPolicy.pausedUntil", () => {
  const pause: RefreshPolicy.Pause = {
    since: 100 * second,
    delay: 40 * second,
    askedFor: 10 * second,
    lastError: reset,
    failures: 1
  }
  const expired = 50 * second

  it.each(
    [
      ["there is none", undefined, 100, 50, undefined],
      ["it lasts", pause, 139, 50, 140],
      ["it is over", pause, 140, 50, undefined],
      ["the token still serves", pause, 120, 200, 140],
      ["the token expired meanwhile", pause, 120, 119, undefined],
      ["the token expired meanwhile, but the server asked for more", pause, 105, 101, 110],
      ["the clock was put back", pause, 99, 50, undefined]
    ] as const
  )("R23 R29 a pause, when %s", (_, pause, now, usableUntil, until) => {
    assert.strictEqual(
      RefreshPolicy.pausedUntil(pause, now * second, usableUntil * second),
      until === undefined ? undefined : until * second
    )
  })

  it("R23 a pause that began after the expiry is kept to its end", () => {
    assert.strictEqual(RefreshPolicy.pausedUntil(pause, 139 * second, expired), 140 * second)
  })
})
