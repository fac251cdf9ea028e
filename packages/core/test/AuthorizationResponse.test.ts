import type { OAuth2Error } from "@effect-oauth2/core"
import { AuthorizationResponse } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Redacted } from "effect"
import { assertSecret, canary, hostileText, milliseconds, runs, withoutPollution } from "./fuzz.js"
import { printed } from "./secrecy.js"

const expectation: AuthorizationResponse.Expectation = {
  pending: { state: "y", redirectUri: "https://c/cb" },
  issuer: "https://as.test",
  requireIssuer: false
}

type Result = Either.Either<
  AuthorizationResponse.AuthorizationResponse,
  OAuth2Error.AuthorizationResponseError | OAuth2Error.ErrorResponse
>

const judge = (callback: string | URL, over: Partial<AuthorizationResponse.Expectation> = {}): Result =>
  Either.flatMap(
    AuthorizationResponse.parseCallback(callback),
    (parsed) => AuthorizationResponse.decode(parsed, { ...expectation, ...over })
  )

/** The code, or why there is none. */
const verdict = (callback: string | URL, over?: Partial<AuthorizationResponse.Expectation>): string => {
  const result = judge(callback, over)
  if (Either.isRight(result)) return Redacted.value(result.right.code)
  return result.left._tag === "ErrorResponse" ? `ErrorResponse ${result.left.code}` : result.left.reason
}

const errorOf = (callback: string): OAuth2Error.ErrorResponse => {
  const result = judge(callback)
  if (Either.isLeft(result) && result.left._tag === "ErrorResponse") return result.left
  return assert.fail("no error response")
}

