import type { Scope } from "@effect-oauth2/core"
import { OAuth2Error, Token, TokenResponse } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Redacted, Schema } from "effect"
import * as arbitrary from "./arbitraries.js"
import {
  assertSecret,
  canary,
  hostileJson,
  hostileText,
  milliseconds,
  runs,
  spoiltBytes,
  withoutPollution
} from "./fuzz.js"
import { leaks } from "./secrecy.js"

/** 1000.6 seconds: the instant that the table of the specification is written for. */
const receivedAt = 1_000_600

/** What a decoder of JSON cannot take less time than. */
const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}

const base = { access_token: "AT", token_type: "Bearer" }

const reply = (body: unknown, over: Partial<TokenResponse.Reply> = {}): TokenResponse.Reply => ({
  endpoint: "token",
  status: 200,
  contentType: "application/json",
  retryAfter: undefined,
  body: body instanceof Uint8Array
    ? body
    : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
  ...over
})

const decode = (body: unknown, over?: Partial<TokenResponse.Reply>, scope?: Scope.Scope) =>
  TokenResponse.decode(reply(body, over), { receivedAt, scope })

const token = (body: unknown, over?: Partial<TokenResponse.Reply>, scope?: Scope.Scope): Token.Token =>
  Either.getOrThrow(decode(body, over, scope))

const refusal = (body: unknown, over?: Partial<TokenResponse.Reply>): TokenResponse.Refusal => {
  const result = decode(body, over)
  return Either.isLeft(result) ? result.left : assert.fail("a token was accepted")
}

/** Why there is no token: `Json`, `InvalidMember scope`, `ErrorResponse invalid_grant`. */
const why = (body: unknown, over?: Partial<TokenResponse.Reply>): string => {
  const { error } = refusal(body, over)
  return error._tag === "ErrorResponse"
    ? `ErrorResponse ${error.code}`
    : `${error.reason}${error.member === undefined ? "" : ` ${error.member}`}`
}

const errorOf = (body: unknown, over?: Partial<TokenResponse.Reply>): OAuth2Error.ErrorResponse => {
  const { error } = refusal(body, { status: 400, ...over })
  return error._tag === "ErrorResponse" ? error : assert.fail(`no error response but ${error.reason}`)
}

/** The instant of expiry, or the member that is refused. */
const expiry = (members: Record<string, unknown>): number | string | undefined => {
  const result = decode({ ...base, ...members })
  return Either.isRight(result)
    ? result.right.expiresAt
    : result.left.error._tag === "InvalidResponse"
    ? result.left.error.member
    : result.left.error._tag
}

