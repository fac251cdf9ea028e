import { PendingAuthorization } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Redacted, Schema } from "effect"
import * as arbitrary from "./arbitraries.js"
import { canary, runs } from "./fuzz.js"
import { leaks, printed } from "./secrecy.js"

const decode = Schema.decodeUnknownEither(PendingAuthorization.PendingAuthorization)
const encode = Schema.encodeSync(PendingAuthorization.PendingAuthorization)

const stored = {
  version: 1,
  sessionKey: "key",
  state: "state",
  codeVerifier: canary,
  clientId: "app",
  server: "https://as.test",
  redirectUri: "https://app.test/callback",
  expiresAt: 600_000
}

describe("PendingAuthorization", () => {
  it("B260 B274 B408 it is a plain value that survives encoding, JSON and decoding", () =>
    FastCheck.assert(
      FastCheck.property(arbitrary.pendingAuthorization, (pending) => {
        const cookie: unknown = JSON.parse(JSON.stringify(encode(pending)))
        assert.deepStrictEqual(encode(Either.getOrThrow(decode(cookie))), encode(pending))
      }),
      runs(200)
    ))

  it("S74 the code verifier is shown by no rendering but the encoded form", () => {
    const pending = Either.getOrThrow(decode(stored))
    assert.deepStrictEqual(leaks(pending, [canary]), [])
    assert.strictEqual(Redacted.value(pending.codeVerifier), canary)
  })

  it("S16 R40 a value with a member missing, of another type or of another version is refused, without its secrets", () => {
    for (
      const name of ["version", "sessionKey", "state", "codeVerifier", "clientId", "server", "redirectUri", "expiresAt"]
    ) {
      const { [name as keyof typeof stored]: _, ...without } = stored
      for (const value of [without, { ...stored, [name]: null }, { ...stored, [name]: [canary] }]) {
        const result = decode(value)
        assert.isTrue(Either.isLeft(result), name)
        if (Either.isLeft(result)) assert.deepStrictEqual(printed(result.left, [canary]), [], name)
      }
    }
    for (const version of [0, 2, 1.5, "1", -1]) assert.isTrue(Either.isLeft(decode({ ...stored, version })))
  })
})
