/** Access tokens beside the store: whose they are, and what is left in the store. No page is needed for that. */
import { SessionRecord, SharedKeeper, type Token, TokenStore } from "@effect-oauth2/core"
import { StoreLaws } from "@effect-oauth2/core/testing"
import { SplitTokenStore } from "@effect-oauth2/platform-browser"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

const token = (name: string): Token.Token => ({
  accessToken: Redacted.make(`access-${name}`),
  tokenType: "Bearer",
  issuedAt: 0,
  expiresAt: 3_600_000,
  refreshToken: Redacted.make(`refresh-${name}`)
})

/** Both tokens of a record, in clear. */
const texts = (record: SessionRecord.SessionRecord | undefined) => {
  const refreshToken = record && SessionRecord.refreshToken(record)
  return [
    record?.token && Redacted.value(record.token.accessToken),
    refreshToken && Redacted.value(refreshToken)
  ]
}

const key = "key"
const claim = { generation: 1, attempt: "attempt" }

/** A split store in which Ada is signed in, and the store below. */
const adas = Effect.gen(function*() {
  const below = yield* TokenStore.makeMemory
  const split = yield* SplitTokenStore.make(below)
  yield* split.replace(key, SessionRecord.authorized(1, token("ada")))
  return { below, split, got: Effect.map(split.get(key), (record) => texts(Option.getOrUndefined(record))) }
})

describe("SplitTokenStore", () => {
  for (
    const { check, title } of StoreLaws.tokenStore({
      storage: Effect.void,
      open: () => Effect.flatMap(TokenStore.makeMemory, SplitTokenStore.make),
      isShared: false
    })
  ) it.scopedLive(title, () => check)

  it.effect("S70 the store below has the refresh token, and no access token", () =>
    Effect.gen(function*() {
      const { below, got } = yield* adas
      assert.deepStrictEqual(texts(Option.getOrUndefined(yield* below.get(key))), [undefined, "refresh-ada"])
      assert.deepStrictEqual(yield* got, ["access-ada", "refresh-ada"])
    }))

  it.effect("S61 a renewal that comes too late, after somebody else has signed in, leaves no token on their session", () =>
    Effect.gen(function*() {
      const { got, split } = yield* adas
      yield* split.begin(key, claim, Duration.minutes(1))
      yield* split.replace(key, SessionRecord.authorized(1, token("bob")))
      const outcome = yield* split.commit(key, claim, SessionRecord.authorized(2, token("ada-2")))
      assert(outcome._tag === "Lost")
      assert.deepStrictEqual(texts(outcome.record), ["access-bob", "refresh-bob"])
      assert.deepStrictEqual(yield* got, ["access-bob", "refresh-bob"])
    }))

  it.effect("S61 a sign-in that the store does not take changes nothing", () =>
    Effect.gen(function*() {
      const below = yield* TokenStore.makeMemory
      let isFull = false
      const split = yield* SplitTokenStore.make({
        ...below,
        replace: (key, record) => isFull ? Effect.dieMessage("there is no space") : below.replace(key, record)
      })
      yield* split.replace(key, SessionRecord.authorized(1, token("ada")))
      isFull = true
      yield* Effect.exit(split.replace(key, SessionRecord.authorized(1, token("bob"))))
      assert.deepStrictEqual(texts(Option.getOrUndefined(yield* split.get(key))), ["access-ada", "refresh-ada"])
    }))

  it.effect("S61 what somebody else has stored meanwhile is not given a token of ours", () =>
    Effect.gen(function*() {
      const { below, got } = yield* adas
      yield* below.replace(key, SessionRecord.authorized(1, { ...token("bob") }))
      assert.deepStrictEqual(yield* got, ["access-bob", "refresh-bob"])
      const { token: _, ...rest } = SessionRecord.authorized(1, token("eve"))
      yield* below.replace(key, { ...rest, refreshToken: Redacted.make("refresh-eve") })
      assert.deepStrictEqual(yield* got, [undefined, "refresh-eve"])
    }))

  it.effect("a store that tabs share is refused, by name", () =>
    Effect.gen(function*() {
      const below = yield* TokenStore.makeMemory
      const error = yield* Effect.flip(SplitTokenStore.make({ ...below, sharing: "origin", keeper: SharedKeeper.make }))
      assert.strictEqual(error._tag, "ConfigurationError")
      assert.strictEqual(error.field, "store")
    }))
})
