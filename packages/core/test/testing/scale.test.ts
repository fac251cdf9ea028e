import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, it } from "@effect/vitest"
import { Effect, Redacted, TestClock } from "effect"
import { call, refresh, Server, text } from "./requests.js"

it.effect("ten thousand fibers are served at a time, each by itself", () =>
  Effect.gen(function*() {
    const server = yield* Server
    const tokens = yield* Effect.all(Array.from({ length: 10_000 }, () => server.issue()))
    const fetched = yield* Effect.forEach(tokens, ({ accessToken }) => call(Redacted.value(accessToken)), {
      concurrency: "unbounded"
    })
    assert.deepEqual(fetched.map(({ json }) => json["tokenNumber"]), Array.from(tokens, (_, i) => i + 1))
    const refreshed = yield* Effect.forEach(
      tokens,
      ({ refreshToken }) => refresh(refreshToken === undefined ? "" : Redacted.value(refreshToken)),
      { concurrency: "unbounded" }
    )
    assert.isTrue(refreshed.every(({ status }) => status === 200))
    assert.deepInclude(yield* server.counts, { issued: 10_000, reuses: 0, concurrentPresentations: 1 })
  }).pipe(Effect.provide(TestAuthorizationServer.layer()), Effect.withTracerEnabled(false)), 120_000)

it.effect(
  "thirty days of a hundred sessions that refresh every six hours end with every family in order",
  () =>
    Effect.gen(function*() {
      const server = yield* Server
      const tokens = yield* Effect.all(Array.from({ length: 100 }, () => server.issue()))
      let held = tokens.map(({ refreshToken }) => refreshToken === undefined ? "" : Redacted.value(refreshToken))
      for (let round = 1; round <= 120; round++) {
        yield* TestClock.adjust("6 hours")
        const answers = yield* Effect.forEach(held, (token) => refresh(token), { concurrency: "unbounded" })
        held = answers.map(({ json }) => text(json["refresh_token"]))
      }
      const families = yield* server.families
      assert.isTrue(families.every(({ generation, revoked }) => generation === 120 && revoked === undefined))
      assert.deepEqual(families.map(({ refreshToken }) => refreshToken && Redacted.value(refreshToken)), held)
      assert.deepInclude(yield* server.counts, { issued: 12_000, reuses: 0, concurrentPresentations: 1 })
    }).pipe(Effect.provide(TestAuthorizationServer.layer()), Effect.withTracerEnabled(false)),
  120_000
)
