import { PendingAuthorization, SessionRecord, Token } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, type ParseResult, Redacted, Schema } from "effect"
import { readFileSync } from "node:fs"
import * as arbitrary from "./arbitraries.js"
import { canary, hostileJson, runs, withoutPollution } from "./fuzz.js"
import { leaks, printed } from "./secrecy.js"

const golden = (name: string): Readonly<Record<string, unknown>> =>
  JSON.parse(readFileSync(new URL(`./golden/${name}.json`, import.meta.url), "utf8")) as Record<string, unknown>

const decodeRecord = Schema.decodeUnknownEither(SessionRecord.SessionRecord)
const encodeRecord = Schema.encodeSync(SessionRecord.SessionRecord)
const decodePending = Schema.decodeUnknownEither(PendingAuthorization.PendingAuthorization)
const encodePending = Schema.encodeSync(PendingAuthorization.PendingAuthorization)

const reveal = (secret: Redacted.Redacted<string> | undefined) => secret && Redacted.value(secret)

const records = ["idle", "signed-in", "redeeming", "dead", "empty"].map((name) => `session-record.${name}.v1`)

describe("what was stored by version 1", () => {
  for (const name of records) {
    it(`R40 ${name} is read, and written as it was`, () => {
      const record = Either.getOrThrow(decodeRecord(golden(name)))
      assert.deepStrictEqual(JSON.parse(JSON.stringify(encodeRecord(record))), golden(name))
    })
  }

  it("R40 pending-authorization.v1 is read, and written as it was", () => {
    const pending = Either.getOrThrow(decodePending(golden("pending-authorization.v1")))
    assert.deepStrictEqual(JSON.parse(JSON.stringify(encodePending(pending))), golden("pending-authorization.v1"))
    assert.strictEqual(Redacted.value(pending.codeVerifier), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert.deepInclude(pending, { sessionKey: "user \"1\"", clientId: "app", expiresAt: 1_767_226_200_000 })
  })

  it("R40 a record means what it meant: what is held, what may be redeemed, and who is redeeming", () => {
    const idle = Either.getOrThrow(decodeRecord(golden("session-record.idle.v1")))
    assert.strictEqual(idle.generation, 7)
    assert.strictEqual(reveal(idle.token?.accessToken), "golden-access")
    assert.strictEqual(reveal(idle.token?.idToken), "golden.id.token")
    assert.strictEqual(reveal(SessionRecord.refreshToken(idle)), "golden-refresh")
    assert.strictEqual(idle.token && Token.member(idle.token, "instance_url"), "https://eu1.test")
    assert.deepStrictEqual(idle.state, { _tag: "Idle", unresolved: false })
    assert.isUndefined(idle.signIn)
    const signedIn = Either.getOrThrow(decodeRecord(golden("session-record.signed-in.v1")))
    assert.deepStrictEqual(signedIn.signIn, { id: "Z29sZGVuLWlk", at: 1_767_225_599_000 })
    const redeeming = Either.getOrThrow(decodeRecord(golden("session-record.redeeming.v1")))
    assert.strictEqual(reveal(SessionRecord.refreshToken(redeeming)), "golden-successor")
    assert.deepInclude(redeeming.state, { _tag: "Redeeming", until: 1_767_229_211_000, unresolved: true })
    const dead = Either.getOrThrow(decodeRecord(golden("session-record.dead.v1")))
    assert.isUndefined(SessionRecord.refreshToken(dead))
    assert.deepStrictEqual(dead.state, { _tag: "Dead", reason: "RotationOutcomeUnknown" })
  })

  it("R40 a newer version, or an unknown one, is refused by its place, and the value is left as it is", () => {
    for (const name of [...records, "pending-authorization.v1"]) {
      const decode: (value: unknown) => Either.Either<unknown, ParseResult.ParseError> = name.startsWith("session")
        ? decodeRecord
        : decodePending
      for (const version of [2, 99, 0, -1, 1.5, "1", null, undefined, [1]]) {
        const value = Object.freeze({ ...golden(name), version })
        const result = decode(value)
        assert.isTrue(Either.isLeft(result), `${name} ${String(version)}`)
        if (Either.isLeft(result)) assert.match(result.left.message, /cannot be read, version$/)
        assert.deepStrictEqual(value, { ...golden(name), version })
      }
    }
  })

  it("S46 a member named __proto__ in a stored token is a member like others", () =>
    withoutPollution(() => {
      const { token } = Either.getOrThrow(decodeRecord(golden("session-record.idle.v1")))
      assert.deepStrictEqual(token && Token.member(token, "__proto__"), { polluted: true })
      assert.strictEqual(Object.getPrototypeOf(token), Object.prototype)
    }))

  it("R39 R40 every record survives encoding, JSON and decoding", () =>
    FastCheck.assert(
      FastCheck.property(arbitrary.sessionRecord, (record) => {
        const stored: unknown = JSON.parse(JSON.stringify(encodeRecord(record)))
        assert.deepStrictEqual(encodeRecord(Either.getOrThrow(decodeRecord(stored))), encodeRecord(record))
        assert.deepStrictEqual(leaks(JSON.stringify(record), secretsOf(record)), [])
      }),
      runs(200)
    ))

  it("R31 S76 no stored value makes decoding throw, and no refusal shows what it was", () => {
    const spoil = FastCheck.tuple(FastCheck.constantFrom(...records), FastCheck.constantFrom(...places), hostileJson)
    withoutPollution(() =>
      FastCheck.assert(
        FastCheck.property(spoil, ([name, place, json]) => {
          const stored = JSON.stringify(golden(name)).replaceAll("golden-", `${canary}-`)
          const value = withMember(JSON.parse(stored) as Record<string, unknown>, place.split("."), parsed(json))
          const result = decodeRecord(value)
          if (Either.isLeft(result)) assert.deepStrictEqual(printed(result.left, [canary]), [])
          else assert.strictEqual(Object.getPrototypeOf(result.right), Object.prototype)
        }),
        runs(300)
      )
    )
  })
})

const places = [
  "version",
  "generation",
  "token",
  "token.accessToken",
  "token.tokenType",
  "token.issuedAt",
  "token.expiresAt",
  "token.refreshToken",
  "token.scope",
  "token.idToken",
  "token.extra",
  "refreshToken",
  "state",
  "state._tag",
  "state.until",
  "state.reason",
  "unknown"
]

/** JSON, or the text itself where it is none. */
const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}

const withMember = (
  value: Readonly<Record<string, unknown>>,
  [name = "", ...rest]: ReadonlyArray<string>,
  member: unknown
): Record<string, unknown> => ({
  ...value,
  [name]: rest.length === 0 ? member : withMember((value[name] ?? {}) as Record<string, unknown>, rest, member)
})

const secretsOf = ({ refreshToken, token }: SessionRecord.SessionRecord): ReadonlyArray<string> =>
  [refreshToken, token?.accessToken, token?.refreshToken, token?.idToken]
    .flatMap((secret) => secret === undefined ? [] : [Redacted.value(secret)])
    // Shorter ones may be in any text.
    .filter((secret) => secret.length > 12)
