import { BearerChallenge } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { hostileText, milliseconds, runs, withoutPollution } from "./fuzz.js"

const parsed = (header: string) =>
  BearerChallenge.parse(header).map((
    { parameters, scheme }
  ) => [scheme, ...[...parameters].map(([k, v]) => `${k}=${v}`)])

const token = FastCheck.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,10}$/)
const anyText = FastCheck.stringMatching(/^[\t\x20-\x7e]{0,20}$/)
const quoted = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`

const challenge = FastCheck.record({
  scheme: token,
  parameters: FastCheck.uniqueArray(FastCheck.tuple(token, anyText), {
    selector: ([name]) => name.toLowerCase(),
    maxLength: 4
  })
})

describe("BearerChallenge", () => {
  it("S67 the challenges of the standards' own examples are read", () => {
    assert.deepStrictEqual(parsed("Bearer realm=\"example\""), [["bearer", "realm=example"]])
    assert.deepStrictEqual(
      parsed(
        "Bearer realm=\"example\",\n  error=\"invalid_token\",\n  error_description=\"The access token expired\""
      ),
      [["bearer", "realm=example", "error=invalid_token", "error_description=The access token expired"]]
    )
    assert.deepStrictEqual(
      parsed("Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\", Basic realm=\"simple\""),
      [["newauth", "realm=apps", "type=1", "title=Login to \"apps\""], ["basic", "realm=simple"]]
    )
    assert.deepStrictEqual(parsed("Negotiate, Basic realm=x"), [["negotiate"], ["basic", "realm=x"]])
    assert.deepStrictEqual(parsed("Negotiate YWJjZA==, Bearer error=invalid_token"), [
      ["negotiate"],
      ["bearer", "error=invalid_token"]
    ])
    assert.deepStrictEqual(parsed("DPoP algs=\"ES256 PS256\", error=\"use_dpop_nonce\""), [
      ["dpop", "algs=ES256 PS256", "error=use_dpop_nonce"]
    ])
  })

  it("S67 a comma, an equals sign, a quote or another challenge inside quotes is text", () => {
    assert.deepStrictEqual(parsed("Bearer realm=\"a, b=c, Basic realm=x\", error=invalid_token"), [
      ["bearer", "realm=a, b=c, Basic realm=x", "error=invalid_token"]
    ])
    assert.deepStrictEqual(parsed("Bearer realm=\"\\\"\\\\\", scope=\"a b\""), [["bearer", "realm=\"\\", "scope=a b"]])
  })

  it("S67 schemes and names are in lower case, the first of a repeated name counts, and blanks mean nothing", () => {
    assert.deepStrictEqual(parsed("BEARER REALM=x, realm=y ,, , Error = \"z\""), [["bearer", "realm=x", "error=z"]])
    assert.deepStrictEqual(parsed(",, \t Bearer\t realm=x"), [["bearer", "realm=x"]])
    assert.deepStrictEqual(parsed("Bearer realm=\"\""), [["bearer", "realm="]])
  })

  it("S67 what no grammar knows is passed over", () => {
    assert.deepStrictEqual(parsed(""), [])
    assert.deepStrictEqual(parsed("realm=x"), [])
    assert.deepStrictEqual(parsed("Bearer realm=\"unclosed"), [["bearer"], ["realm"], ["unclosed"]])
    assert.deepStrictEqual(parsed("Bearer =x, Basic realm=y"), [["basic", "realm=y"]])
  })

  it("S67 only the first 8 KiB are read", () => {
    const header = `Bearer realm="${"a".repeat(8_000)}", error="invalid_token", late="${"b".repeat(500)}"`
    const [challenge] = BearerChallenge.parse(header)
    assert.strictEqual(challenge?.parameters.get("error"), "invalid_token")
    assert.isUndefined(challenge?.parameters.get("late"))
  })

  it("S66 a refresh is worth while after invalid_token or no error, and after no other error", () => {
    for (
      const [header, expected] of [
        [undefined, true],
        ["", true],
        ["Bearer", true],
        ["Bearer realm=\"x\"", true],
        ["Basic realm=x", true],
        ["Bearer error=\"invalid_token\"", true],
        ["Basic realm=x, Bearer error=invalid_token", true],
        ["Basic error=insufficient_scope", true],
        ["Bearer error=\"insufficient_scope\"", false],
        ["Bearer error=invalid_request", false],
        ["bearer Error=\"INVALID_TOKEN\"", false],
        ["Bearer error=\"\"", false]
      ] as const
    ) {
      assert.strictEqual(BearerChallenge.isTokenRejected(header), expected, header)
    }
  })

  it("S67 whatever is written by the grammar is read back", () =>
    FastCheck.assert(
      FastCheck.property(FastCheck.array(challenge, { maxLength: 4 }), (challenges) => {
        const header = challenges.map(({ parameters, scheme }) =>
          `${scheme} ${parameters.map(([name, value]) => `${name}=${quoted(value)}`).join(", ")}`
        ).join(", ")
        assert.deepStrictEqual(
          BearerChallenge.parse(header).map(({ parameters, scheme }) => ({ scheme, parameters: [...parameters] })),
          challenges.map(({ parameters, scheme }) => ({
            scheme: scheme.toLowerCase(),
            parameters: parameters.map(([name, value]): [string, string] => [name.toLowerCase(), value])
          }))
        )
      }),
      runs(500)
    ))

  it("S67 R31 no header makes it throw, or changes a prototype", () =>
    withoutPollution(() =>
      FastCheck.assert(
        FastCheck.property(
          FastCheck.array(
            FastCheck.oneof(
              hostileText,
              FastCheck.constantFrom(
                "Bearer",
                "bearer ",
                "error=",
                "error=\"invalid_token\"",
                ", ",
                "\"",
                "\\",
                "=",
                " "
              )
            ),
            { maxLength: 12 }
          ).map((parts) => parts.join("")),
          (header) => {
            BearerChallenge.isTokenRejected(header)
            for (const { parameters, scheme } of BearerChallenge.parse(header)) {
              assert.strictEqual(scheme, scheme.toLowerCase())
              assert.isTrue(parameters instanceof Map)
            }
          }
        ),
        runs(2_000)
      )
    ))

  it("S67 R31 no header takes long", () => {
    for (
      const piece of [
        "a",
        " ",
        "\t",
        "\"",
        "\\",
        "=",
        ",",
        "a=",
        "a=\"",
        "a=\"\\",
        "a= ",
        "a ",
        "a =",
        "a=a ",
        "Bearer a=",
        "a\"",
        "\\\"",
        "a=\"\\\"",
        "!",
        "é"
      ]
    ) {
      for (const [start, end] of [["", ""], ["Bearer ", "\""], ["Bearer a=\"", ""], ["Bearer ", "!"], ["a=", "é"]]) {
        const header = `${start}${piece.repeat(100_000)}${end}`
        const trimmed = `${header.slice(0, 8_190)}${end}`
        assert.isBelow(milliseconds(() => [BearerChallenge.parse(header), BearerChallenge.parse(trimmed)]), 50, piece)
      }
    }
  })
})