describe("TokenResponse", () => {
  describe("expiry", () => {
    const table: ReadonlyArray<readonly [id: string, members: Record<string, unknown>, expected: unknown]> = [
      ["B037", {}, undefined],
      ["B037", { expires_in: null, expires_at: null }, undefined],
      ["B038", { expires_in: 3600 }, 4_600_600],
      ["B039", { expires_in: 3600.12 }, 4_600_600],
      ["B039", { expires_in: 3600.9 }, 4_600_600],
      ["B040", { expires_in: "3600" }, 4_600_600],
      ["B040", { expires_in: " 3600 " }, 4_600_600],
      ["B041", { expires_in: "3_600" }, "expires_in"],
      ["B042", { expires_in: 0 }, receivedAt],
      ["B042", { expires_in: "0" }, receivedAt],
      ["B042", { expires_in: 0.5 }, receivedAt],
      ["B042", { expires_in: -0 }, receivedAt],
      ["B043", { expires_in: -1 }, 999_600],
      ["B043", { expires_in: "-1" }, 999_600],
      ["B044", { expires_in: "" }, undefined],
      ["B044", { expires_in: " " }, undefined],
      ["B044", { expires_in: "abc" }, "expires_in"],
      ["B044", { expires_in: "3600.5" }, 4_600_600],
      ["B044", { expires_in: "NaN" }, "expires_in"],
      ["B044", { expires_in: "Infinity" }, "expires_in"],
      ["B045", { expires_in: [3600] }, "expires_in"],
      ["B045", { expires_in: { value: 3600 } }, "expires_in"],
      ["B046", { expires_in: true }, "expires_in"],
      ["B046", { expires_in: false }, "expires_in"],
      ["B047", { expires_at: 200, expires_in: 3600 }, 200_000],
      ["B048", { expires_at: 200.42 }, 200_420],
      ["B049", { expires_at: "200" }, 200_000],
      ["B050", { expires_at: "200.42" }, 200_420],
      ["B050", { expires_at: "1e3" }, 1_000_000],
      ["B051", { expires_at: "2006-01-02T15:04:05Z" }, Date.UTC(2006, 0, 2, 15, 4, 5)],
      ["B051", { expires_at: "2006-01-02T15:04:05.678+01:00" }, Date.UTC(2006, 0, 2, 14, 4, 5, 678)],
      ["B051", { expires_at: "soon" }, undefined],
      ["B051", { expires_at: "token 12" }, undefined],
      ["B051", { expires_at: "2006-01-02T15:04:05" }, undefined],
      ["B052", { expires_at: "2006-01-02T15:04:05Z", expires_in: 10 }, 1_010_600],
      ["B053", { expires_at: "" }, undefined],
      ["B053", { expires_at: "", expires_in: 10 }, 1_010_600],
      ["B054", { expires_at: "nan" }, undefined],
      ["B054", { expires_at: "inf" }, undefined],
      ["B054", { expires_at: "Infinity", expires_in: 10 }, 1_010_600],
      ["B055", { expires_at: 0 }, 0],
      ["B055", { expires_at: 0, expires_in: 10 }, 0],
      ["B056", { expires_at: null, expires_in: 10 }, 1_010_600],
      ["B057", { expires_at: [200] }, undefined],
      ["B057", { expires_at: { seconds: 200 }, expires_in: 10 }, 1_010_600],
      ["B057", { expires_at: true, expires_in: 10 }, 1_010_600],
      ["B059", { expires_in: "-10" }, 990_600]
    ]
    for (const [id, members, expected] of table) {
      it(`S48 ${id} ${JSON.stringify(members)} is ${typeof expected === "string" ? "refused" : String(expected)}`, () => {
        assert.strictEqual(expiry(members), expected)
      })
    }

    it("S48 a life too long or too short for a date ends where dates end, so that it can be stored and shown", () => {
      for (const [number, end] of [["1e308", 8.64e15], ["-1e308", -8.64e15], ["9".repeat(100), 8.64e15]] as const) {
        for (const text of [`"expires_in":${number}`, `"expires_in":"${number}"`, `"expires_at":${number}`]) {
          const { expiresAt } = token(`{"access_token":"AT","token_type":"Bearer",${text}}`)
          assert.strictEqual(expiresAt, end, text)
        }
      }
      for (const text of ["1e400", "-1e400"]) {
        assert.strictEqual(
          why(`{"access_token":"AT","token_type":"Bearer","expires_in":${text}}`),
          "InvalidMember expires_in"
        )
        assert.isUndefined(token(`{"access_token":"AT","token_type":"Bearer","expires_at":${text}}`).expiresAt)
      }
    })

    it("B042 B060 a life of zero has ended the moment after receipt", () => {
      assert.isTrue(Token.isExpired(token({ ...base, expires_in: 0 }), receivedAt + 1))
    })

    it("B062 B063 B139 the instant is fixed at receipt, and belongs to the token alone", () => {
      assert.strictEqual(token({ ...base, expires_in: 10 }).issuedAt, receivedAt)
      assert.notProperty(token(base), "expiresAt")
    })

    it("B058 the instant is the receipt's to the millisecond, with nothing rounded", () => {
      for (const now of [1_000_500, 1_001_500, 1_661_185_148_640]) {
        const result = TokenResponse.decode(reply({ ...base, expires_in: 1 }), { receivedAt: now, scope: undefined })
        assert.strictEqual(Either.getOrThrow(result).expiresAt, now + 1_000)
      }
    })

    it("S48 R31 whatever is said of the expiry, it is an instant, unknown or refused", () =>
      FastCheck.assert(
        FastCheck.property(
          hostileJson,
          hostileJson,
          FastCheck.boolean(),
          FastCheck.boolean(),
          (inText, atText, a, b) => {
            const text = `{"access_token":"AT","token_type":"Bearer"${a ? `,"expires_in":${inText}` : ""}${
              b ? `,"expires_at":${atText}` : ""
            }}`
            const result = decode(text)
            if (Either.isLeft(result)) return assert.strictEqual(why(text), "InvalidMember expires_in")
            const { expiresAt } = result.right
            if (expiresAt !== undefined) assert.doesNotThrow(() => new Date(expiresAt).toISOString())
          }
        ),
        runs(1_000)
      ))
  })

  describe("success", () => {
    it("B010 B069 B080 a token is read, its other members verbatim by name", () => {
      const read = token({
        ...base,
        refresh_token: "RT",
        scope: "abc def",
        id_token: "a.b.c",
        instance_url: "https://eu1",
        nested: { a: [1, null] }
      })
      assert.strictEqual(Redacted.value(read.accessToken), "AT")
      assert.strictEqual(read.tokenType, "Bearer")
      assert.strictEqual(read.refreshToken && Redacted.value(read.refreshToken), "RT")
      assert.strictEqual(read.idToken && Redacted.value(read.idToken), "a.b.c")
      assert.deepStrictEqual(read.scope, ["abc", "def"])
      assert.strictEqual(Token.member(read, "instance_url"), "https://eu1")
      assert.deepStrictEqual(Token.member(read, "nested"), { a: [1, null] })
      assert.isUndefined(Token.member(read, "access_token"))
    })

    it("B066 white space around the JSON and one byte order mark before it mean nothing", () => {
      assert.strictEqual(Redacted.value(token(`\r\n ${JSON.stringify(base)}\n\t`).accessToken), "AT")
      assert.strictEqual(Redacted.value(token(`\ufeff${JSON.stringify(base)}`).accessToken), "AT")
      assert.strictEqual(why(`\ufeff\ufeff${JSON.stringify(base)}`), "Json")
    })

    it("B028 B070 B079 the scope is that of the answer, a text or a list, else that which was asked for", () => {
      assert.deepStrictEqual(token({ ...base, scope: "abc def" }, {}, ["x"]).scope, ["abc", "def"])
      assert.deepStrictEqual(token({ ...base, scope: ["abc", "def"] }, {}, ["x"]).scope, ["abc", "def"])
      assert.deepStrictEqual(token({ ...base, scope: null }, {}, ["x"]).scope, ["x"])
      assert.deepStrictEqual(token(base, {}, ["x"]).scope, ["x"])
      assert.notProperty(token(base), "scope")
    })

    it("B029 B030 a blank scope in the answer is as one that is not there", () => {
      for (const scope of ["", "  ", [], [""]]) {
        assert.deepStrictEqual(token({ ...base, scope }, {}, ["x"]).scope, ["x"], JSON.stringify(scope))
      }
    })

    it("B032 B036 another scope than was asked for is no reason to lose a token", () => {
      const read = token({ ...base, scope: "other", refresh_token: "RT" }, {}, ["x"])
      assert.deepStrictEqual(read.scope, ["other"])
      assert.isDefined(read.refreshToken)
    })

    it("S49 B348 a refresh token that is missing, null or empty is none", () => {
      for (const members of [{}, { refresh_token: null }, { refresh_token: "" }]) {
        assert.notProperty(token({ ...base, ...members }), "refreshToken")
      }
      for (const id_token of [null, ""]) assert.notProperty(token({ ...base, id_token }), "idToken")
    })

    it("B072 B073 an error that is null or empty, beside a token, is none", () => {
      for (const error of [null, ""]) assert.strictEqual(Redacted.value(token({ ...base, error }).accessToken), "AT")
    })

    it("S45 B141 the type is Bearer, in any case, and kept as it is written", () => {
      for (const token_type of ["Bearer", "bearer", "bEAreR"]) {
        assert.strictEqual(token({ ...base, token_type }).tokenType, token_type)
      }
    })

    it("S43 any JSON content type will do", () => {
      for (
        const contentType of [
          "application/json",
          "APPLICATION/JSON; charset=utf-8",
          "application/json;charset=x",
          "application/vnd.example.v1+json"
        ]
      ) {
        assert.isTrue(Either.isRight(decode(base, { contentType })), contentType)
      }
    })

    it("B080 what the server writes the client reads, to the second", () =>
      FastCheck.assert(
        FastCheck.property(arbitrary.token, FastCheck.integer({ min: 0, max: 1e9 }), (issued, life) => {
          const sent: Token.Token = { ...issued, issuedAt: receivedAt, expiresAt: receivedAt + life * 1_000 }
          FastCheck.pre(issued.scope?.length !== 0)
          const members = TokenResponse.encode(sent)
          // Members that the library knows, or that say something else, are not among those that it passes on.
          FastCheck.pre(!["error", "expires_at"].some((name) => Object.hasOwn(members, name)))
          const read = Either.getOrThrow(
            TokenResponse.decode(reply(members), { receivedAt, scope: undefined })
          )
          assert.deepStrictEqual(TokenResponse.encode(read), members)
        }),
        runs(200)
      ))
  })

  describe("refusal", () => {
    it("S43 B068 B325 only status 200 with a JSON object is an answer: the matrix of shapes", () => {
      const good = JSON.stringify(base)
      const form = "access_token=AT&token_type=bearer"
      const json = "application/json"
      for (
        const [status, contentType, body, expected] of [
          [200, "text/html", good, "ContentType"],
          [200, undefined, good, "ContentType"],
          [200, "text/plain", good, "ContentType"],
          [200, "application/jsonp", good, "ContentType"],
          [200, "application/json-seq", good, "ContentType"],
          [200, "text/json", good, "ContentType"],
          [200, "application/x-www-form-urlencoded", form, "ContentType"],
          [200, json, form, "Json"],
          [200, json, "", "Json"],
          [200, "text/html", "<!doctype html>", "ContentType"],
          [200, undefined, "", "ContentType"],
          [200, json, "null", "Json"],
          [200, json, "5", "Json"],
          [200, json, "\"str\"", "Json"],
          [200, json, "[]", "Json"],
          [200, json, `[${good}]`, "Json"],
          [200, json, `${good}${good}`, "Json"],
          [200, json, good.slice(0, -1), "Json"],
          [200, json, `${good.slice(0, -1)},}`, "Json"],
          [200, json, "{\"access_token\":NaN}", "Json"],
          [201, json, good, "Status"],
          [202, json, good, "Status"],
          [204, undefined, "", "Status"],
          [400, json, good, "Status"],
          [401, json, "{}", "Status"],
          [403, "text/html", "<h1>Forbidden</h1>", "Status"],
          [404, "text/html", "<h1>Not Found</h1>", "Status"],
          [500, json, good, "Status"],
          [502, "text/html", "<h1>Bad Gateway</h1>", "Status"],
          [503, undefined, "", "Status"]
        ] as const
      ) {
        assert.strictEqual(why(body, { status, contentType }), expected, `${status} ${contentType} ${body}`)
      }
    })

    it("B067 B068 a refusal carries status, content type and length, for whoever has to find the cause", () => {
      const { error } = refusal("<h1>Bad Gateway</h1>", { status: 502, contentType: "text/html", retryAfter: 5_000 })
      assert.deepInclude(error, { status: 502, contentType: "text/html", contentLength: 20, retryAfter: 5_000 })
      assert.strictEqual(error.remedy, "retry")
    })

    it("B074 B071 an access token is there, and is text that a header can carry", () => {
      assert.strictEqual(why({ token_type: "Bearer" }), "MissingMember access_token")
      for (const access_token of ["", null, 5, true, [], {}, ["AT"], "a b", "é", "a\n"]) {
        assert.strictEqual(why({ ...base, access_token }), "InvalidMember access_token", JSON.stringify(access_token))
      }
    })

    it("S45 B075 B076 B077 B136 a token type is there, and is Bearer, whatever the environment says", () => {
      process.env["OAUTHLIB_STRICT_TOKEN_TYPE"] = ""
      assert.strictEqual(why({ access_token: "AT" }), "MissingMember token_type")
      delete process.env["OAUTHLIB_STRICT_TOKEN_TYPE"]
      for (const token_type of [null, 5, ["Bearer"], {}]) {
        assert.strictEqual(why({ ...base, token_type }), "InvalidMember token_type")
      }
      for (
        const token_type of ["mac", "dpop", "DPoP", "N_A", "", "Bearer ", " bearer", "Bearer,mac", "example", "ｂearer"]
      ) {
        assert.strictEqual(why({ ...base, token_type }), "UnsupportedTokenType", token_type)
      }
    })

    it("B070 a scope that is neither text nor a list of texts is refused", () => {
      for (const scope of [5, true, {}, ["a", 5], [["a"]]]) {
        assert.strictEqual(why({ ...base, scope }), "InvalidMember scope")
      }
    })

    it("S44 every byte at every place of a token is taken as it is, or refused unseen", () => {
      for (const member of ["access_token", "refresh_token"]) {
        for (let byte = 0; byte <= 0xff; byte++) {
          const char = String.fromCharCode(byte)
          for (const text of [char + canary, canary.slice(0, 13) + char + canary, canary + char]) {
            const result = decode({ ...base, [member]: text })
            if (byte > 0x20 && byte < 0x7f) {
              const read = Either.getOrThrow(result)
              const held = member === "access_token" ? read.accessToken : read.refreshToken
              assert.strictEqual(held && Redacted.value(held), text)
            } else {
              assert.strictEqual(why({ ...base, [member]: text }), `InvalidMember ${member}`, `byte ${byte}`)
              if (byte % 16 === 10) assertSecret(refusal({ ...base, [member]: text }))
              else assert.notInclude(String(refusal({ ...base, [member]: text }).error), canary)
            }
          }
        }
        assert.strictEqual(why({ ...base, [member]: "a".repeat(65_537) }), `InvalidMember ${member}`)
      }
    })

    it("S47 a repeated member is refused, and named where the standards know it", () => {
      for (
        const name of ["access_token", "token_type", "refresh_token", "expires_in", "scope", "id_token", "expires_at"]
      ) {
        const text = JSON.stringify({ ...base, [name]: "Bearer" })
        assert.strictEqual(why(`${text.slice(0, -1)},"${name}":"x"}`), `RepeatedMember ${name}`)
        // The same name, written otherwise.
        const escaped = `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`
        assert.strictEqual(why(`${text.slice(0, -1)} , "${escaped}" :"x"}`), `RepeatedMember ${name}`)
      }
      const other = `{"access_token":"AT","token_type":"Bearer","${canary}":1,"${canary}":2}`
      assert.strictEqual(why(other), "RepeatedMember")
      assertSecret(refusal(other))
      const twice = "{\"error\":\"invalid_grant\",\"error\":null,\"access_token\":\"AT\",\"token_type\":\"Bearer\"}"
      assert.strictEqual(why(twice), "RepeatedMember")
    })

    it("S47 what is repeated inside a member, or only looks like a member, is no repetition", () => {
      for (
        const more of [
          "\"a\":{\"access_token\":\"x\",\"access_token\":\"y\"}",
          "\"a\":[{\"a\":1,\"a\":2}]",
          "\"a\":\"access_token\",\"b\":\"\\\"access_token\\\":\"",
          "\"a\\\"\":\":\",\"a\":\"\\\\\""
        ]
      ) {
        assert.isTrue(Either.isRight(decode(`{"access_token":"AT","token_type":"Bearer",${more}}`)), more)
      }
    })

    it("S47 an answer of more than 32 levels is refused", () => {
      const nested = (depth: number) =>
        `{"access_token":"AT","token_type":"Bearer","a":${"[".repeat(depth)}${"]".repeat(depth)}}`
      assert.isTrue(Either.isRight(decode(nested(31))))
      assert.strictEqual(why(nested(32)), "TooDeep")
      assert.isTrue(Either.isRight(decode(`{"access_token":"AT","token_type":"Bearer","a":"${"[{".repeat(50)}"}`)))
    })

    it("B066 text that is no UTF-8 is refused", () => {
      for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
        const start = new TextEncoder().encode("{\"access_token\":\"AT\",\"token_type\":\"Bearer\",\"a\":\"")
        const end = new TextEncoder().encode("\"}")
        assert.strictEqual(why(Uint8Array.from([...start, ...bytes, ...end])), "Encoding")
      }
      assert.strictEqual(why(Uint8Array.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])), "Encoding")
    })

    it("R46 a refused answer gives up the refresh token that could be read in it", () => {
      for (
        const [body, over] of [
          [{ ...base, access_token: "a b", refresh_token: canary }, {}],
          [{ ...base, token_type: "mac", refresh_token: canary }, {}],
          [{ access_token: "AT", refresh_token: canary }, {}],
          [{ ...base, expires_in: "soon", refresh_token: canary }, {}],
          [{ ...base, scope: 5, refresh_token: canary }, {}],
          [{ ...base, refresh_token: canary }, { status: 500 }],
          [{ ...base, refresh_token: canary }, { contentType: "text/html" }],
          [`{"access_token":"AT","access_token":"x","token_type":"Bearer","refresh_token":"${canary}"}`, {}],
          [
            `{"access_token":"AT","token_type":"Bearer","refresh_token":"${canary}","a":${"[".repeat(40)}${
              "]".repeat(40)
            }}`,
            {}
          ]
        ] as const
      ) {
        const refused = refusal(body, over)
        assert.strictEqual(refused.refreshToken && Redacted.value(refused.refreshToken), canary)
        assertSecret(refused)
      }
      for (const refresh_token of ["", "a b", null, 5, undefined]) {
        assert.isUndefined(refusal({ token_type: "Bearer", refresh_token }).refreshToken)
      }
    })

    it("R46 a refresh token is read in spite of a byte elsewhere that is no UTF-8", () => {
      const refreshTokenOf = (refreshToken: string) =>
        TokenResponse.refreshTokenOf(reply(Uint8Array.from(
          `{"access_token":"AT","token_type":"Bearer","refresh_token":"${refreshToken}","user":"Jos\xe9"}`,
          (letter) => letter.charCodeAt(0)
        )))
      const found = refreshTokenOf(canary)
      assert.strictEqual(found && Redacted.value(found), canary)
      assert.isUndefined(refreshTokenOf("R\xe9"))
    })

    it("S76 no refusal shows anything of the body", () => {
      for (
        const body of [
          canary,
          `"${canary}"`,
          `{"${canary}":`,
          `{"access_token":"${canary} "}`,
          { ...base, access_token: { secret: canary } },
          { ...base, token_type: canary },
          { ...base, token_type: [canary] },
          { ...base, expires_in: canary },
          { ...base, scope: { secret: canary } },
          { ...base, refresh_token: [canary] },
          { ...base, id_token: { canary } },
          { [canary]: canary },
          [canary],
          `{"${canary}":1,"${canary}":2}`
        ]
      ) {
        for (const status of [200, 400, 500]) assertSecret(refusal(body, { status }).error)
      }
      assertSecret(refusal(new TextEncoder().encode(`${canary}\u00ff`)).error)
    })

    it("S32 a content type is shown as far as it is harmless", () => {
      const { error } = refusal("", { status: 502, contentType: `text/\u001b[31m"<b>\\${"x".repeat(500)}` })
      assert.isTrue(
        error._tag === "InvalidResponse" && /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,128}$/.test(error.contentType ?? "")
      )
    })
  })

  describe("error", () => {
    for (
      const [id, code, remedy] of [
        ["B085", "invalid_request", "operator"],
        ["B086", "invalid_client", "operator"],
        ["B087", "invalid_grant", "user"],
        ["B088", "unauthorized_client", "operator"],
        ["B089", "unsupported_grant_type", "operator"],
        ["B090", "invalid_scope", "operator"],
        ["B091", "access_denied", "user"],
        ["B092", "unsupported_response_type", "operator"],
        ["B093", "server_error", "retry"],
        ["B094", "temporarily_unavailable", "retry"],
        ["B095", "unsupported_token_type", "operator"],
        ["B096", "invalid_token", "operator"],
        ["B097", "insufficient_scope", "operator"],
        ["B098", "consent_required", "user"],
        ["B099", "login_required", "user"],
        ["B100", "authorization_pending", "retry"],
        ["B101", "slow_down", "retry"],
        ["B102", "expired_token", "user"],
        ["B103", "interaction_required", "user"],
        ["B103", "account_selection_required", "user"],
        ["B104", "bad_verification_code", "operator"],
        ["B104", "__proto__", "operator"],
        ["B104", "toString", "operator"]
      ] as const
    ) {
      it(`${id} ${code} is the server's own error, and ${remedy} can help`, () => {
        const error = errorOf({ error: code })
        assert.deepInclude(error, { _tag: "ErrorResponse", code, remedy, status: 400 })
      })
    }

    it("B081 B083 an error has description, uri and state as the server gave them, and none where it gave none", () => {
      assert.deepInclude(
        errorOf({ error: "e", error_description: "d", error_uri: "https://as.test/e", state: "s" }),
        { endpoint: "token", code: "e", description: "d", uri: "https://as.test/e", state: "s" }
      )
      const bare = errorOf({ error: "e", error_description: 5, error_uri: null })
      assert.deepStrictEqual([bare.description, bare.uri, bare.state], [undefined, undefined, undefined])
    })

    it("B082 an error has the status that came, and Retry-After", () => {
      for (const status of [400, 401, 403, 429, 500, 503]) {
        assert.deepInclude(errorOf({ error: "invalid_client" }, { status, retryAfter: 30_000 }), {
          status,
          retryAfter: 30_000
        })
      }
    })

    it("S43 B072 B078 B325 an error is one whatever the status, the content type and the access token beside it", () => {
      assert.strictEqual(why({ ...base, error: "invalid_grant" }), "ErrorResponse invalid_grant")
      assert.strictEqual(why({ ...base, error: "x" }, { contentType: "text/html" }), "ErrorResponse x")
      assert.strictEqual(why({ error: "x" }, { status: 500, contentType: undefined }), "ErrorResponse x")
      assert.strictEqual(why({ ...base, error: "" }, { status: 400 }), "Status")
    })

    it("B105 an error that is no text still gives a code", () => {
      for (
        const [error, code] of [
          [{ type: "OAuthException", message: "x", code: 190 }, "OAuthException"],
          [{ code: "expired", type: "T" }, "expired"],
          [{}, "unknown_error"],
          [[], "unknown_error"],
          [["invalid_grant"], "unknown_error"],
          [5, "5"],
          [true, "true"],
          [0, "0"],
          [false, "false"],
          ["\u0000\u001b", "unknown_error"],
          [{ code: { toString: 1 } }, "unknown_error"]
        ] as const
      ) {
        assert.strictEqual(errorOf({ error }).code, code, JSON.stringify(error))
      }
    })

    it("B106 B107 what a server calls by the name of a local error stays the server's", () => {
      for (
        const code of ["token_expired", "insecure_transport", "mismatching_state", "missing_code", "missing_token"]
      ) {
        assert.strictEqual(errorOf({ error: code })._tag, "ErrorResponse")
      }
    })

    it("S32 the texts of an error have the RFC's characters alone, of at most 1 KiB", () => {
      const text = `\u001b[31m<script>"\\\r\n\u202e\u0000é${"x".repeat(1_000_000)}`
      const error = errorOf({ error: text, error_description: text, error_uri: text, state: text })
      for (const shown of [error.code, error.description, error.uri, error.state]) {
        assert.match(shown ?? "", /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,1024}$/)
      }
    })

    it("S43 decodeError reads an error of any body, and says what is wrong of any other", () => {
      const decodeError = (body: unknown, over?: Partial<TokenResponse.Reply>) =>
        TokenResponse.decodeError(reply(body, { endpoint: "revocation", status: 400, ...over }))
      assert.deepInclude(decodeError({ error: "unsupported_token_type" }), {
        _tag: "ErrorResponse",
        endpoint: "revocation",
        code: "unsupported_token_type"
      })
      for (const body of ["", "<html>", "{}", "[]", "null", JSON.stringify(base), Uint8Array.of(0xff)]) {
        assert.deepInclude(decodeError(body, { status: 503 }), {
          _tag: "InvalidResponse",
          reason: "Status",
          status: 503
        })
      }
    })
  })

  describe("hostile answers", () => {
    it("S46 no member changes the prototype of what is read, or of anything else", () =>
      withoutPollution(() => {
        for (const name of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
          const read = token(`{"access_token":"AT","token_type":"Bearer","${name}":{"polluted":true,"scope":"evil"}}`)
          assert.strictEqual(Object.getPrototypeOf(read), Object.prototype)
          assert.notProperty(read, "polluted")
          assert.isFalse(Object.hasOwn(read, name))
          assert.deepStrictEqual(Token.member(read, name), { polluted: true, scope: "evil" })
          assert.strictEqual(Object.getPrototypeOf(TokenResponse.encode(read)), Object.prototype)
        }
        assert.strictEqual(
          why("{\"__proto__\":{\"access_token\":\"AT\",\"token_type\":\"Bearer\"}}"),
          "MissingMember access_token"
        )
        assert.strictEqual(why("{\"__proto__\":{\"error\":\"x\"}}", { status: 400 }), "Status")
        const error = errorOf("{\"error\":\"x\",\"__proto__\":{\"error_description\":\"y\"}}")
        assert.strictEqual(error.code, "x")
      }))

    it("R31 depth of 100,000, 100,000 members, and numbers of 100,000 digits take no time to speak of", () => {
      const deep = `{"access_token":"AT","token_type":"Bearer","a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`
      const deepObjects = `${"{\"a\":".repeat(100_000)}1${"}".repeat(100_000)}`
      const members = `{"access_token":"AT","token_type":"Bearer",${
        Array.from({ length: 100_000 }, (_, i) => `"${i.toString(36)}":1`).join(",")
      }}`
      const digits = `{"access_token":"AT","token_type":"Bearer","expires_in":${"9".repeat(100_000)}}`
      const strings = `{"access_token":"AT","token_type":"Bearer","a":"${"\\\"".repeat(100_000)}"}`
      const long = `{"access_token":"${"a".repeat(1_000_000)}","token_type":"Bearer"}`
      for (
        const text of [deep, deepObjects, members, digits, strings, long, "[".repeat(1_000_000), "\"".repeat(1_000_000)]
      ) {
        const sent = reply(text)
        const time = milliseconds(() => TokenResponse.decode(sent, { receivedAt, scope: undefined }))
        assert.isBelow(time, Math.max(50, 8 * milliseconds(() => parse(text))), text.slice(0, 60))
      }
      assert.strictEqual(why(deep), "TooDeep")
      assert.strictEqual(why(deepObjects), "TooDeep")
      assert.strictEqual(why(long), "InvalidMember access_token")
      assert.strictEqual(why(digits), "InvalidMember expires_in")
    })

    const name = FastCheck.oneof(
      {
        weight: 6,
        arbitrary: FastCheck.constantFrom(
          "access_token",
          "token_type",
          "refresh_token",
          "scope",
          "expires_in",
          "expires_at",
          "id_token"
        )
      },
      {
        weight: 1,
        arbitrary: FastCheck.constantFrom("error", "__proto__", "constructor", "prototype", "toString", "custom")
      },
      { weight: 1, arbitrary: hostileText }
    )
    const well = FastCheck.constantFrom(
      `"access_token":"${canary}-a"`,
      "\"token_type\":\"Bearer\"",
      `"refresh_token":"${canary}-r"`,
      "\"expires_in\":3600",
      "\"scope\":\"a b\"",
      `"id_token":"${canary}.i.d"`,
      `"custom":"${canary}-c"`
    )
    const ill = FastCheck.tuple(name, hostileJson).map(([name, value]) => `${JSON.stringify(name)}:${value}`)
    const spoilt = FastCheck.array(FastCheck.oneof({ weight: 3, arbitrary: well }, { weight: 1, arbitrary: ill }), {
      maxLength: 9
    })
    const whole = FastCheck.constant([
      `"access_token":"${canary}-a"`,
      "\"token_type\":\"Bearer\"",
      `"refresh_token":"${canary}-r"`
    ])
    const text = FastCheck.tuple(
      FastCheck.oneof({ weight: 3, arbitrary: whole }, { weight: 1, arbitrary: spoilt }),
      FastCheck.oneof(FastCheck.constant([]), FastCheck.array(ill, { maxLength: 2 }), spoilt),
      FastCheck.constantFrom(",", ",", ",", ",,", " , ")
    ).map(([a, b, comma]) => `{${[...a, ...b].join(comma)}}`)
    const hostileReply = FastCheck.record({
      body: spoiltBytes(FastCheck.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: hostileJson })),
      status: FastCheck.constantFrom(200, 200, 200, 200, 200, 201, 400, 401, 429, 500, 503),
      contentType: FastCheck.constantFrom(
        "application/json",
        "application/json",
        "application/json",
        "text/html",
        undefined
      )
    })

    it("R31 S44 S46 S76 whatever a server answers, it is a token that can be stored, or a typed refusal without secrets", () => {
      let tokens = 0
      withoutPollution(() =>
        FastCheck.assert(
          FastCheck.property(hostileReply, ({ body, contentType, status }) => {
            const result = decode(body, { status, contentType })
            if (Either.isLeft(result)) {
              const { error, refreshToken } = result.left
              assert.isTrue(error instanceof OAuth2Error.InvalidResponse || error instanceof OAuth2Error.ErrorResponse)
              if (refreshToken !== undefined) assert.isTrue(Token.isTokenText(Redacted.value(refreshToken)))
              // The texts of an error are the server's own: what it writes there is for everybody.
              if (error._tag === "InvalidResponse") {
                assert.notInclude(`${error.message}${JSON.stringify(error)}`, canary)
              }
              return
            }
            tokens++
            const read = result.right
            assert.strictEqual(Object.getPrototypeOf(read), Object.prototype)
            assert.isTrue(Token.isTokenText(Redacted.value(read.accessToken)))
            assert.strictEqual(read.tokenType.toLowerCase(), "bearer")
            assert.notInclude(JSON.stringify(read), canary)
            const stored: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(Token.Token)(read)))
            const restored = Either.getOrThrow(Schema.decodeUnknownEither(Token.Token)(stored))
            assert.strictEqual(Redacted.value(restored.accessToken), Redacted.value(read.accessToken))
            assert.strictEqual(restored.expiresAt, read.expiresAt)
          }),
          runs(3_000)
        )
      )
      assert.isAbove(tokens, 100, "the generator makes too few tokens to prove anything")
    })

    it("S76 a sample of the refusals, by every rendering", () => {
      for (const { body, contentType, status } of FastCheck.sample(hostileReply, runs(60))) {
        const result = decode(body, { status, contentType })
        if (Either.isLeft(result) && result.left.error._tag === "InvalidResponse") {
          assert.deepStrictEqual(leaks(result.left, [canary]), [])
        }
        if (Either.isRight(result)) assert.deepStrictEqual(leaks(result.right, [canary]), [])
      }
    })
  })
})
