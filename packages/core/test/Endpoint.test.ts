import { Endpoint } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import { hostileText, runs } from "./fuzz.js"
import { leaks } from "./secrecy.js"

const loopbackToo = { allowInsecureLoopback: true }
const make = (input: string | URL, policy: Endpoint.TransportPolicy = {}) =>
  Endpoint.make("tokenEndpoint", input, policy)
const problem = (input: string | URL, policy?: Endpoint.TransportPolicy): string | undefined => {
  const result = make(input, policy)
  return Either.isLeft(result) ? `${result.left._tag} ${result.left.message}` : undefined
}

describe("Endpoint", () => {
  it("B001 S01 https is accepted in any case, and what only looks like it is not", () => {
    for (
      const text of ["https://x", "HTTPS://X", "https://as.test/token?a=b", "https://[::1]/t", "https://127.0.0.1:8443"]
    ) {
      assert.isTrue(Either.isRight(make(text)), text)
    }
    for (
      const text of [
        "http://x",
        "wss://x",
        "https:/x",
        "https:",
        "https:x",
        "https://",
        "https:///x",
        "https:\\\\x",
        " https://x",
        "https://x ",
        "https://x/\ty",
        "https://x/\ny",
        "",
        "?code=x",
        "/token",
        "//as.test/token",
        "com.app:/cb",
        "javascript:alert(1)",
        "data:text/plain,x",
        "file:///etc/passwd",
        "https://x:99999/",
        "https://a b/"
      ]
    ) {
      assert.match(problem(text) ?? `${text} was accepted`, /^ConfigurationError tokenEndpoint: /, text)
    }
  })

  it("S01 B002 plain http is refused, and says what to do", () => {
    assert.strictEqual(
      problem("http://as.test/token"),
      "ConfigurationError tokenEndpoint: is not https. Use https, or allowInsecureLoopback for a server on this machine"
    )
  })

  it("S01 B003 plain http is accepted on loopback by an option of its own, and nowhere else", () => {
    for (const text of ["http://localhost:3000/t", "http://127.0.0.1/t", "http://[::1]:9/t", "http://127.1.2.3/t"]) {
      assert.isTrue(Either.isRight(make(text, loopbackToo)), text)
      assert.isDefined(problem(text), text)
    }
    for (
      const text of [
        "http://as.test",
        "http://localhost.evil.test",
        "http://127.0.0.1.evil.test",
        "http://evil.test/127.0.0.1",
        "http://localhost@evil.test",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://[::ffff:127.0.0.1]",
        "http://localhost."
      ]
    ) {
      assert.isDefined(problem(text, loopbackToo), text)
    }
  })

  it("B003 no environment variable makes an insecure URL acceptable", () => {
    for (const value of ["1", "true", "0"]) {
      process.env["OAUTHLIB_INSECURE_TRANSPORT"] = value
      assert.isDefined(problem("http://as.test"))
    }
    delete process.env["OAUTHLIB_INSECURE_TRANSPORT"]
  })

  it("S19 the query of an endpoint is kept, and a fragment is refused, an empty one too", () => {
    assert.strictEqual(Either.getOrThrow(make("https://as.test/token?tenant=a%20b&x")).search, "?tenant=a%20b&x")
    assert.include(problem("https://as.test/token#x") ?? "", "fragment")
    assert.include(problem("https://as.test/token#") ?? "", "fragment")
    assert.include(problem(new URL("https://as.test/token#x")) ?? "", "fragment")
  })

  it("S17 S74 a user and a password inside are refused, and not shown", () => {
    for (const text of ["https://user:CANARY-password@as.test/", "https://CANARY-password@as.test/"]) {
      const result = make(text)
      assert.isTrue(Either.isLeft(result))
      assert.deepStrictEqual(leaks(result, ["CANARY-password"]), [])
    }
  })

  it("S01 whatever is accepted is https, or loopback where that is allowed, without user, password and fragment", () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(
          FastCheck.webUrl({ withFragments: true, withQueryParameters: true, validSchemes: ["http", "https"] }),
          FastCheck.tuple(
            FastCheck.constantFrom("https://", "http://", "HTTPS://", "https:", "//", "https:/\\", ""),
            FastCheck.constantFrom("", "user@", "user:pw@", "@", ":@", "\\"),
            FastCheck.constantFrom(
              "as.test",
              "localhost",
              "127.0.0.1",
              "[::1]",
              "127.1",
              "0x7f.1",
              "xn--80ak6aa92e.com",
              "ａ.test",
              "."
            ),
            FastCheck.constantFrom("", ":443", ":0", ":65536", ":"),
            hostileText
          ).map((parts) => parts.join("")),
          hostileText
        ),
        FastCheck.boolean(),
        (text, allowInsecureLoopback) => {
          const result = make(text, { allowInsecureLoopback })
          if (Either.isLeft(result)) return assert.strictEqual(result.left.field, "tokenEndpoint")
          const { hash, hostname, password, protocol, username } = result.right
          assert.isTrue(
            protocol === "https:" || (allowInsecureLoopback && protocol === "http:" && Endpoint.isLoopback(hostname))
          )
          assert.deepStrictEqual([username, password, hash], ["", "", ""])
        }
      ),
      runs(1_000)
    ))
})
