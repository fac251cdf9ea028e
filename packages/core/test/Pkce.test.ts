import { OAuth2Crypto, Pkce } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { runs } from "./fuzz.js"

const challengeOf = (verifier: string) =>
  Effect.map(OAuth2Crypto.webCrypto.sha256(new TextEncoder().encode(verifier)), Pkce.codeChallenge)

describe("Pkce", () => {
  it.effect("B165 the challenge is that of RFC 7636 appendix B", () =>
    Effect.gen(function*() {
      const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
      assert.strictEqual(yield* challengeOf(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
      assert.isTrue(Pkce.isCodeVerifier(verifier))
    }))

  it("B162 B163 B168 a verifier has 43 to 128 unreserved characters", () => {
    for (const [length, expected] of [[0, false], [42, false], [43, true], [128, true], [129, false]] as const) {
      assert.strictEqual(Pkce.isCodeVerifier("a".repeat(length)), expected, `${length}`)
    }
    for (let byte = 0; byte <= 0xff; byte++) {
      const char = String.fromCharCode(byte)
      const isUnreserved = /[A-Za-z0-9\-._~]/.test(char)
      for (const text of [char + "a".repeat(42), "a".repeat(42) + char, "a".repeat(21) + char + "a".repeat(21)]) {
        assert.strictEqual(Pkce.isCodeVerifier(text), isUnreserved, `byte ${byte}`)
      }
    }
  })

  it("S12 B166 B167 B273 there is one method, and it is S256", () => {
    assert.strictEqual(Pkce.codeChallengeMethod, "S256")
    assert.deepStrictEqual(Object.keys(Pkce).sort(), [
      "codeChallenge",
      "codeChallengeMethod",
      "codeVerifier",
      "isCodeVerifier",
      "s256"
    ])
  })

  it("S13 B163 B164 32 random bytes make a verifier of 43 characters that holds all of them", () =>
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const verifier = Pkce.codeVerifier(bytes)
        assert.strictEqual(verifier.length, 43)
        assert.isTrue(Pkce.isCodeVerifier(verifier))
        assert.strictEqual(verifier, Buffer.from(bytes).toString("base64url"))
      }),
      runs(500)
    ))

  it.effect("B165 the challenge is base64url of SHA-256 without padding, for every length of verifier", () =>
    Effect.gen(function*() {
      for (let length = 43; length <= 128; length++) {
        const verifier = randomBytes(96).toString("base64url").slice(0, length)
        assert.strictEqual(yield* challengeOf(verifier), createHash("sha256").update(verifier).digest("base64url"))
      }
    }))

  it("B021 base64url of any length is what others make of it", () =>
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.strictEqual(Pkce.codeChallenge(bytes), Buffer.from(bytes).toString("base64url"))
      }),
      runs(500)
    ))
})
