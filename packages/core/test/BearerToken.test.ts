import { BearerToken, type Token } from "@effect-oauth2/core"
import { HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Redacted, TestClock } from "effect"
import { canary } from "./fuzz.js"
import { leaks } from "./secrecy.js"

const token = (over: Partial<Token.Token> = {}): Token.Token => ({
  accessToken: Redacted.make("AT"),
  tokenType: "Bearer",
  issuedAt: 0,
  ...over
})

const get = (url = "https://api.test/x") => HttpClientRequest.get(url)

const failure = (request: HttpClientRequest.HttpClientRequest, over?: Partial<Token.Token>) =>
  Effect.flip(BearerToken.authorize(request, token(over)))

describe("BearerToken", () => {
  it.effect("B146 B229 the token goes into the header, the scheme spelt Bearer, and nothing else changes", () =>
    Effect.gen(function*() {
      const request = HttpClientRequest.post("https://api.test/x?a=b").pipe(
        HttpClientRequest.setHeader("x-own", "1"),
        HttpClientRequest.bodyText("body")
      )
      for (const tokenType of ["Bearer", "bearer", "bEAreR"]) {
        const authorized = yield* BearerToken.authorize(request, token({ tokenType }))
        assert.deepStrictEqual({ ...authorized.headers }, { ...request.headers, authorization: "Bearer AT" })
        assert.strictEqual(authorized.url, request.url)
        assert.strictEqual(authorized.body, request.body)
      }
    }))

  it.effect("B147 the request that was given stays as it was", () =>
    Effect.gen(function*() {
      const request = get()
      yield* BearerToken.authorize(request, token())
      assert.notProperty(request.headers, "authorization")
    }))

  it.effect("S68 S01 B002 B004 B140 plain http is refused before anything else is looked at", () =>
    Effect.gen(function*() {
      for (const url of ["http://api.test/x", "ws://api.test", "ftp://api.test", "http://localhost/x"]) {
        const error = yield* failure(get(url), { tokenType: "mac", expiresAt: -1 })
        assert.deepInclude(error, { _tag: "InsecureTransportError", origin: new URL(url).origin })
      }
      const request = yield* BearerToken.authorize(get("http://localhost/x"), token(), { allowInsecureLoopback: true })
      assert.strictEqual(request.headers["authorization"], "Bearer AT")
      const other = BearerToken.authorize(get("http://api.test/x"), token(), { allowInsecureLoopback: true })
      assert.strictEqual((yield* Effect.flip(other))._tag, "InsecureTransportError")
    }))

  it.effect("B140 a URL that is not absolute is refused", () =>
    Effect.gen(function*() {
      for (const url of ["/x", "", "api.test/x", "https://"]) {
        assert.deepInclude(yield* failure(get(url)), { _tag: "InputError", field: "url" })
      }
    }))

  it.effect("S45 B141 B142 B160 another type of token is refused, and never sent as Bearer", () =>
    Effect.gen(function*() {
      for (const tokenType of ["mac", "MAC", "dpop", "example", "", "Bearer ", "User Access Token", "x".repeat(100)]) {
        assert.deepInclude(yield* failure(get(), { tokenType }), {
          _tag: "UnsupportedTokenType",
          tokenType: tokenType.slice(0, 64)
        })
      }
    }))

  it.effect("R34 S44 B143 B144 a token with any byte at any place is sent as it is, or refused unseen", () =>
    Effect.gen(function*() {
      for (let byte = 0; byte <= 0x100; byte++) {
        const char = String.fromCharCode(byte)
        for (const text of [char + canary, canary.slice(0, 13) + char + canary.slice(13), canary + char]) {
          const result = yield* Effect.either(BearerToken.authorize(get(), token({ accessToken: Redacted.make(text) })))
          if (byte > 0x20 && byte < 0x7f) {
            assert.strictEqual(Either.getOrThrow(result).headers["authorization"], `Bearer ${text}`)
          } else {
            assert.deepInclude(Either.isLeft(result) && result.left, { _tag: "InputError", field: "accessToken" })
            assert.notInclude(String(Either.isLeft(result) && result.left), canary)
          }
        }
      }
      assert.deepInclude(yield* failure(get(), { accessToken: Redacted.make("") }), { field: "accessToken" })
      assert.deepStrictEqual(leaks(yield* failure(get(), { accessToken: Redacted.make(`${canary}\n`) }), [canary]), [])
    }))

  it.effect("S65 B230 B357 a header of the request's own is not replaced, however it is spelt", () =>
    Effect.gen(function*() {
      for (const name of ["authorization", "Authorization", "AUTHORIZATION"]) {
        const request = HttpClientRequest.setHeader(get(), name, `Basic ${canary}`)
        const error = yield* failure(request)
        assert.deepInclude(error, { _tag: "InputError", field: "authorization" })
        assert.deepStrictEqual(leaks(error, [canary]), [])
      }
    }))

  it.effect("B145 B060 B235 an expired token is refused, and one that expires this very moment is not", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_000_600)
      assert.deepInclude(yield* failure(get(), { expiresAt: 1_000_599 }), {
        _tag: "TokenExpired",
        expiresAt: 1_000_599
      })
      for (const expiresAt of [1_000_600, 1_000_601, undefined]) {
        yield* BearerToken.authorize(get(), expiresAt === undefined ? token() : token({ expiresAt }))
      }
    }))

  it("S64 B150 there is no way to put a token into a query or a body", () => {
    assert.deepStrictEqual(Object.keys(BearerToken).sort(), ["authorize", "faultOf", "headerConflict"])
  })
})
