import {
  ComplianceHooks,
  Custody,
  Grant,
  OAuth2Client,
  ProviderProfile,
  Token,
  TokenEndpoint
} from "@effect-oauth2/core"
import * as LegacyFormResponse from "@effect-oauth2/core/LegacyFormResponse"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck, Layer, Redacted, Schema } from "effect"
import { publicClient } from "./fixtures.js"
import { canary, runs } from "./fuzz.js"
import { leaks } from "./secrecy.js"
import { recorder } from "./spans.js"
import { fakeFetch, form, tokenReply } from "./transports.js"

type Profile = ProviderProfile.ProviderProfile

/** A client with the profile, over a server that answers so. */
const over = <A, E>(
  profile: Profile,
  answer: () => Response,
  program: (client: OAuth2Client.OAuth2ClientService) => Effect.Effect<A, E>,
  options: Partial<OAuth2Client.Options> & { readonly legacy?: ReadonlyArray<ProviderProfile.ReplyDecoder> } = {}
) => {
  const { legacy, ...client } = options
  const { calls, layer } = fakeFetch(answer)
  const trace = recorder()
  return Effect.map(
    Effect.flatMap(OAuth2Client.OAuth2Client, program).pipe(
      Effect.provide(
        OAuth2Client.layer({ ...publicClient, ...client }).pipe(
          Layer.provide(ComplianceHooks.layer(ProviderProfile.toHooks(profile, { legacy }))),
          Layer.provide(Custody.layerMemory),
          Layer.provide(layer)
        )
      ),
      Effect.provide(trace.layer)
    ),
    (result) => ({
      result,
      calls,
      leniencies: trace.named("oauth2.token_request").map(({ attributes }) => attributes.get("oauth2.leniencies"))
    })
  )
}

const credentials = Grant.clientCredentials({ scope: "a b" })

/** The token that a reply is read as. */
const read = (
  profile: Profile,
  answer: () => Response,
  legacy: ReadonlyArray<ProviderProfile.ReplyDecoder> = []
) => over(profile, answer, (client) => client.requestToken(credentials), { legacy })

const refused = (
  profile: Profile,
  answer: () => Response,
  legacy: ReadonlyArray<ProviderProfile.ReplyDecoder> = []
) => over(profile, answer, (client) => Effect.flip(client.requestToken(credentials)), { legacy })

const json = (members: unknown, init: ResponseInit = {}) => () => Response.json(members, init)

const text = (body: string, contentType: string, status = 200) => () =>
  new Response(body, { status, headers: { "content-type": contentType } })

const renewed = (client: OAuth2Client.OAuth2ClientService) =>
  Effect.gen(function*() {
    const session = yield* client.restore({
      accessToken: Redacted.make("old"),
      tokenType: "Bearer",
      issuedAt: -2_000_000,
      expiresAt: -1_000_000,
      refreshToken: Redacted.make("RT")
    })
    return yield* session.token
  })

const full: Profile = {
  authorizationParameters: { access_type: "offline", prompt: ["login", "consent"] },
  tokenParameters: { audience: "api" },
  refreshParameters: { audience: "again" },
  parameterNames: { client_id: "client_key" },
  scopeSeparator: ",",
  scopeSeparators: [","],
  headers: { "X-Version": "2" },
  bodyFormat: "json",
  mediaTypes: ["text/html"],
  memberCase: "camelCase",
  members: { access_token: ["data", "access_token"] },
  error: [["errors", 0, "code"]],
  errorCodes: { "1004": "invalid_grant" },
  tokenType: "Bearer",
  defaultTokenType: "Bearer",
  tokenTypeAliases: ["user"],
  expiryUnit: "minutes",
  defaultLifetime: 60,
  lifetimeOfZero: 3600
}

