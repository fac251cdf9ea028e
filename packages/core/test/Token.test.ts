import { Token } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Redacted, Schema } from "effect"
import * as arbitrary from "./arbitraries.js"
import { canary, hostileText, runs } from "./fuzz.js"
import { leaks, printed } from "./secrecy.js"

const decode = Schema.decodeUnknownEither(Token.Token)
const encode = Schema.encodeSync(Token.Token)

const previous = FastCheck.record({
  refreshToken: FastCheck.option(arbitrary.tokenText.map((text) => Redacted.make(text)), { nil: undefined }),
  scope: FastCheck.option(FastCheck.array(FastCheck.string(), { maxLength: 3 }), { nil: undefined })
})

/** In clear: to an assertion two secrets are equal, whatever they are. */
const assertSame = (a: Token.Token, b: Token.Token) => assert.deepStrictEqual(encode(a), encode(b))

describe("Token", () => {
  it("S44 a token text is visible ASCII, not empty, of at most 64 KiB", () => {
    for (let byte = 0; byte <= 0xff; byte++) {
      const char = String.fromCharCode(byte)
      for (const text of [`${char}token`, `to${char}ken`, `token${char}`, char]) {
        assert.strictEqual(Token.isTokenText(text), byte > 0x20 && byte < 0x7f, `byte ${byte}`)
      }
    }
    assert.isFalse(Token.isTokenText(""))
    assert.isTrue(Token.isTokenText("a".repeat(65_536)))
    assert.isFalse(Token.isTokenText("a".repeat(65_537)))
    for (const other of [undefined, null, 5, ["a"], { length: 1 }, new String("a")]) {
      assert.isFalse(Token.isTokenText(other))
    }
  })

  it("S74 a token shows none of its secrets, however it is rendered", () => {
    const token: Token.Token = {
      accessToken: Redacted.make(`${canary}-access`),
      tokenType: "Bearer",
      issuedAt: 0,
      refreshToken: Redacted.make(`${canary}-refresh`),
      idToken: Redacted.make(`${canary}-id`),
      extra: Redacted.make(new Map([["custom", `${canary}-extra`]]))
    }
    assert.deepStrictEqual(leaks(token, [canary]), [])
    assert.strictEqual(Token.member(token, "custom"), `${canary}-extra`)
  })

  it("B069 S46 another member is read by its own name alone", () => {
    const token: Token.Token = {
      accessToken: Redacted.make("a"),
      tokenType: "Bearer",
      issuedAt: 0,
      extra: Redacted.make(
        new Map<string, unknown>([["instance_url", "https://eu1"], ["__proto__", { polluted: true }]])
      )
    }
    assert.strictEqual(Token.member(token, "instance_url"), "https://eu1")
    for (const name of ["toString", "constructor", "size", "access_token"]) {
      assert.isUndefined(Token.member(token, name))
    }
    assert.deepStrictEqual(Token.member(token, "__proto__"), { polluted: true })
    assert.isUndefined(Token.member({ accessToken: Redacted.make("a"), tokenType: "Bearer", issuedAt: 0 }, "x"))
  })

  it("B060 B063 B055 a token has expired when its instant is strictly past, epoch 0 included, and never without one", () => {
    const at = (expiresAt: number | undefined): Token.Token => ({
      accessToken: Redacted.make("a"),
      tokenType: "Bearer",
      issuedAt: 0,
      ...(expiresAt === undefined ? undefined : { expiresAt })
    })
    assert.isTrue(Token.isExpired(at(1_000_500), 1_000_600))
    assert.isFalse(Token.isExpired(at(1_000_600), 1_000_600))
    assert.isFalse(Token.isExpired(at(1_000_601), 1_000_600))
    assert.isTrue(Token.isExpired(at(0), 1))
    assert.isFalse(Token.isExpired(at(undefined), Number.MAX_SAFE_INTEGER))
  })

  describe("merge", () => {
    it("S49 B347 B348 what a refresh leaves unsaid is kept, and what it says replaces", () =>
      FastCheck.assert(
        FastCheck.property(arbitrary.token, previous, (refreshed, before) => {
          const merged = Token.merge(refreshed, before)
          assert.strictEqual(merged.refreshToken, refreshed.refreshToken ?? before.refreshToken)
          assert.strictEqual(merged.scope, refreshed.scope ?? before.scope)
          const { refreshToken, scope } = before
          assertSame({ ...merged, refreshToken, scope }, { ...refreshed, refreshToken, scope })
        }),
        runs(500)
      ))

    it("S49 nothing before changes nothing, merging twice is merging once, and order of merging is no matter", () =>
      FastCheck.assert(
        FastCheck.property(arbitrary.token, arbitrary.token, arbitrary.token, (a, b, c) => {
          const parts = ({ refreshToken, scope }: Token.Token) => ({ refreshToken, scope })
          assertSame(Token.merge(a, { refreshToken: undefined, scope: undefined }), a)
          assertSame(Token.merge(Token.merge(a, parts(b)), parts(b)), Token.merge(a, parts(b)))
          assertSame(Token.merge(c, parts(Token.merge(b, parts(a)))), Token.merge(Token.merge(c, parts(b)), parts(a)))
        }),
        runs(300)
      ))

    it("B063 B349 expiry, id token and other members are those of the refresh alone, and neither argument changes", () =>
      FastCheck.assert(
        FastCheck.property(arbitrary.token, arbitrary.token, (refreshed, before) => {
          const [a, b] = [Object.freeze({ ...refreshed }), Object.freeze({ ...before })]
          const merged = Token.merge(a, { refreshToken: b.refreshToken, scope: b.scope })
          assert.strictEqual(merged.expiresAt, refreshed.expiresAt)
          assert.strictEqual(merged.idToken, refreshed.idToken)
          assert.strictEqual(merged.extra, refreshed.extra)
        }),
        runs(200)
      ))
  })

  it("B062 R40 a token survives encoding, JSON and decoding, its expiry as the instant it is", () =>
    FastCheck.assert(
      FastCheck.property(arbitrary.token, (token) => {
        const stored: unknown = JSON.parse(JSON.stringify(encode(token)))
        assert.deepStrictEqual(encode(Either.getOrThrow(decode(stored))), encode(token))
      }),
      runs(300)
    ))

  it("S76 a stored token that cannot be read is refused without a word of what it holds", () => {
    const stored = { accessToken: "fine", tokenType: "Bearer", issuedAt: 0 }
    for (
      const spoilt of [
        { ...stored, accessToken: `${canary}\n` },
        { ...stored, accessToken: [canary] },
        { ...stored, accessToken: "" },
        { ...stored, refreshToken: `${canary}\u0000` },
        { ...stored, refreshToken: { secret: canary } },
        { ...stored, idToken: [canary] },
        { ...stored, extra: { secret: canary } },
        { ...stored, extra: [[canary]] },
        { ...stored, extra: [[1, canary]] }
      ]
    ) {
      const result = decode(spoilt)
      assert.isTrue(Either.isLeft(result))
      assert.deepStrictEqual(printed(result, [canary]), [])
      if (Either.isLeft(result)) assert.deepStrictEqual(printed(result.left, [canary]), [])
    }
  })

  it("S76 the refusal of a stored token names the place of the fault", () => {
    const fault = (value: unknown) => {
      const result = decode(value)
      return Either.isLeft(result) ? result.left.message : "no fault"
    }
    const stored = { accessToken: "fine", tokenType: "Bearer", issuedAt: 0 }
    assert.strictEqual(fault({ ...stored, accessToken: "\n" }), "The token cannot be read, accessToken")
    assert.strictEqual(fault({ ...stored, issuedAt: "yesterday" }), "The token cannot be read, issuedAt")
    assert.strictEqual(fault({ ...stored, scope: ["a", 5] }), "The token cannot be read, scope, 1")
    assert.strictEqual(fault("token"), "The token cannot be read")
    assert.strictEqual(fault({ tokenType: "Bearer", issuedAt: 0 }), "The token cannot be read, accessToken")
  })

  it("S46 R31 no stored value makes decoding throw, or gives a token a prototype of its choice", () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(FastCheck.jsonValue(), FastCheck.dictionary(hostileText, hostileText)),
        (value) => {
          const result = decode(value)
          if (Either.isRight(result)) assert.strictEqual(Object.getPrototypeOf(result.right), Object.prototype)
        }
      ),
      runs(300)
    ))
})
