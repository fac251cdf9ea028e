import {
  ComplianceHooks,
  Custody,
  Grant,
  OAuth2Client,
  OAuth2HttpClient,
  OAuth2Session,
  Profiles,
  ProviderProfile,
  Token
} from "@effect-oauth2/core"
import * as LegacyProfiles from "@effect-oauth2/core/LegacyProfiles"
import { HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { publicClient } from "./fixtures.js"
import { fakeFetch } from "./transports.js"

const hooksOf = {
  fitbit: ProviderProfile.toHooks(Profiles.fitbit),
  mailchimp: ProviderProfile.toHooks(Profiles.mailchimp),
  plentymarkets: ProviderProfile.toHooks(Profiles.plentymarkets),
  ebay: ProviderProfile.toHooks(Profiles.ebay),
  facebook: LegacyProfiles.facebook.hooks,
  weibo: LegacyProfiles.weibo.hooks,
  douban: LegacyProfiles.douban.hooks
}

interface Answer {
  readonly body: string
  readonly contentType?: string
  readonly status?: number
}

const json = (members: unknown): Answer => ({ body: JSON.stringify(members) })

const asResponse = ({ body, contentType = "application/json", status = 200 }: Answer) =>
  new Response(body, { status, headers: { "content-type": contentType } })

/** A client of the provider that exchanges a grant, or a refresh token, for the answer. */
const request = (provider: keyof typeof hooksOf, answer: Answer, grant: Grant.Grant = Grant.clientCredentials()) =>
  Effect.flatMap(OAuth2Client.OAuth2Client, (client) => client.requestToken(grant)).pipe(
    Effect.provide(
      OAuth2Client.layer(publicClient).pipe(
        Layer.provide(ComplianceHooks.layer(hooksOf[provider])),
        Layer.provide(Custody.layerMemory),
        Layer.provide(fakeFetch(() => asResponse(answer)).layer)
      )
    )
  )

const refresh = Grant.refreshToken({ refreshToken: Redacted.make("RT") })

const plain = (token: Token.Token) => ({
  accessToken: Redacted.value(token.accessToken),
  tokenType: token.tokenType,
  life: token.expiresAt === undefined ? undefined : (token.expiresAt - token.issuedAt) / 1000
})

/** What a request to the API becomes under the provider's placement. */
const sent = (
  provider: {
    readonly hooks: ComplianceHooks.ComplianceHooks
    readonly placement?: OAuth2HttpClient.Options["placement"]
  },
  request: HttpClientRequest.HttpClientRequest
) =>
  Effect.gen(function*() {
    const { calls, layer } = fakeFetch(() => Response.json({}))
    yield* Effect.gen(function*() {
      const client = yield* OAuth2Client.OAuth2Client
      const session = yield* client.restore({ accessToken: Redacted.make("AT"), tokenType: "Bearer", issuedAt: 0 })
      const http = yield* OAuth2HttpClient.OAuth2HttpClient
      yield* Effect.provideService(http.execute(request), OAuth2Session.CurrentSession, session)
    }).pipe(Effect.provide(
      OAuth2Client.layerHttpClient({ origins: ["https://api.test"], placement: provider.placement }).pipe(
        Layer.provideMerge(OAuth2Client.layer(publicClient)),
        Layer.provide(ComplianceHooks.layer(provider.hooks)),
        Layer.provide(Custody.layerMemory),
        Layer.provide(layer)
      )
    ))
    assert.lengthOf(calls, 1)
    const { body, headers, url } = calls[0]!
    const { search } = new URL(url)
    return { search, body, authorization: headers["authorization"], contentType: headers["content-type"] }
  })

const url = "https://api.test/method"
const get = HttpClientRequest.get
const post = HttpClientRequest.post

describe("the profiles", () => {
  it("B387 are these nine", () => {
    assert.sameMembers([...Object.keys(Profiles), ...Object.keys(LegacyProfiles)], [
      "douban",
      "ebay",
      "facebook",
      "fitbit",
      "instagram",
      "mailchimp",
      "plentymarkets",
      "slack",
      "weibo"
    ])
  })

  describe("facebook", () => {
    for (
      const [body, life] of [
        ["access_token=urlencoded", undefined],
        ["access_token=urlencoded&expires=100", 100],
        ["access_token=urlencoded&token_type=other&expires=100", 100]
      ] as const
    ) {
      it.effect(`B388 form text is read: ${body}`, () =>
        Effect.gen(function*() {
          const token = yield* request("facebook", { body, contentType: "text/plain; charset=UTF-8" })
          assert.deepStrictEqual(plain(token), { accessToken: "urlencoded", tokenType: "Bearer", life })
          assert.strictEqual(Token.member(token, "expires"), life === undefined ? undefined : String(life))
        }))
    }

    it.effect("B388 the JSON of today is left as it is", () =>
      Effect.gen(function*() {
        const token = yield* request("facebook", json({ access_token: "AT", token_type: "bearer", expires_in: 5 }))
        assert.deepStrictEqual(plain(token), { accessToken: "AT", tokenType: "bearer", life: 5 })
        const error = yield* Effect.flip(request("facebook", json({ access_token: "AT", expires: 5 })))
        assert.include(error, { _tag: "InvalidResponse", member: "token_type" })
      }))

    for (
      const answer of [
        { body: "access_token=AT", contentType: "text/plain", status: 400 },
        { body: "access_token=AT", contentType: "text/html" },
        { body: "access_token=AT", contentType: "application/x-www-form-urlencoded" },
        { body: "", contentType: "text/plain" }
      ]
    ) {
      it.effect(`B388 is no token: ${JSON.stringify(answer)}`, () =>
        Effect.gen(function*() {
          assert.strictEqual((yield* Effect.flip(request("facebook", answer)))._tag, "InvalidResponse")
        }))
    }

    it.effect("B388 its errors are errors, as JSON and as form text", () =>
      Effect.gen(function*() {
        const answer = { error: { message: "Error validating verification code.", type: "OAuthException", code: 100 } }
        assert.include(yield* Effect.flip(request("facebook", { ...json(answer), status: 400 })), {
          _tag: "ErrorResponse",
          code: "OAuthException"
        })
        const body = "access_token=AT&error=access_denied"
        assert.include(yield* Effect.flip(request("facebook", { body, contentType: "text/plain" })), {
          _tag: "ErrorResponse",
          code: "access_denied"
        })
      }))

    it.effect("B389 a blank lifetime is unknown", () =>
      Effect.gen(function*() {
        const token = yield* request("facebook", { body: "access_token=AT&expires=", contentType: "text/plain" })
        assert.isUndefined(token.expiresAt)
      }))
  })

  describe("fitbit", () => {
    for (const grant of [Grant.clientCredentials(), refresh]) {
      for (const code of ["invalid_grant", "expired_token"]) {
        it.effect(`B390 ${code} in a list, as the answer to ${grant.grantType}, is that error`, () =>
          Effect.gen(function*() {
            const errors = [{ errorType: code, message: "Refresh token invalid: RT" }, { errorType: "other" }]
            const error = yield* Effect.flip(
              request("fitbit", { ...json({ errors, success: false }), status: 400 }, grant)
            )
            assert.include(error, { _tag: "ErrorResponse", code })
            if (grant === refresh) assert.notInclude(JSON.stringify(error), "RT")
          }))
      }
    }

    it.effect("B390 an answer without errors is a token", () =>
      Effect.gen(function*() {
        const token = yield* request("fitbit", json({ access_token: "fitbit", token_type: "Bearer", errors: [] }))
        assert.strictEqual(Redacted.value(token.accessToken), "fitbit")
      }))

    for (
      const [errors, tag] of [
        [[], "InvalidResponse"],
        ["text", "InvalidResponse"],
        [null, "InvalidResponse"],
        [[null], "InvalidResponse"],
        [{ errorType: "x" }, "InvalidResponse"],
        [[{}], "ErrorResponse"],
        [["invalid_grant"], "ErrorResponse"],
        [[{ errorType: { a: 1 } }], "ErrorResponse"]
      ] as const
    ) {
      it.effect(`B390 a list of ${JSON.stringify(errors)} breaks nothing`, () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(request("fitbit", { ...json({ errors }), status: 400 }))
          assert.strictEqual(error._tag, tag)
        }))
    }

    it.effect("B390 an answer that is no JSON is a typed error", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(request("fitbit", { body: "<html>", contentType: "text/html", status: 502 }))
        assert.strictEqual(error._tag, "InvalidResponse")
      }))
  })

  describe("mailchimp", () => {
    it.effect("B391 a lifetime of 0 is an hour, and a scope of null none", () =>
      Effect.gen(function*() {
        const token = yield* request(
          "mailchimp",
          json({
            access_token: "mailchimp",
            token_type: "bearer",
            expires_in: 0,
            scope: null
          })
        )
        assert.deepStrictEqual(plain(token), { accessToken: "mailchimp", tokenType: "bearer", life: 3600 })
        assert.isUndefined(token.scope)
      }))

    it.effect("B391 any other lifetime stays, the text 0 included", () =>
      Effect.gen(function*() {
        for (const [expires_in, life] of [["0", 0], [7, 7], [undefined, undefined]] as const) {
          const token = yield* request("mailchimp", json({ access_token: "AT", token_type: "bearer", expires_in }))
          assert.strictEqual(plain(token).life, life)
        }
      }))
  })

  describe("weibo", () => {
    for (const token_type of [undefined, "mac", "Bearer"]) {
      it.effect(`B392 the type ${String(token_type)} counts as Bearer`, () =>
        Effect.gen(function*() {
          const token = yield* request("weibo", json({ access_token: "weibo", token_type, expires_in: 1234, uid: "1" }))
          assert.deepStrictEqual(plain(token), { accessToken: "weibo", tokenType: "Bearer", life: 1234 })
        }))
    }

    it.effect("B392 the token goes into the query, and into no header", () =>
      Effect.gen(function*() {
        const { authorization, search } = yield* sent(LegacyProfiles.weibo, get(url))
        assert.strictEqual(search, "?access_token=AT")
        assert.isUndefined(authorization)
      }))
  })

  describe("douban", () => {
    it.effect("B393 a missing type counts as Bearer, another is refused", () =>
      Effect.gen(function*() {
        const token = yield* request("douban", json({ access_token: "AT", expires_in: 3920, douban_user_id: "1" }))
        assert.deepStrictEqual(plain(token), { accessToken: "AT", tokenType: "Bearer", life: 3920 })
        const error = yield* Effect.flip(request("douban", json({ access_token: "AT", token_type: "mac" })))
        assert.include(error, { _tag: "InvalidResponse", reason: "UnsupportedTokenType" })
      }))

    it.effect("B393 the token goes into the query", () =>
      Effect.gen(function*() {
        const { authorization, search } = yield* sent(LegacyProfiles.douban, get(`${url}?a=b`))
        assert.strictEqual(search, "?a=b&access_token=AT")
        assert.isUndefined(authorization)
      }))
  })

  describe("ebay", () => {
    for (const grant of [Grant.clientCredentials(), refresh]) {
      for (const name of ["Application Access Token", "User Access Token"]) {
        it.effect(`B394 ${name} is Bearer, in the answer to ${grant.grantType}`, () =>
          Effect.gen(function*() {
            const token = yield* request(
              "ebay",
              json({ access_token: "AT", expires_in: 7200, token_type: name }),
              grant
            )
            assert.deepStrictEqual(plain(token), { accessToken: "AT", tokenType: "Bearer", life: 7200 })
          }))
      }
    }

    for (const token_type of ["application access token", "Refresh Token", "mac", ["User Access Token"]]) {
      it.effect(`B394 ${JSON.stringify(token_type)} is not Bearer`, () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(request("ebay", json({ access_token: "AT", token_type })))
          assert.strictEqual(error._tag, "InvalidResponse")
        }))
    }
  })

  describe("plentymarkets", () => {
    const answer = { accessToken: "AT", tokenType: "Bearer", expiresIn: 86_400, refreshToken: "RT2" }

    for (const grant of [Grant.clientCredentials(), refresh]) {
      it.effect(`B395 members in camel case are read, in the answer to ${grant.grantType}`, () =>
        Effect.gen(function*() {
          const token = yield* request("plentymarkets", json({ ...answer, fooBarBaz: 1, URLValue: 2, aBC: 3 }), grant)
          assert.deepStrictEqual(plain(token), { accessToken: "AT", tokenType: "Bearer", life: 86_400 })
          assert.strictEqual(Redacted.value(token.refreshToken!), "RT2")
          assert.deepStrictEqual(
            Redacted.value(token.extra!),
            new Map([["foo_bar_baz", 1], ["url_value", 2], ["a_bc", 3]])
          )
        }))
    }

    for (const other of [{ status: 201 }, { contentType: "text/html" }]) {
      it.effect(`B395 no token is read from ${JSON.stringify(other)}`, () =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(request("plentymarkets", { ...json(answer), ...other }))
          assert.strictEqual(error._tag, "InvalidResponse")
        }))
    }
  })

  describe("slack", () => {
    const { slack } = LegacyProfiles
    const form = { a: "1" }

    it.effect("B396 B397 the token is a parameter beside the header: in the form, or else in the query", () =>
      Effect.gen(function*() {
        const authorization = "Bearer AT"
        assert.include(yield* sent(slack, get(url)), { search: "?token=AT", body: "", authorization })
        assert.include(yield* sent(slack, post(url)), { search: "", body: "token=AT", authorization })
        const withForm = yield* sent(slack, HttpClientRequest.bodyUrlParams(post(url), form))
        assert.include(withForm, { search: "", body: "a=1&token=AT", authorization })
        const withText = yield* sent(slack, HttpClientRequest.bodyText(post(url), "a=1"))
        assert.include(withText, { search: "?token=AT", body: "a=1", authorization })
      }))

    it.effect("B396 B397 a token that the program put there is left", () =>
      Effect.gen(function*() {
        assert.include(yield* sent(slack, get(`${url}?token=z`)), { search: "?token=z", body: "" })
        assert.include(yield* sent(slack, post(`${url}?token=z`)), { search: "?token=z", body: "" })
        const apart = HttpClientRequest.setUrlParam(post(url), "token", "z")
        assert.include(yield* sent(slack, apart), { search: "?token=z", body: "" })
        const inForm = HttpClientRequest.bodyUrlParams(post(url), { token: "T" })
        assert.include(yield* sent(slack, inForm), { search: "", body: "token=T" })
      }))

    it.effect("B397 a blank one is replaced", () =>
      Effect.gen(function*() {
        assert.include(yield* sent(slack, get(`${url}?token=&a=b`)), { search: "?a=b&token=AT" })
        const inForm = HttpClientRequest.bodyUrlParams(post(url), { token: "" })
        assert.include(yield* sent(slack, inForm), { search: "", body: "token=AT" })
        const inQuery = yield* sent(slack, post(`${url}?token=`))
        assert.include(inQuery, { body: "token=AT" })
      }))

    it.effect("B398 a JSON body is not lost: the token goes into the query", () =>
      Effect.gen(function*() {
        const withJson = yield* sent(slack, HttpClientRequest.bodyUnsafeJson(post(url), form))
        assert.include(withJson, { search: "?token=AT", body: `{"a":"1"}`, contentType: "application/json" })
      }))
  })

  describe("instagram", () => {
    const { instagram } = LegacyProfiles

    it.effect("B399 the token is in the query beside the header, where none is there", () =>
      Effect.gen(function*() {
        const authorization = "Bearer AT"
        assert.include(yield* sent(instagram, get(`${url}?a=b`)), { search: "?a=b&access_token=AT", authorization })
        assert.include(yield* sent(instagram, post(url)), { search: "?access_token=AT", body: "", authorization })
        assert.include(yield* sent(instagram, get(`${url}?access_token=z`)), {
          search: "?access_token=z",
          authorization
        })
        assert.include(yield* sent(instagram, get(`${url}?access_token=`)), { search: "?access_token=AT" })
        const apart = HttpClientRequest.setUrlParam(get(url), "access_token", "z")
        assert.include(yield* sent(instagram, apart), { search: "?access_token=z" })
      }))
  })
})