describe("AuthorizationResponse", () => {
  it("B110 B111 B198 a callback with the state that was sent gives its code", () => {
    assert.strictEqual(verdict("https://c/cb?code=x&state=y"), "x")
    assert.strictEqual(verdict(new URL("https://c/cb?code=x&state=y&session_state=z&iss=https%3A%2F%2Fas.test")), "x")
  })

  it("B121 a code is form-decoded", () => {
    assert.strictEqual(verdict("https://c/cb?code=a%2Bb+c&state=y"), "a+b c")
  })

  it("B006 a loopback address, a private-use scheme, a path with query and a query alone are callbacks too", () => {
    const at = (redirectUri: string) => ({ pending: { state: "y", redirectUri } })
    assert.strictEqual(verdict("http://localhost/cb?code=x&state=y", at("http://localhost/cb")), "x")
    assert.strictEqual(verdict("http://127.0.0.1:8000/cb?code=x&state=y", at("http://127.0.0.1:8000/cb")), "x")
    assert.strictEqual(verdict("http://[::1]:8000/cb?code=x&state=y", at("http://[::1]:8000/cb")), "x")
    assert.strictEqual(verdict("com.example.app:/cb?code=x&state=y", at("com.example.app:/cb")), "x")
    for (const callback of ["/cb?code=x&state=y", "?code=x&state=y", "code=x&state=y"]) {
      assert.strictEqual(verdict(callback), "x", callback)
    }
  })

  it("B114 S21 a callback without state is refused, and so is an empty one: nothing switches that off", () => {
    assert.strictEqual(verdict("https://c/cb?code=x"), "MissingState")
    assert.strictEqual(verdict("https://c/cb?code=x&state="), "MissingState")
    assert.strictEqual(
      verdict("?code=x&state=", { pending: { state: "", redirectUri: "https://c/cb" } }),
      "MissingState"
    )
  })

  it("S24 B112 B113 the state is judged before anything of the callback is believed, also before its error", () => {
    for (const rest of ["code=x", "error=access_denied", "access_token=t", "response=j", "iss=https://evil", ""]) {
      assert.strictEqual(verdict(`https://c/cb?${rest}&state=z`), "StateMismatch", rest)
      assert.strictEqual(verdict(`https://evil/cb?${rest}&state=z`), "StateMismatch", rest)
      assert.strictEqual(verdict(`https://c/cb?${rest}&state=yy`), "StateMismatch", rest)
      assert.strictEqual(verdict(`https://c/cb?${rest}&state=Y`), "StateMismatch", rest)
    }
    const result = judge(`https://c/cb?error=access_denied&error_description=${canary}&state=z`)
    assert.deepStrictEqual(printed(result, [canary]), [])
  })

  it("S23 B119 every repeated parameter is refused, in both orders, equal values and blank ones too", () => {
    for (const name of ["code", "state", "iss", "error", "error_description", "error_uri", "response"]) {
      for (const [one, other] of [["y", "z"], ["z", "y"], ["y", "y"], ["", "y"], ["y", ""]]) {
        const callback = `https://c/cb?${name}=${one}&${name}=${other}${name === "state" ? "&code=x" : "&state=y"}`
        const result = judge(callback)
        assert.isTrue(Either.isLeft(result))
        if (Either.isLeft(result)) {
          assert.deepInclude(result.left, { reason: "RepeatedParameter", parameter: name }, callback)
        }
      }
    }
    const foreign = judge(`?code=x&state=y&${canary}=1&${canary}=2`)
    assert.strictEqual(verdict(`?code=x&state=y&${canary}=1&${canary}=2`), "RepeatedParameter")
    assert.deepStrictEqual(printed(foreign, [canary]), [])
  })

  it("S26 a callback that arrived elsewhere is refused: another host, port, scheme or path", () => {
    for (
      const callback of [
        "https://evil/cb?code=x&state=y",
        "https://c:8443/cb?code=x&state=y",
        "http://c/cb?code=x&state=y",
        "https://c/cb/?code=x&state=y",
        "https://c/CB?code=x&state=y",
        "https://c/?code=x&state=y",
        "https://c.?code=x&state=y",
        "https://c./cb?code=x&state=y",
        "https://c@evil/cb?code=x&state=y",
        "com.example:/cb?code=x&state=y",
        "/other?code=x&state=y",
        "//evil/cb?code=x&state=y",
        "/?code=x&state=y"
      ]
    ) {
      assert.strictEqual(verdict(callback), "RedirectUriMismatch", callback)
    }
    assert.strictEqual(verdict("HTTPS://C:443/cb?code=x&state=y"), "x")
  })

  it("S25 an issuer that is not the configured one is refused, to the character", () => {
    for (
      const issuer of ["https://as.test/", "https://AS.test", "https://evil", "", "https://as.test\u0000", "as.test"]
    ) {
      assert.strictEqual(verdict(`?code=x&state=y&iss=${encodeURIComponent(issuer)}`), "IssuerMismatch", issuer)
      assert.strictEqual(verdict(`?error=e&state=y&iss=${encodeURIComponent(issuer)}`), "IssuerMismatch", issuer)
    }
    assert.strictEqual(verdict("?code=x&state=y&iss=https%3A%2F%2Fas.test", { requireIssuer: true }), "x")
    assert.strictEqual(verdict("?code=x&state=y", { requireIssuer: true }), "MissingIssuer")
    assert.strictEqual(verdict("?error=e&state=y", { requireIssuer: true }), "MissingIssuer")
  })

  it("S29 a JARM response is refused, since none is asked for", () => {
    assert.strictEqual(verdict("?response=a.b.c&state=y"), "UnexpectedResponseMode")
    assert.strictEqual(verdict("?response=&code=x&state=y"), "UnexpectedResponseMode")
  })

  it("S30 B122 B333 a token in the query or in the fragment is refused", () => {
    for (const name of ["access_token", "id_token", "refresh_token"]) {
      for (const base of ["https://c/cb", "/cb", ""]) {
        assert.strictEqual(verdict(`${base}?code=x&state=y&${name}=${canary}`), "TokenInFrontChannel")
        assert.strictEqual(verdict(`${base}?code=x&state=y#${name}=${canary}`), "TokenInFrontChannel")
        assertSecret(judge(`${base}?code=x&state=y#${name}=${canary}`))
      }
    }
  })

  it("B120 parameters in the fragment are ignored, and one of the pages' own is no harm", () => {
    assert.strictEqual(verdict("https://c/cb?state=y#code=a"), "MissingCode")
    assert.strictEqual(verdict("https://c/cb?code=x&state=y#_=_"), "x")
  })

  it("B116 B283 an error is the server's answer, with its texts, beside a code too", () => {
    const error = errorOf("?error=access_denied&state=y&error_description=nope&error_uri=https://x&code=z")
    assert.deepInclude(error, {
      endpoint: "authorization",
      code: "access_denied",
      description: "nope",
      uri: "https://x",
      state: "y",
      remedy: "user"
    })
    assert.isUndefined(error.status)
  })

  it("B117 a blank error is none", () => {
    assert.strictEqual(verdict("?error=&code=x&state=y"), "x")
  })

  it("B118 no code, or a blank one, is refused", () => {
    assert.strictEqual(verdict("?state=y"), "MissingCode")
    assert.strictEqual(verdict("?code=&state=y"), "MissingCode")
  })

  it("S44 a code of other characters than RFC 6749 gives it is refused, and not shown", () => {
    for (let byte = 0; byte <= 0xff; byte++) {
      const code = `${canary}${String.fromCharCode(byte)}`
      const callback = `?state=y&code=${encodeURIComponent(code)}`
      assert.strictEqual(verdict(callback), byte >= 0x20 && byte < 0x7f ? code : "InvalidCode")
      assertSecret(judge(callback))
    }
  })

  it("B109 what is refused is always refused by one kind of error, with what to do next", () => {
    for (
      const callback of [
        "?state=z",
        "?code=x",
        "https://evil/cb?state=y",
        "?state=y",
        "nonsense",
        "?response=x&state=y"
      ]
    ) {
      const result = judge(callback)
      assert.isTrue(Either.isLeft(result) && result.left._tag === "AuthorizationResponseError")
      if (Either.isLeft(result)) {
        assert.strictEqual(result.left.remedy, "user")
        assert.match(result.left.message, /^The authorization response is refused: .+\. Begin anew$/)
      }
    }
  })

  it("S32 the texts of an error have the RFC's characters alone, of at most 1 KiB", () => {
    for (
      const text of [
        "\u001b[31mred\u001b[0m",
        "<script>alert(1)</script>\"\\",
        "\u202egnp.exe\u2066",
        "a\r\nSet-Cookie: x=1",
        "é😀\u0000\ud800",
        "x".repeat(60_000)
      ]
    ) {
      const parameter = encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, ""))
      const error = errorOf(
        `?state=y&error=e${parameter}&error_description=d${parameter}&error_uri=u${parameter}`.slice(0, 65_000)
      )
      for (const shown of [error.code, error.description ?? "", error.uri ?? ""]) {
        assert.match(shown, /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/)
        assert.isAtMost(shown.length, 1_024)
      }
    }
    assert.deepInclude(errorOf("?state=y&error=%00&error_description=%1b"), {
      code: "invalid_request",
      description: undefined
    })
  })

  it("S26 what is no URL and no query is refused, and so is what is too long", () => {
    for (const callback of ["", "nonsense", "https://", "https://a b/?state=y", "?", "/cb\u0000".repeat(30_000)]) {
      assert.include(["InvalidUrl", "MissingState"], verdict(callback), callback.slice(0, 20))
    }
    assert.strictEqual(verdict(`?state=y&code=${"x".repeat(70_000)}`), "InvalidUrl")
    assert.isBelow(milliseconds(() => judge(`?${"a=b&".repeat(1_000_000)}`)), 50)
    assert.isBelow(milliseconds(() => judge(`?${Array.from({ length: 8_000 }, (_, i) => `a${i}=&`).join("")}`)), 50)
  })

  it("B110 whatever redirect a server makes of a code, the client reads that code", () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.stringMatching(/^[\x20-\x7e]{1,30}$/),
        FastCheck.stringMatching(/^[\x20-\x7e]{1,30}$/),
        FastCheck.constantFrom("https://c/cb", "https://c/cb?own=1", "http://127.0.0.1:9/cb", "com.example.app:/cb"),
        (code, state, redirectUri) => {
          const url = AuthorizationResponse.toUrl(redirectUri, [["code", code], ["state", state]])
          assert.strictEqual(verdict(url, { pending: { state, redirectUri } }), code)
          assert.strictEqual(verdict(url.href, { pending: { state, redirectUri } }), code)
          assert.strictEqual(verdict(url.search, { pending: { state, redirectUri } }), code)
        }
      ),
      runs(200)
    ))

  it("S46 R31 no callback makes it throw, changes a prototype, shows a secret or gives a code of another state", () =>
    withoutPollution(() =>
      FastCheck.assert(
        FastCheck.property(
          FastCheck.constantFrom(
            "https://c/cb",
            "/cb",
            "",
            "com.example:/cb",
            "//c/cb",
            "https:",
            "javascript:alert(1)",
            "https://c"
          ),
          FastCheck.constantFrom("?", "", "#", "?#", "&"),
          FastCheck.array(
            FastCheck.tuple(
              FastCheck.oneof(
                FastCheck.constantFrom(
                  "code",
                  "state",
                  "iss",
                  "error",
                  "error_description",
                  "response",
                  "access_token",
                  "__proto__"
                ),
                hostileText
              ),
              FastCheck.oneof(FastCheck.constantFrom(canary, "x", "https://as.test", ""), hostileText),
              FastCheck.constantFrom("&", "#", "?", ";", "&&")
            ),
            { maxLength: 5 }
          ),
          FastCheck.boolean(),
          (base, mark, parts, isRaw) => {
            const encode = isRaw
              ? (text: string) => text
              : (text: string) => encodeURIComponent(text.replace(/[\ud800-\udfff]/g, ""))
            const callback = base + mark +
              parts.map(([name, value, end]) => `${encode(name)}=${encode(value)}${end}`).join("")
            const result = judge(callback)
            if (Either.isRight(result)) return assert.include(callback, "state=y")
            const { _tag, message } = result.left
            assert.include(["AuthorizationResponseError", "ErrorResponse"], _tag)
            if (_tag === "AuthorizationResponseError") assert.notInclude(message, canary)
          }
        ),
        runs(2_000)
      )
    ))
})
