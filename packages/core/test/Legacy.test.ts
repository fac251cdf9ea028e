import { ClientAuthentication, Custody, Grant, OAuth2Client, ScopePolicy } from "@effect-oauth2/core"
import * as Core from "@effect-oauth2/core"
import * as LegacyImplicit from "@effect-oauth2/core/LegacyImplicit"
import * as LegacyPassword from "@effect-oauth2/core/LegacyPassword"
import * as LegacyPkce from "@effect-oauth2/core/LegacyPkce"
import * as LegacyTokenRequest from "@effect-oauth2/core/LegacyTokenRequest"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, TestClock } from "effect"
import { publicClient } from "./fixtures.js"
import { leaks } from "./secrecy.js"
import { type FakeFetch, fakeFetch, form, tokenReply } from "./transports.js"

const Client = OAuth2Client.OAuth2Client

const clientOver = (transport: FakeFetch, options: Partial<OAuth2Client.Options> = {}) =>
  OAuth2Client.layer({ ...publicClient, ...options }).pipe(
    Layer.provideMerge(Custody.layerMemory),
    Layer.provide(transport.layer)
  )

const anyToken = () => fakeFetch(() => tokenReply())

it("S10 S11 S12 S30 S64 the barrel has nothing of what the standards advise against", () => {
  assert.deepStrictEqual(Object.keys(Core).filter((name) => /legacy|implicit|password|plain/i.test(name)), [])
})

