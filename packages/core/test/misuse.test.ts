import {
  BearerToken,
  ClientAuthentication,
  Grant,
  OAuth2Client,
  OAuth2Error,
  OAuth2HttpClient,
  OAuth2Session,
  type Token
} from "@effect-oauth2/core"
import { Fault, ServerReply, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { publicClient } from "./fixtures.js"
import { canary } from "./fuzz.js"
import * as WatchedStore from "./reliability/WatchedStore.js"
import { leaks } from "./secrecy.js"

const Server = TestAuthorizationServer.TestAuthorizationServer

/** What somebody can do, or what would have been right, in words. */
const nextStep = new RegExp(
  "\\b(Use|Write|Add|Call|Begin|Pass|Authorize|Check|Try|Update|Refresh|Ask|Give|Leave|List|Prepend|Obtain|Exchange)\\b" +
    "|is not |is neither |is missing|is no "
)

type Wrong = Effect.Effect<
  unknown,
  unknown,
  OAuth2Client.OAuth2Client | OAuth2HttpClient.OAuth2HttpClient | TestAuthorizationServer.TestAuthorizationServer
>

/**
 * A program with a session that is held, in which something is done wrong: how that fails, with the session as it was
 * before.
 */
const misuse = (
  wrong: (session: OAuth2Session.OAuth2Session) => Wrong,
  options: Partial<OAuth2Client.Options> = {}
) => {
  const program = (store: WatchedStore.WatchedStoreService) =>
    Effect.gen(function*() {
      const server = yield* Server
      const client = yield* OAuth2Client.OAuth2Client
      const session = yield* client.restore(yield* server.issue({ scope: "a" }), { sessionKey: "held" })
      const before = yield* store.records
      assert.lengthOf(Object.keys(before), 1)
      const error = yield* Effect.flip(wrong(session))
      assert.deepStrictEqual(yield* store.records, before)
      const requests = yield* server.tokenRequests()
      yield* session.token
      assert.strictEqual(yield* server.tokenRequests(), requests)
      return judged(error)
    }).pipe(Effect.provide(
      OAuth2Client.layerHttpClient({ origins: ["https://api.test"] }).pipe(
        Layer.provideMerge(OAuth2Client.layer({ ...publicClient, ...options })),
        Layer.provide(WatchedStore.custodyOf(store)),
        Layer.provideMerge(TestAuthorizationServer.layer())
      )
    ))
  return Effect.flatMap(WatchedStore.make(), program)
}

/** An error of the library that tells the next step, and nothing that is secret. */
const judged = (error: unknown): OAuth2Error.OAuth2Error => {
  assert.isTrue(isOurs(error), String(error))
  const ours = error as OAuth2Error.OAuth2Error
  assert.match(ours.message, nextStep)
  assert.include(["retry", "user", "operator", "program"], ours.remedy)
  assert.deepStrictEqual(leaks(ours, [canary]), [])
  return ours
}

const isOurs = (error: unknown): boolean => OAuth2Error.OAuth2Error.members.some((member) => error instanceof member)

const withClient = <A, E, R>(f: (client: OAuth2Client.OAuth2ClientService) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(OAuth2Client.OAuth2Client, f)

const callback = (change: (url: URL) => string, options?: OAuth2Client.BeginOptions) =>
  withClient((client) =>
    Effect.gen(function*() {
      const server = yield* Server
      const { pending, url } = yield* client.begin({ sessionKey: "held", ...options })
      return yield* client.complete({ callback: change(yield* server.authorize(url)), pending })
    })
  )

const withParameter = (name: string, value: string) => (url: URL): string => {
  const changed = new URL(url)
  changed.searchParams.set(name, value)
  return changed.href
}

const token: Token.Token = { accessToken: Redacted.make(canary), tokenType: "Bearer", issuedAt: 0 }

const request = (request: HttpClientRequest.HttpClientRequest) => (session: OAuth2Session.OAuth2Session) =>
  Effect.flatMap(OAuth2HttpClient.OAuth2HttpClient, (http) => http.execute(request)).pipe(
    Effect.provideService(OAuth2Session.CurrentSession, session)
  )

describe("misuse", () => {
  const calls: ReadonlyArray<
    readonly [what: string, wrong: (session: OAuth2Session.OAuth2Session) => Wrong, expected: Record<string, unknown>]
  > = [
    [
      "a reserved parameter in a sign-in",
      () => withClient((client) => client.begin({ parameters: { redirect_uri: canary } })),
      { _tag: "InputError", field: "redirect_uri", remedy: "program" }
    ],
    [
      "a secret in a sign-in's URL",
      () => withClient((client) => client.begin({ parameters: { hint: Redacted.make(canary) } })),
      { _tag: "InputError", field: "hint", remedy: "program" }
    ],
    [
      "a redirect URI over plain http",
      () => withClient((client) => client.begin({ redirectUri: "http://app.test/cb" })),
      { _tag: "ConfigurationError", field: "redirectUri", remedy: "operator" }
    ],
    [
      "a grant that brings the client's credentials",
      () =>
        withClient((client) =>
          client.authorize(Grant.extension("x", { client_secret: Redacted.make(canary) }), { sessionKey: "held" })
        ),
      { _tag: "InputError", field: "client_secret", remedy: "program" }
    ],
    [
      "a token that no header can carry",
      () =>
        withClient((client) =>
          client.restore({ ...token, accessToken: Redacted.make(`${canary}\n`) }, { sessionKey: "held" })
        ),
      { _tag: "InputError", field: "accessToken", remedy: "program" }
    ],
    [
      "a refresh token that no server has made",
      () =>
        withClient((client) =>
          client.restore({ ...token, refreshToken: Redacted.make(`${canary} x`) }, { sessionKey: "held" })
        ),
      { _tag: "InputError", field: "refreshToken", remedy: "program" }
    ],
    [
      "a token of another type",
      () => withClient((client) => client.restore({ ...token, tokenType: "DPoP" }, { sessionKey: "held" })),
      { _tag: "UnsupportedTokenType", tokenType: "DPoP", remedy: "operator" }
    ],
    [
      "a session that nobody has authorized",
      () => withClient((client) => client.session("nobody").token),
      { _tag: "ReauthorizationRequired", reason: "NoSession", remedy: "user" }
    ],
    ["a request to another origin", request(HttpClientRequest.get("https://evil.test/")), { _tag: "OriginNotAllowed" }],
    ["a request over plain http", request(HttpClientRequest.get("http://api.test/")), {
      _tag: "InsecureTransportError"
    }],
    ["a request without origin", request(HttpClientRequest.get("/things")), { _tag: "InputError", field: "url" }],
    [
      "a request with a header of its own",
      request(HttpClientRequest.bearerToken(HttpClientRequest.get("https://api.test/"), canary)),
      { _tag: "InputError", field: "authorization" }
    ],
    [
      "an expired token by hand",
      () => BearerToken.authorize(HttpClientRequest.get("https://api.test/"), { ...token, expiresAt: -1 }),
      { _tag: "TokenExpired", expiresAt: -1 }
    ],
    [
      "a token by hand for a URL without origin",
      () => BearerToken.authorize(HttpClientRequest.get("/things"), token),
      { _tag: "InputError", field: "url" }
    ],
    [
      "a token by hand over plain http",
      () => BearerToken.authorize(HttpClientRequest.get("http://api.test/"), token),
      { _tag: "InsecureTransportError" }
    ]
  ]

  for (const [what, wrong, expected] of calls) {
    it.effect(`S18 S65 B107 B109 ${what} is a typed error with the next step, and the session stays as it was`, () =>
      Effect.gen(function*() {
        assert.deepInclude(yield* misuse(wrong), expected)
      }))
  }

  for (
    const [what, options, wrong, field] of [
      [
        "a sign-in without an authorization endpoint",
        { authorizationEndpoint: undefined },
        "begin",
        "authorizationEndpoint"
      ],
      ["a sign-in without a redirect URI", { redirectUri: undefined }, "begin", "redirectUri"],
      ["a revocation without an endpoint", { revocationEndpoint: undefined }, "revoke", "revocationEndpoint"]
    ] as const
  ) {
    it.effect(`B109 B208 B212 ${what} is a typed error with the next step, and the session stays as it was`, () =>
      Effect.gen(function*() {
        const error = yield* misuse(
          () =>
            withClient((client): Effect.Effect<unknown, unknown> =>
              wrong === "begin" ? client.begin() : client.revoke(Redacted.make(canary))
            ),
          options
        )
        assert.deepInclude(error, { _tag: "ConfigurationError", field, remedy: "operator" })
      }))
  }

  it.effect("B109 credentials that no header can carry are a typed error with the next step, and nothing is sent", () =>
    Effect.gen(function*() {
      const clientAuthentication = ClientAuthentication.custom(
        "x",
        () => Effect.succeed({ headers: { authorization: Redacted.make(`${canary}\r\n`) }, parameters: [] })
      )
      const error = yield* misuse(() => withClient((client) => client.requestToken(Grant.clientCredentials())), {
        clientAuthentication
      })
      assert.deepInclude(error, { _tag: "InputError", field: "authorization" })
    }))

  const callbacks: ReadonlyArray<
    readonly [what: string, change: (url: URL) => string, expected: Record<string, unknown>]
  > = [
    ["no URL at all", () => canary, { reason: "InvalidUrl" }],
    ["no state", (url) => url.href.replace(/state=[^&]*/, ""), { reason: "MissingState" }],
    ["another state", withParameter("state", "x"), { reason: "StateMismatch" }],
    ["another place", (url) => url.href.replace("/callback", "/other"), { reason: "RedirectUriMismatch" }],
    ["another issuer", withParameter("iss", "https://evil.test"), { reason: "IssuerMismatch" }],
    ["a repeated parameter", (url) => `${url.href}&code=${canary}`, { reason: "RepeatedParameter", parameter: "code" }],
    ["a token", (url) => `${url.href}#access_token=${canary}`, { reason: "TokenInFrontChannel" }],
    ["a signed response", withParameter("response", canary), { reason: "UnexpectedResponseMode" }],
    ["no code", withParameter("code", ""), { reason: "MissingCode" }],
    ["a code with other characters", withParameter("code", `${canary}\n`), { reason: "InvalidCode" }]
  ]

  for (const [what, change, expected] of callbacks) {
    it.effect(`S23 S24 S26 S29 S30 B109 a callback with ${what} is a typed error with the next step, and the session stays as it was`, () =>
      Effect.gen(function*() {
        const error = yield* misuse(() => callback(change))
        assert.deepInclude(error, { _tag: "AuthorizationResponseError", remedy: "user", ...expected })
      }))
  }

  it.effect("B283 the server's no to a sign-in is its own error, and the session stays as it was", () =>
    Effect.gen(function*() {
      const error = yield* misuse(() => callback(withParameter("error", "access_denied")))
      assert.deepInclude(error, {
        _tag: "ErrorResponse",
        endpoint: "authorization",
        code: "access_denied",
        remedy: "user"
      })
    }))

  const edited = (members: Record<string, unknown>) =>
    Fault.editMembers((answer) => ({ ...answer, refresh_token: undefined, ...members }))

  const answers: ReadonlyArray<readonly [what: string, fault: Fault.Fault, expected: Record<string, unknown>]> = [
    ["invalid_client", Fault.status(401, { error: "invalid_client" }), {
      _tag: "ErrorResponse",
      code: "invalid_client",
      status: 401
    }],
    ["invalid_grant", Fault.status(400, { error: "invalid_grant" }), { _tag: "ErrorResponse", remedy: "user" }],
    ["slow_down", Fault.status(429, { error: "slow_down", retryAfter: "30" }), {
      _tag: "ErrorResponse",
      retryAfter: 30_000
    }],
    ["an error in a 200", Fault.status(200, { error: "invalid_request" }), { _tag: "ErrorResponse", status: 200 }],
    ["500", Fault.status(500), { _tag: "InvalidResponse", reason: "Status", remedy: "retry" }],
    ["503", Fault.status(503, { retryAfter: "5" }), { _tag: "InvalidResponse", retryAfter: 5_000, ambiguous: false }],
    ["404", Fault.status(404, { body: canary }), { _tag: "InvalidResponse", remedy: "operator" }],
    ["a token with 201", Fault.editReply((reply) => ({ ...reply, status: 201 })), {
      _tag: "InvalidResponse",
      reason: "Status"
    }],
    ["a page", Fault.html, { _tag: "InvalidResponse", reason: "ContentType", contentType: "text/html; charset=utf-8" }],
    ["nothing", Fault.emptyBody, { _tag: "InvalidResponse", reason: "Json", contentLength: 0 }],
    ["half a token", Fault.truncated(), { _tag: "InvalidResponse", reason: "Json" }],
    ["a list", Fault.editBody((body) => `[${body}]`), { _tag: "InvalidResponse", reason: "Json" }],
    ["a form", Fault.editBody(() => `access_token=${canary}`), { _tag: "InvalidResponse", reason: "Json" }],
    ["no UTF-8", Fault.respond({ ...ServerReply.json(200, {}), body: Uint8Array.of(0xff) }), {
      _tag: "InvalidResponse",
      reason: "Encoding"
    }],
    ["too much", Fault.endlessBody, { _tag: "InvalidResponse", reason: "TooLarge" }],
    ["too deep", Fault.editBody((body) => body.replace("}", `,"a":${"[".repeat(40)}${"]".repeat(40)}}`)), {
      _tag: "InvalidResponse",
      reason: "TooDeep"
    }],
    ["a repeated member", Fault.editBody((body) => body.replace("{", `{"access_token":"${canary}",`)), {
      _tag: "InvalidResponse",
      reason: "RepeatedMember",
      member: "access_token"
    }],
    ["no access token", edited({ access_token: undefined }), {
      _tag: "InvalidResponse",
      reason: "MissingMember",
      member: "access_token"
    }],
    ["an empty access token", edited({ access_token: "" }), {
      _tag: "InvalidResponse",
      reason: "InvalidMember",
      member: "access_token"
    }],
    ["a token with a line break", edited({ access_token: `${canary}\r\n` }), {
      _tag: "InvalidResponse",
      reason: "InvalidMember",
      member: "access_token"
    }],
    ["no token type", edited({ token_type: undefined }), {
      _tag: "InvalidResponse",
      reason: "MissingMember",
      member: "token_type"
    }],
    ["another token type", edited({ token_type: canary }), { _tag: "InvalidResponse", reason: "UnsupportedTokenType" }],
    ["no life", edited({ expires_in: canary }), {
      _tag: "InvalidResponse",
      reason: "InvalidMember",
      member: "expires_in"
    }],
    ["no scope", edited({ scope: 5 }), { _tag: "InvalidResponse", reason: "InvalidMember", member: "scope" }],
    ["a redirect", Fault.redirect("https://evil.test/"), { _tag: "InvalidResponse", reason: "Redirect", status: 307 }],
    ["no connection", Fault.connectionRefused, { _tag: "TransportError", reason: "Unreachable", ambiguous: false }],
    ["a reset", Fault.reset, { _tag: "TransportError", reason: "ConnectionLost", ambiguous: true }],
    ["a broken body", Fault.brokenBody(), { _tag: "TransportError", reason: "ConnectionLost" }]
  ]

  for (const [what, fault, expected] of answers) {
    it.effect(`S43 S76 B109 B329 B351 an answer with ${what} is a typed error with the next step, and the session stays as it was`, () =>
      Effect.gen(function*() {
        const error = yield* misuse(() =>
          Effect.gen(function*() {
            const server = yield* Server
            yield* server.inject("token", withoutRefreshToken(fault))
            return yield* callback((url) => url.href)
          })
        )
        assert.deepInclude(error, expected)
      }))
  }
})

/** What could be redeemed next would have to be kept (R46): here there is nothing of it. */
const withoutRefreshToken = (fault: Fault.Fault): Fault.Fault =>
  Fault.and(
    fault,
    Fault.editReply((reply) =>
      typeof reply.body === "string" ? { ...reply, body: reply.body.replace(/,"refresh_token":"[^"]*"/, "") } : reply
    )
  )
