import { Custody, OAuth2Client, OAuth2Crypto } from "@effect-oauth2/core"
import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Random, Redacted } from "effect"
import { createHash } from "node:crypto"
import { publicClient } from "./fixtures.js"
import { runs } from "./fuzz.js"

const client = OAuth2Client.layer(publicClient).pipe(
  Layer.provide(Custody.layerMemory),
  Layer.provide(TestAuthorizationServer.layer())
)

const secretsOf = ({ pending }: OAuth2Client.Begun): ReadonlyArray<string> => [
  pending.state,
  Redacted.value(pending.codeVerifier),
  pending.sessionKey
]

describe("OAuth2Crypto", () => {
  it.effect("S78 the digest is SHA-256, and the bytes are as many as asked for", () =>
    Effect.gen(function*() {
      const crypto = yield* OAuth2Crypto.OAuth2Crypto
      const bytes = new TextEncoder().encode("abc")
      assert.strictEqual(
        Buffer.from(yield* crypto.sha256(bytes)).toString("hex"),
        createHash("sha256").update(bytes).digest("hex")
      )
      for (const length of [0, 1, 32, 96, 65_536]) {
        assert.strictEqual((yield* crypto.randomBytes(length)).length, length)
      }
    }))

  it.effect("S13 S78 no bytes come twice, and every bit is on as often as it is off", () =>
    Effect.gen(function*() {
      const { numRuns } = runs(20_000)
      const seen = new Set<string>()
      const ones = new Array<number>(256).fill(0)
      for (let i = 0; i < numRuns; i++) {
        const bytes = yield* OAuth2Crypto.webCrypto.randomBytes(32)
        seen.add(Buffer.from(bytes).toString("latin1"))
        for (let bit = 0; bit < 256; bit++) {
          if (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) ones[bit] = (ones[bit] ?? 0) + 1
        }
      }
      assert.strictEqual(seen.size, numRuns)
      // Six standard deviations.
      const most = 6 * Math.sqrt(numRuns) / 2
      for (const count of ones) assert.isBelow(Math.abs(count - numRuns / 2), most)
    }))

  it.effect("S78 B404 a program with a seeded Random still gets secrets of its own", () =>
    Effect.gen(function*() {
      const begin = Effect.flatMap(OAuth2Client.OAuth2Client, (client) => client.begin()).pipe(
        Effect.provide(client),
        Effect.withRandom(Random.make("seed"))
      )
      const [first, second] = [secretsOf(yield* begin), secretsOf(yield* begin)]
      assert.strictEqual(new Set([...first, ...second]).size, 6)
    }))

  it.effect("B404 a test can put a generator of its own in place", () =>
    Effect.gen(function*() {
      const fixed: OAuth2Crypto.OAuth2CryptoService = {
        ...OAuth2Crypto.webCrypto,
        randomBytes: (length) => Effect.succeed(Uint8Array.from({ length }, (_, i) => i))
      }
      const begin = Effect.flatMap(OAuth2Client.OAuth2Client, (client) => client.begin()).pipe(
        Effect.provide(client),
        Effect.provideService(OAuth2Crypto.OAuth2Crypto, fixed)
      )
      assert.deepStrictEqual(secretsOf(yield* begin), secretsOf(yield* begin))
      assert.strictEqual(new Set(secretsOf(yield* begin)).size, 3)
    }))
})