describe("the implicit flow", () => {
  const begun = (options?: Parameters<typeof LegacyImplicit.begin>[1]) =>
    Effect.flatMap(Client, (client) => LegacyImplicit.begin(client, options))
  const completed = (pending: LegacyImplicit.Pending, rest: string) =>
    Effect.flatMap(Client, (client) =>
      LegacyImplicit.tokenFromFragment(client, {
        callback: `https://app.test/callback${rest.replaceAll("STATE", pending.state)}`,
        pending
      }))

  it.effect("B200 B202 it asks for a token in the redirect, without PKCE, and makes no token request", () => {
    const transport = anyToken()
    return Effect.gen(function*() {
      const { pending, url } = yield* begun({ scope: "a b", parameters: { prompt: "login" } })
      assert.deepStrictEqual(Object.fromEntries(url.searchParams), {
        response_type: "token",
        client_id: "app",
        redirect_uri: "https://app.test/callback",
        scope: "a b",
        state: pending.state,
        prompt: "login"
      })
      assert.match(pending.state, /^[\w-]{43}$/)
      yield* completed(pending, "#access_token=AT&state=STATE&token_type=bearer")
      assert.deepInclude(yield* Effect.flip(begun({ parameters: { state: "x" } })), { _tag: "InputError" })
      assert.strictEqual(transport.calls.length, 0)
    }).pipe(Effect.provide(clientOver(transport)))
  })

  it.effect("B123 B201 B331 the fragment's token becomes the session's, with what it leaves unsaid", () =>
    Effect.gen(function*() {
      const { pending } = yield* begun({ scope: "a", sessionKey: "user" })
      const session = yield* completed(
        pending,
        "#access_token=AT&state=STATE&expires_in=10&scope=x+y&token_type=bearer&user_id=7"
      )
      assert.strictEqual(session.key, "user")
      const token = yield* session.token
      assert.strictEqual(Redacted.value(token.accessToken), "AT")
      assert.deepInclude(token, { tokenType: "bearer", expiresAt: 10_000, scope: ["x", "y"] })
      assert.deepStrictEqual(token.extra && [...Redacted.value(token.extra)], [["user_id", "7"]])
      const other = yield* begun({ scope: "a" })
      const unsaid = yield* (yield* completed(other.pending, "#access_token=AT&state=STATE&token_type=bearer")).token
      assert.deepStrictEqual(unsaid.scope, ["a"])
      yield* TestClock.adjust("11 seconds")
      assert.deepInclude(yield* Effect.flip(session.token), { _tag: "ReauthorizationRequired" })
    }).pipe(Effect.provide(clientOver(anyToken()))))

  for (
    const [id, what, rest, expected] of [
      ["B124", "a token in the query", "?access_token=AT#state=STATE", { reason: "TokenInFrontChannel" }],
      ["B126", "a wrong state beside a bad lifetime", "#access_token=AT&state=no&expires_in=x", {
        reason: "StateMismatch"
      }],
      ["B127", "a wrong state", "#access_token=AT&state=no&token_type=bearer", { reason: "StateMismatch" }],
      ["B127", "no state", "#access_token=AT&token_type=bearer", { reason: "MissingState" }],
      ["S23", "a parameter twice", "#access_token=A&access_token=B&state=STATE", { reason: "RepeatedParameter" }],
      ["B128", "the server's error", "#error=access_denied&state=STATE", {
        _tag: "ErrorResponse",
        code: "access_denied"
      }],
      ["B128", "an error of somebody else", "#error=access_denied&state=no", { reason: "StateMismatch" }],
      ["B129", "no access token", "#state=STATE&token_type=bearer", {
        reason: "MissingMember",
        member: "access_token"
      }],
      ["B131", "a code", "#code=c&state=STATE&token_type=bearer", { reason: "MissingMember", member: "access_token" }],
      ["S45", "no token type", "#access_token=AT&state=STATE", { reason: "MissingMember", member: "token_type" }],
      ["B049", "a bad lifetime", "#access_token=AT&state=STATE&token_type=bearer&expires_in=x", {
        member: "expires_in"
      }],
      ["S30", "a refresh token", "#access_token=AT&state=STATE&token_type=bearer&refresh_token=r", {
        member: "refresh_token"
      }]
    ] as const
  ) {
    it.effect(`${id} a redirect with ${what} is refused, and what is held stays`, () =>
      Effect.gen(function*() {
        const client = yield* Client
        const held = yield* client.authorize(Grant.clientCredentials())
        const { pending } = yield* begun()
        const error = yield* Effect.flip(completed(pending, rest))
        assert.deepInclude(error, expected as object)
        assert.deepStrictEqual(leaks(error, ["AT="]), [])
        assert.strictEqual(Redacted.value((yield* held.token).accessToken), "AT")
      }).pipe(Effect.provide(clientOver(anyToken()))))
  }

  it.effect("B125 a blank lifetime is unknown, and no error", () =>
    Effect.gen(function*() {
      const { pending } = yield* begun()
      const session = yield* completed(pending, "#access_token=AT&state=STATE&token_type=bearer&expires_in=")
      assert.notProperty(yield* session.token, "expiresAt")
    }).pipe(Effect.provide(clientOver(anyToken()))))

  it.effect("S14 a redirect that comes too late is refused", () =>
    Effect.gen(function*() {
      const { pending } = yield* begun()
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(
        yield* Effect.flip(completed(pending, "#access_token=AT&state=STATE&token_type=bearer")),
        { reason: "TransactionExpired" }
      )
    }).pipe(Effect.provide(clientOver(anyToken()))))

  it.effect("B130 B332 a scope other than the requested one is judged as in any answer", () =>
    Effect.gen(function*() {
      const { pending } = yield* begun({ scope: "a" })
      const error = yield* Effect.flip(
        completed(pending, "#access_token=AT&state=STATE&token_type=bearer&scope=b")
      )
      assert.deepInclude(error, { _tag: "ScopeMismatch", missing: ["a"], additional: ["b"] })
    }).pipe(Effect.provide(clientOver(anyToken(), { scopePolicy: ScopePolicy.failOnMissing }))))
})