describe("ProviderProfile", () => {
  describe("as data", () => {
    it("comes from JSON and goes there, unchanged", () => {
      const decoded = Schema.decodeUnknownSync(ProviderProfile.ProviderProfile)(JSON.parse(JSON.stringify(full)))
      assert.deepStrictEqual(decoded, full)
      assert.deepStrictEqual(Schema.encodeSync(ProviderProfile.ProviderProfile)(decoded), full)
    })

    it("an empty one is a profile", () => {
      assert.deepStrictEqual(Schema.decodeUnknownSync(ProviderProfile.ProviderProfile)({}), {})
    })

    for (
      const [what, profile] of [
        ["an empty path", { members: { access_token: [] } }],
        ["a negative lifetime", { defaultLifetime: -1 }],
        ["an error code that is renamed to nothing", { errorCodes: { a: "" } }],
        ["a unit that nobody knows", { expiryUnit: "fortnights" }],
        ["a body format that nobody knows", { bodyFormat: "xml" }]
      ] as const
    ) {
      it(`${what} is no profile`, () => {
        assert.isTrue(Either.isLeft(Schema.decodeUnknownEither(ProviderProfile.ProviderProfile)(profile)))
      })
    }

    it.effect("an empty profile changes nothing, and reports nothing", () =>
      Effect.gen(function*() {
        const { calls, leniencies, result } = yield* read({}, () => tokenReply({ scope: "a,b" }))
        assert.deepStrictEqual(result.scope, ["a,b"])
        assert.deepStrictEqual(form(calls[0]), { grant_type: "client_credentials", scope: "a b", client_id: "app" })
        assert.deepStrictEqual(leniencies, [undefined])
      }))
  })

  describe("in requests", () => {
    it.effect("B400 parameters and headers reach token and refresh requests alike, and the span names the rules", () =>
      Effect.gen(function*() {
        const profile: Profile = { tokenParameters: { audience: ["x", "y"] }, headers: { "X-Client-Secret": "public" } }
        for (
          const program of [renewed, (client: OAuth2Client.OAuth2ClientService) => client.requestToken(credentials)]
        ) {
          const { calls, leniencies } = yield* over<unknown, unknown>(profile, tokenReply, program)
          assert.deepStrictEqual(new URLSearchParams(calls[0]?.body).getAll("audience"), ["x", "y"])
          assert.strictEqual(calls[0]?.headers["x-client-secret"], "public")
          assert.sameMembers(leniencies[0] as Array<string>, [
            "headers",
            program === renewed ? "refreshParameters" : "tokenParameters"
          ])
        }
      }))

    it.effect("B378 a refresh has parameters of its own", () =>
      Effect.gen(function*() {
        const profile: Profile = { tokenParameters: { audience: "x" }, refreshParameters: { renew: "1" } }
        const { calls } = yield* over(profile, tokenReply, renewed)
        assert.deepStrictEqual(form(calls[0]), {
          grant_type: "refresh_token",
          refresh_token: "RT",
          client_id: "app",
          renew: "1"
        })
      }))

    it.effect("a parameter that the program sets wins over the profile's", () =>
      Effect.gen(function*() {
        const { calls, leniencies } = yield* over(
          { tokenParameters: { audience: "profile" } },
          tokenReply,
          (client) => client.requestToken(credentials),
          { tokenParameters: { audience: "program" } }
        )
        assert.strictEqual(form(calls[0])["audience"], "program")
        assert.deepStrictEqual(leniencies, [undefined])
      }))

    it.effect("B345 B378 a request as JSON, with other names and another separator, for tokens and refreshes", () =>
      Effect.gen(function*() {
        const profile: Profile = {
          bodyFormat: "json",
          parameterNames: { client_id: "client_key" },
          scopeSeparator: ","
        }
        const { calls, leniencies } = yield* read(profile, tokenReply)
        assert.strictEqual(calls[0]?.headers["content-type"], "application/json")
        assert.deepStrictEqual(JSON.parse(calls[0]?.body ?? ""), {
          grant_type: "client_credentials",
          scope: "a,b",
          client_key: "app"
        })
        assert.deepStrictEqual(leniencies, [["scopeSeparator", "parameterNames", "bodyFormat"]])
        const refresh = yield* over(profile, tokenReply, renewed)
        assert.deepStrictEqual(JSON.parse(refresh.calls[0]?.body ?? ""), {
          grant_type: "refresh_token",
          refresh_token: "RT",
          client_key: "app"
        })
      }))

    it.effect("an authorization request has its parameters, names and separator, and keeps all else", () =>
      Effect.gen(function*() {
        const { result } = yield* over(
          {
            authorizationParameters: { access_type: "offline", prompt: ["login", "consent"] },
            parameterNames: { client_id: "client_key" },
            scopeSeparator: ","
          },
          tokenReply,
          (client) => client.begin({ scope: "a b" })
        )
        const query = result.url.searchParams
        assert.deepStrictEqual(query.getAll("prompt"), ["login", "consent"])
        assert.strictEqual(query.get("access_type"), "offline")
        assert.strictEqual(query.get("client_key"), "app")
        assert.isFalse(query.has("client_id"))
        assert.strictEqual(query.get("scope"), "a,b")
        assert.strictEqual(query.get("state"), result.pending.state)
        assert.strictEqual(query.get("code_challenge_method"), "S256")
      }))

    for (const name of ["client_secret", "code", "redirect_uri", "token"]) {
      it.effect(`S18 a profile cannot add ${name}, and nothing is sent`, () =>
        Effect.gen(function*() {
          const { calls, result } = yield* refused({ tokenParameters: { [name]: "x" } }, tokenReply)
          assert.strictEqual(result._tag, "InputError")
          assert.deepStrictEqual(calls, [])
        }))
    }

    it.effect("S36 a profile's header does not replace the client's credentials", () =>
      Effect.gen(function*() {
        const hooks = ProviderProfile.toHooks({ headers: { Authorization: "other", accept: "text/html" } })
        const draft = yield* hooks.accessTokenRequest!({
          url: new URL("https://as.test/token"),
          headers: { authorization: "Basic x" },
          parameters: [],
          encoding: () => assert.fail("is not sent")
        })
        assert.deepStrictEqual(draft.headers, { authorization: "Basic x", accept: "text/html" })
      }))
  })

  describe("in replies", () => {
    it.effect("members are read where the server puts them, and the span names the rules without a value", () =>
      Effect.gen(function*() {
        const { leniencies, result } = yield* read(
          {
            members: {
              access_token: ["data", 0, "secret"],
              refresh_token: ["data", 0, "again"],
              tenant: ["team", "id"]
            },
            defaultTokenType: "Bearer",
            scopeSeparators: [",", "|"],
            expiryUnit: "minutes"
          },
          json({ data: [{ secret: canary, again: "RT2" }], team: { id: "T1" }, scope: "a,b|c", expires_in: "2" })
        )
        assert.strictEqual(Redacted.value(result.accessToken), canary)
        assert.strictEqual(Redacted.value(result.refreshToken!), "RT2")
        assert.strictEqual(Token.member(result, "tenant"), "T1")
        assert.deepStrictEqual(result.scope, ["a", "b", "c"])
        assert.strictEqual(result.expiresAt! - result.issuedAt, 120_000)
        assert.deepStrictEqual(leniencies, [["members", "defaultTokenType", "expiryUnit", "scopeSeparators"]])
      }))

    it.effect("a rule that the reply does not need is not reported", () =>
      Effect.gen(function*() {
        const { leniencies } = yield* read(
          { defaultTokenType: "Bearer", defaultLifetime: 60, tokenTypeAliases: ["user"], error: [["errors", 0]] },
          tokenReply
        )
        assert.deepStrictEqual(leniencies, [undefined])
      }))

    it.effect("a request and its reply share one report", () =>
      Effect.gen(function*() {
        const { leniencies } = yield* read(
          { tokenParameters: { a: "1" }, defaultLifetime: 60 },
          () => tokenReply({ expires_in: undefined })
        )
        assert.deepStrictEqual(leniencies, [["tokenParameters", "defaultLifetime"]])
      }))

    for (
      const [unit, life, millis] of [
        ["milliseconds", 90_000, 90_000],
        ["seconds", 90, 90_000],
        ["hours", 1, 3_600_000],
        ["days", 2, 172_800_000]
      ] as const
    ) {
      it.effect(`${life} ${unit} are ${millis} milliseconds`, () =>
        Effect.gen(function*() {
          const { result } = yield* read({ expiryUnit: unit }, () => tokenReply({ expires_in: life }))
          assert.strictEqual(result.expiresAt! - result.issuedAt, millis)
        }))
    }

    for (const given of [{ expires_at: 5 }, { expires_in: 7 }]) {
      it.effect(`the documented life gives way to ${JSON.stringify(given)}`, () =>
        Effect.gen(function*() {
          const { leniencies } = yield* read(
            { defaultLifetime: 60 },
            json({ access_token: "AT", token_type: "Bearer", ...given })
          )
          assert.deepStrictEqual(leniencies, [undefined])
        }))
    }

    it.effect("JSON under another type is read where the profile names that type, and not otherwise", () =>
      Effect.gen(function*() {
        const body = JSON.stringify({ access_token: "AT", token_type: "Bearer" })
        const named = yield* read({ mediaTypes: ["text/html"] }, text(body, "Text/HTML; charset=utf-8"))
        assert.strictEqual(Redacted.value(named.result.accessToken), "AT")
        assert.deepStrictEqual(named.leniencies, [["mediaTypes"]])
        const other = yield* refused({ mediaTypes: ["text/html"] }, text(body, "text/plain"))
        assert.include(other.result, { _tag: "InvalidResponse", reason: "ContentType" })
      }))

    it.effect("B064 JSON is read before form text, whatever the media type says, and form text only where asked for", () =>
      Effect.gen(function*() {
        const profile: Profile = { mediaTypes: ["text/plain"] }
        const asJson = yield* read(profile, text(`{"access_token":"AT","token_type":"bearer"}`, "text/plain"), [
          LegacyFormResponse.decoder
        ])
        assert.deepStrictEqual(asJson.leniencies, [["mediaTypes"]])
        const asForm = text("access_token=AT&token_type=bearer", "text/plain")
        const { leniencies } = yield* read(profile, asForm, [LegacyFormResponse.decoder])
        assert.deepStrictEqual(leniencies, [["formResponse", "mediaTypes"]])
        assert.include((yield* refused(profile, asForm)).result, { _tag: "InvalidResponse" })
      }))

    it.effect("B065 in form text the last of a repeated member counts, blank ones are absent, a plus is a space", () =>
      Effect.gen(function*() {
        const { result } = yield* read(
          { mediaTypes: ["text/plain"] },
          text(
            "access_token=a&access_token=b&token_type=bearer&refresh_token=&expires_in=&scope=x+y z\n",
            "text/plain"
          ),
          [LegacyFormResponse.decoder]
        )
        assert.strictEqual(Redacted.value(result.accessToken), "b")
        assert.isUndefined(result.refreshToken)
        assert.isUndefined(result.expiresAt)
        assert.deepStrictEqual(result.scope, ["x", "y", "z"])
      }))

    for (const tail of ["[", "{", "\"", "|", "^", "`", "<", "#", "é", "%R", "%RA", "%zz", "%", "a%2", "\u0000"]) {
      it.effect(`B016 form text with ${JSON.stringify(tail)} is refused without showing it`, () =>
        Effect.gen(function*() {
          const { result } = yield* refused(
            { mediaTypes: ["text/plain"] },
            text(`access_token=${canary}${tail}&token_type=bearer`, "text/plain"),
            [LegacyFormResponse.decoder]
          )
          assert.strictEqual(result._tag, "InvalidResponse")
          assert.deepStrictEqual(leaks(result, [canary]), [])
        }))
    }

    it.effect("a refresh token in a place of the server's own outlives a reply that is refused", () =>
      Effect.gen(function*() {
        const { result } = yield* over(
          { members: { refresh_token: ["data", "refresh_token"], access_token: ["data", "access_token"] } },
          json({ data: { access_token: "no token", refresh_token: "RT2" }, token_type: "Bearer" }),
          ({ registration }) => Effect.flip(TokenEndpoint.exchange(registration, credentials))
        )
        assert.include(result.error, { _tag: "InvalidResponse", member: "access_token" })
        assert.strictEqual(Redacted.value(result.refreshToken!), "RT2")
      }))
  })

  describe("and errors", () => {
    const lenient: Profile = {
      ...full,
      mediaTypes: ["text/html", "application/json", "text/plain"],
      members: { ...full.members, error: ["nothing"], token_type: ["data", "type"] }
    }

    for (
      const members of [
        { error: "invalid_grant" },
        { error: { code: "invalid_grant" } },
        { error: ["invalid_grant"] },
        { error: true },
        { Error: "invalid_grant" },
        { errors: [{ code: "invalid_grant" }] },
        { errors: [{ code: { deep: 1 } }] },
        { errors: [{ code: 1004 }] },
        { error: "invalid_grant", errors: [] },
        { error: "invalid_grant", errors: [{ code: "" }] }
      ]
    ) {
      for (const contentType of ["application/json", "text/html", "text/xml"]) {
        it.effect(`S43 a token beside ${JSON.stringify(members)} as ${contentType} is no success`, () =>
          Effect.gen(function*() {
            const token = { access_token: "AT", token_type: "Bearer", data: { access_token: "AT" } }
            const { result } = yield* refused(lenient, text(JSON.stringify({ ...token, ...members }), contentType))
            assert.strictEqual(result._tag, "ErrorResponse")
          }))
      }
    }

    it.effect("the server's own code gets the standard's name, and its text is read", () =>
      Effect.gen(function*() {
        const { leniencies, result } = yield* refused(
          {
            error: [["status", "code"]],
            errorCodes: { "1004": "invalid_grant" },
            members: { error_description: ["status", "text"] }
          },
          json({ status: { code: 1004, text: "The code has been used" } }, { status: 400 })
        )
        assert.include(result, { _tag: "ErrorResponse", code: "invalid_grant", description: "The code has been used" })
        assert.deepStrictEqual(leniencies, [["members", "error", "errorCodes"]])
      }))

    for (const nothing of [0, "0", "", null, false]) {
      it.effect(`a place of the server's own that holds ${JSON.stringify(nothing)} tells of no error`, () =>
        Effect.gen(function*() {
          const { result } = yield* read({ error: [["errcode"]] }, () => tokenReply({ errcode: nothing }))
          assert.strictEqual(Redacted.value(result.accessToken), "AT")
        }))
    }
  })

  describe("with hostile replies", () => {
    it.effect("S47 repeated members and deep ones are refused as without a profile", () =>
      Effect.gen(function*() {
        const profile: Profile = { members: { access_token: ["token"] }, tokenType: "Bearer" }
        const twice = yield* refused(profile, text(`{"token":"a","token":"b"}`, "application/json"))
        assert.include(twice.result, { _tag: "InvalidResponse", reason: "RepeatedMember" })
        const nested = "[".repeat(40) + "]".repeat(40)
        const deep = yield* refused(profile, text(`{"token":"a","x":${nested}}`, "application/json"))
        assert.include(deep.result, { _tag: "InvalidResponse", reason: "TooDeep" })
      }))

    it.effect("S46 a member called __proto__ is no more than that", () =>
      Effect.gen(function*() {
        const { result } = yield* read(
          { members: { access_token: ["__proto__", "access_token"], tenant: ["constructor", "name"] } },
          text(`{"__proto__":{"access_token":"AT","polluted":1},"token_type":"Bearer"}`, "application/json")
        )
        assert.strictEqual(Redacted.value(result.accessToken), "AT")
        assert.isUndefined(Token.member(result, "tenant"))
        assert.isUndefined((result as { polluted?: unknown }).polluted)
        assert.isUndefined(({} as { polluted?: unknown }).polluted)
      }))

    it.effect("a long name in camel case is read in no time", () =>
      Effect.gen(function*() {
        const { result } = yield* read(
          { memberCase: "camelCase" },
          () => tokenReply({ ["A".repeat(100_000)]: 1, ["aB".repeat(50_000)]: 1 })
        )
        assert.strictEqual(Redacted.value(result.accessToken), "AT")
      }))

    it.effect("no body makes a rule throw: there is a token, or a typed error", () =>
      Effect.gen(function*() {
        const value = FastCheck.oneof(
          FastCheck.jsonValue(),
          FastCheck.string(),
          FastCheck.constantFrom(0, 1e308, -1, "Bearer", "user", [], {}, [null], [[]], "a,b")
        )
        const name = FastCheck.constantFrom(
          ...[
            "access_token",
            "accessToken",
            "token_type",
            "expires_in",
            "expiresIn",
            "scope",
            "data",
            "errors",
            "error"
          ],
          ...["Error", "expires_at", "__proto__", "constructor", "refresh_token", "refreshToken"]
        )
        const body = FastCheck.oneof(
          FastCheck.array(FastCheck.tuple(name, value), { maxLength: 6 }).map((entries) =>
            JSON.stringify(Object.fromEntries(entries))
          ),
          FastCheck.webQueryParameters(),
          FastCheck.string()
        )
        const cases = FastCheck.sample(
          FastCheck.tuple(
            body,
            FastCheck.constantFrom("application/json", "text/html", "text/plain"),
            FastCheck.boolean()
          ),
          runs(200)
        )
        for (const [body, contentType, isOk] of cases) {
          const { result } = yield* over(
            { ...full, mediaTypes: ["application/json", "text/html"], bodyFormat: "form" },
            text(body, contentType, isOk ? 200 : 400),
            (client) => Effect.either(client.requestToken(credentials)),
            { legacy: [LegacyFormResponse.decoder] }
          )
          if (Either.isRight(result)) assert.isTrue(isOk)
          else assert.include(["InvalidResponse", "ErrorResponse"], result.left._tag)
        }
      }))
  })
})