describe("the password grant", () => {
  it.effect("B203 B204 B205 B206 B207 B208 B286 user name and password are parameters, form-encoded, blank ones too", () => {
    const transport = anyToken()
    return Effect.gen(function*() {
      const client = yield* Client
      yield* client.authorize(LegacyPassword.grant({ username: "u ser", password: Redacted.make("p&w") }))
      assert.include(transport.calls[0]?.body, "username=u+ser&password=p%26w")
      assert.deepStrictEqual(form(transport.calls[0]), {
        grant_type: "password",
        username: "u ser",
        password: "p&w",
        scope: "client",
        client_id: "app",
        client_secret: "s"
      })
      yield* client.authorize(LegacyPassword.grant({ username: "", password: Redacted.make(""), scope: "own" }))
      assert.deepInclude(form(transport.calls[1]), { username: "", password: "", scope: "own" })
    }).pipe(Effect.provide(clientOver(transport, {
      scope: "client",
      clientAuthentication: ClientAuthentication.clientSecretPost(Redacted.make("s"))
    })))
  })

  it.effect("S18 an extra parameter replaces neither user name nor password", () => {
    const transport = anyToken()
    return Effect.gen(function*() {
      const parameters = { username: "other", password: "other", audience: "a" }
      yield* (yield* Client).requestToken(
        LegacyPassword.grant({ username: "u", password: Redacted.make("p"), parameters })
      )
      assert.deepInclude(form(transport.calls[0]), { username: "u", password: "p", audience: "a" })
    }).pipe(Effect.provide(clientOver(transport)))
  })

  it.effect("B371 it is run again when it was said to be renewable", () => {
    const transport = anyToken()
    const grant = LegacyPassword.grant({ username: "u", password: Redacted.make("p"), renewable: true })
    return Effect.gen(function*() {
      const session = (yield* Client).session()
      yield* session.token
      yield* TestClock.adjust("2 hours")
      yield* session.token
      assert.deepStrictEqual(transport.calls.map((call) => form(call)["grant_type"]), ["password", "password"])
    }).pipe(Effect.provide(clientOver(transport, { grant })))
  })
})

describe("PKCE", () => {
  const signIn = Effect.gen(function*() {
    const client = yield* Client
    const { pending, url } = yield* client.begin()
    yield* client.complete({ callback: `?code=c&state=${pending.state}`, pending })
    return { verifier: Redacted.value(pending.codeVerifier), url }
  })

  it.effect("B167 B273 plain sends the verifier as its challenge, and redeems with it", () => {
    const transport = anyToken()
    return Effect.gen(function*() {
      const { url, verifier } = yield* signIn
      assert.strictEqual(url.searchParams.get("code_challenge_method"), "plain")
      assert.strictEqual(url.searchParams.get("code_challenge"), verifier)
      assert.strictEqual(form(transport.calls[0])["code_verifier"], verifier)
    }).pipe(Effect.provide(clientOver(transport, { pkce: LegacyPkce.plain })))
  })

  it.effect("B273 none sends neither challenge nor verifier, and the state is checked all the same", () => {
    const transport = anyToken()
    return Effect.gen(function*() {
      const { url } = yield* signIn
      assert.isFalse(url.search.includes("code_challenge"))
      assert.notProperty(form(transport.calls[0]), "code_verifier")
      const client = yield* Client
      const { pending } = yield* client.begin()
      assert.deepInclude(
        yield* Effect.flip(client.complete({ callback: "?code=c&state=x", pending })),
        { reason: "StateMismatch" }
      )
    }).pipe(Effect.provide(clientOver(transport, { pkce: LegacyPkce.none })))
  })
})

describe("token requests", () => {
  for (
    const [id, encoding, method] of [["B314", LegacyTokenRequest.get, "GET"], [
      "B315",
      LegacyTokenRequest.queryString,
      "POST"
    ]] as const
  ) {
    it.effect(`${id} S76 by ${method} the parameters are in the query after the URL's own, and in no error`, () => {
      let status = 200
      const transport = fakeFetch((call) =>
        status === 200
          ? tokenReply()
          : Response.json({ error: "invalid_grant", error_description: call.url }, { status })
      )
      return Effect.gen(function*() {
        const client = yield* Client
        const grant = Grant.extension("x", { assertion: Redacted.make("ASSERTION") })
        yield* client.requestToken(grant)
        const [call] = transport.calls
        assert.deepInclude(call, {
          method,
          body: "",
          url: "https://as.test/token?own=1&grant_type=x&assertion=ASSERTION&client_id=app"
        })
        status = 400
        assert.deepStrictEqual(leaks(yield* Effect.flip(client.requestToken(grant)), ["ASSERTION"]), [])
      }).pipe(Effect.provide(clientOver(transport, {
        tokenEndpoint: "https://as.test/token?own=1",
        tokenEncoding: encoding
      })))
    })
  }
})
