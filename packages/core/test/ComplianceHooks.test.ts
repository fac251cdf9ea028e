import {
  ClientAuthentication,
  ComplianceHooks,
  Custody,
  EndpointRequest,
  Grant,
  OAuth2Client,
  type OAuth2Error,
  OAuth2HttpClient,
  OAuth2Session
} from "@effect-oauth2/core"
import type { TokenResponse } from "@effect-oauth2/core"
import { HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, TestClock } from "effect"
import { publicClient } from "./fixtures.js"
import { leaks } from "./secrecy.js"
import { recorder } from "./spans.js"
import { type Call, type FakeFetch, fakeFetch, form, redirect, tokenReply } from "./transports.js"

const Client = OAuth2Client.OAuth2Client
const confidential = { clientAuthentication: ClientAuthentication.clientSecretPost(Redacted.make("S3CRET")) }

const refreshed = (call: Call) =>
  tokenReply({ access_token: `AT-${form(call)["refresh_token"] ?? "1"}`, refresh_token: "RT" })

/** A client with these hooks, over a transport that shows what is sent. */
const clientWith = (
  hooks: ComplianceHooks.ComplianceHooks,
  transport: FakeFetch = fakeFetch(refreshed),
  options: Partial<OAuth2Client.Options> = {}
) =>
  OAuth2Client.layerHttpClient({ origins: ["https://api.test"] }).pipe(
    Layer.provideMerge(OAuth2Client.layer({ ...publicClient, ...options })),
    Layer.provide(ComplianceHooks.layer(hooks)),
    Layer.provideMerge(Custody.layerMemory),
    Layer.provideMerge(transport.layer)
  )

const refresh = Effect.gen(function*() {
  const client = yield* Client
  const session = yield* client.authorize(Grant.clientCredentials())
  return yield* session.refresh
})

const header = (name: string, value: string): ComplianceHooks.Hook<ComplianceHooks.Draft> => (draft) =>
  Effect.succeed({ ...draft, headers: { ...draft.headers, [name]: value } })

const member = (name: string, value: unknown): ComplianceHooks.Hook<TokenResponse.Reply> => (reply) =>
  Effect.succeed(ComplianceHooks.mapJson(reply, (members) => ({ ...members, [name]: value })))

describe("ComplianceHooks", () => {
  it.effect("B259 without hooks nothing is changed", () => {
    const [plain, empty] = [fakeFetch(refreshed), fakeFetch(refreshed)]
    const shown = ({ calls }: FakeFetch) =>
      calls.map(({ body, headers, method, url }) => ({ body, headers, method, url }))
    return Effect.gen(function*() {
      yield* Effect.provide(refresh, clientWith(ComplianceHooks.combine(), empty))
      yield* Effect.provide(
        refresh,
        OAuth2Client.layer(publicClient).pipe(Layer.provide(Custody.layerMemory), Layer.provide(plain.layer))
      )
      assert.deepStrictEqual(shown(empty), shown(plain))
    })
  })

  it.effect("B376 B378 B385 B400 a request hook changes parameters, headers and encoding, of its own kind of request", () => {
    const transport = fakeFetch(refreshed)
    return Effect.gen(function*() {
      yield* refresh
      const [token, refreshing] = transport.calls
      assert.strictEqual(token?.headers["x-kind"], "first")
      assert.strictEqual(form(token)["audience"], "api")
      assert.strictEqual(refreshing?.headers["x-kind"], undefined)
      assert.deepStrictEqual(JSON.parse(refreshing?.body ?? ""), {
        grant_type: "refresh_token",
        refresh_token: "RT",
        client_id: "app"
      })
      assert.strictEqual(refreshing?.headers["content-type"], "application/json")
      for (const call of transport.calls) assert.strictEqual(call.headers["x-client-secret"], "s")
    }).pipe(Effect.provide(clientWith(
      ComplianceHooks.combine(
        ComplianceHooks.onTokenRequests(header("x-client-secret", "s")),
        {
          accessTokenRequest: (draft) =>
            Effect.succeed({
              ...draft,
              headers: { ...draft.headers, "x-kind": "first" },
              parameters: [...draft.parameters, ["audience", "api"]]
            }),
          refreshTokenRequest: (draft) => Effect.succeed({ ...draft, encoding: EndpointRequest.json })
        }
      ),
      transport
    )))
  })

  it.effect("B345 a refresh may have another body than a form, with a name that repeats as a list", () => {
    const transport = fakeFetch(refreshed)
    return Effect.gen(function*() {
      yield* refresh
      assert.deepInclude(JSON.parse(transport.calls[0]?.body ?? ""), { resource: ["urn:a", "urn:b"] })
    }).pipe(Effect.provide(clientWith({}, transport, {
      resource: ["urn:a", "urn:b"],
      tokenEncoding: EndpointRequest.json
    })))
  })

  it.effect("B377 B379 B326 B382 B383 response hooks run in their order, each on what the one before gave", () => {
    const seen: Array<string> = []
    const note = (name: string): ComplianceHooks.Hook<TokenResponse.Reply> => (reply) =>
      Effect.sync(() => {
        seen.push(`${name} ${String((JSON.parse(new TextDecoder().decode(reply.body)) as { n?: string }).n)}`)
        return ComplianceHooks.mapJson(reply, (members) => ({ ...members, n: name }))
      })
    return Effect.gen(function*() {
      const token = yield* refresh
      assert.deepStrictEqual(seen, ["a undefined", "b a", "a b", "a undefined", "c a"])
      assert.strictEqual(token.extra && Redacted.value(token.extra).get("n"), "c")
    }).pipe(Effect.provide(clientWith(ComplianceHooks.combine(
      { accessTokenResponse: note("a"), refreshTokenResponse: note("a") },
      { accessTokenResponse: note("b") },
      { accessTokenResponse: note("a"), refreshTokenResponse: note("c") }
    ))))
  })

  it.effect("B344 the hooks of a refresh see its request before it is sent, and its answer before it is read", () => {
    const transport = fakeFetch((call) =>
      form(call)["grant_type"] === "refresh_token"
        ? Response.json({ token: { value: "nested" } })
        : refreshed(call)
    )
    const seen: Array<string> = []
    return Effect.gen(function*() {
      const token = yield* refresh
      assert.strictEqual(Redacted.value(token.accessToken), "nested")
      assert.deepStrictEqual(seen, ["request, 1 sent", "response, 2 sent"])
    }).pipe(Effect.provide(clientWith({
      refreshTokenRequest: (draft) => {
        seen.push(`request, ${transport.calls.length} sent`)
        return Effect.succeed(draft)
      },
      refreshTokenResponse: (reply) => {
        seen.push(`response, ${transport.calls.length} sent`)
        return Effect.succeed(ComplianceHooks.mapJson(reply, (members) => ({
          access_token: (members["token"] as { value: string }).value,
          token_type: "Bearer"
        })))
      }
    }, transport)))
  })

  for (
    const [what, change, field] of [
      ["goes to http", (draft) => ({ ...draft, url: new URL("http://as.test/token") }), "url"],
      ["goes to another host", (draft) => ({ ...draft, url: new URL("https://evil.test/token") }), "url"],
      ["goes to another port", (draft) => ({ ...draft, url: new URL("https://as.test:8443/token") }), "url"],
      ["has a user in its URL", (draft) => ({ ...draft, url: new URL("https://u:p@as.test/token") }), "url"],
      ["has another grant", (draft) => ({ ...draft, parameters: [["grant_type", "password"]] }), "grant_type"],
      ["sets a second client secret", (draft) => ({
        ...draft,
        parameters: [...draft.parameters, ["client_secret", "x"]]
      }), "client_secret"],
      ["sets a refresh token", (draft) => ({
        ...draft,
        parameters: [...draft.parameters, ["refresh_token", "x"]]
      }), "refresh_token"]
    ] satisfies ReadonlyArray<readonly [string, (draft: ComplianceHooks.Draft) => ComplianceHooks.Draft, string]>
  ) {
    it.effect(`B008 S18 S36 what a hook has changed is judged again: one that ${what} sends nothing`, () => {
      const transport = fakeFetch(refreshed)
      return Effect.gen(function*() {
        const error = yield* Effect.flip(refresh)
        assert.deepInclude(error, { _tag: "InputError", field })
        assert.strictEqual(transport.calls.length, 0)
      }).pipe(Effect.provide(clientWith(
        ComplianceHooks.onTokenRequests((draft) => Effect.succeed(change(draft))),
        transport,
        confidential
      )))
    })
  }

  it.effect("B376 a parameter may be given another name", () => {
    const transport = fakeFetch(refreshed)
    return Effect.gen(function*() {
      yield* refresh
      assert.deepStrictEqual(form(transport.calls[0]), { grant_type: "client_credentials", client_key: "app" })
    }).pipe(Effect.provide(clientWith(
      ComplianceHooks.onTokenRequests((draft) =>
        Effect.succeed({
          ...draft,
          parameters: draft.parameters.map(([name, value]) => [name === "client_id" ? "client_key" : name, value])
        })
      ),
      transport
    )))
  })

  const broken: ReadonlyArray<readonly [string, () => Effect.Effect<never, OAuth2Error.HookError>]> = [
    ["fails", () => ComplianceHooks.fail("refreshTokenResponse", "has no data")],
    ["dies", () => Effect.die(new Error("CANARY"))],
    ["throws", () => {
      throw new Error("CANARY")
    }]
  ]
  for (const [how, hook] of broken) {
    it.effect(`R21 R46 S76 a response hook that ${how} loses no refresh token, nor the token that is still valid`, () => {
      let answers = 0
      const transport = fakeFetch(() => tokenReply({ access_token: `AT${answers}`, refresh_token: `RT${answers++}` }))
      let isBroken = true
      return Effect.gen(function*() {
        const session = yield* (yield* Client).authorize(Grant.clientCredentials())
        yield* TestClock.adjust("2 hours")
        const error = yield* Effect.flip(session.token)
        assert.strictEqual(error._tag, "RefreshFailed")
        if (error._tag === "RefreshFailed") {
          assert.deepInclude(error.lastError, { _tag: "HookError", hook: "refreshTokenResponse", ambiguous: true })
        }
        assert.deepStrictEqual(leaks(error, ["CANARY", "AT1", "RT1"]), [])
        isBroken = false
        yield* TestClock.adjust("2 minutes")
        const token = yield* session.token
        assert.strictEqual(form(transport.calls[2])["refresh_token"], "RT1")
        assert.strictEqual(Redacted.value(token.accessToken), "AT2")
      }).pipe(Effect.provide(clientWith({
        refreshTokenResponse: (reply) => isBroken ? hook() : Effect.succeed(reply)
      }, transport)))
    })
  }

  it.effect("R21 a response hook that makes a mess of the answer loses no refresh token either", () => {
    let answers = 0
    const transport = fakeFetch(() => tokenReply({ access_token: `AT${answers}`, refresh_token: `RT${answers++}` }))
    return Effect.gen(function*() {
      const session = yield* (yield* Client).authorize(Grant.clientCredentials())
      yield* Effect.flip(session.refresh)
      yield* TestClock.adjust("2 minutes")
      yield* Effect.flip(session.refresh)
      assert.strictEqual(form(transport.calls[2])["refresh_token"], "RT1")
    }).pipe(Effect.provide(clientWith({
      refreshTokenResponse: (reply) => Effect.succeed({ ...reply, body: new TextEncoder().encode("{}") })
    }, transport)))
  })

  it.effect("B384 a hook gives a server's own error code the standard's name, and revocation and sign-in have theirs", () => {
    const transport = fakeFetch((call) =>
      call.url.endsWith("/revoke")
        ? new Response(null, { status: 200 })
        : form(call)["grant_type"] === "refresh_token"
        ? Response.json({ error: "bad_refresh_token" }, { status: 400 })
        : refreshed(call)
    )
    return Effect.gen(function*() {
      const client = yield* Client
      const { url } = yield* client.begin()
      assert.strictEqual(url.searchParams.get("access_type"), "offline")
      const session = yield* client.authorize(Grant.clientCredentials())
      assert.deepInclude(yield* Effect.flip(session.refresh), {
        _tag: "ReauthorizationRequired",
        reason: "InvalidGrant"
      })
      yield* client.revoke(Redacted.make("T"))
      assert.strictEqual(transport.calls.at(-1)?.headers["x-version"], "2")
    }).pipe(Effect.provide(clientWith({
      authorizationRequest: (url) =>
        Effect.sync(() => {
          url.searchParams.set("access_type", "offline")
          return url
        }),
      tokenErrorResponse: (error) =>
        Effect.succeed(
          error._tag === "ErrorResponse" && error.code === "bad_refresh_token"
            ? new (error.constructor as new(fields: object) => typeof error)({
              endpoint: "token",
              code: "invalid_grant",
              status: 400
            })
            : error
        ),
      revocationRequest: header("x-version", "2")
    }, transport)))
  })

  for (
    const [name, value] of [["state", "x"], ["redirect_uri", "https://evil.test/"], ["code_challenge", "x"]] as const
  ) {
    it.effect(`B384 S18 a hook on the sign-in cannot change ${name}`, () =>
      Effect.gen(function*() {
        assert.deepInclude(yield* Effect.flip((yield* Client).begin()), { _tag: "InputError", field: name })
      }).pipe(Effect.provide(clientWith({
        authorizationRequest: (url) =>
          Effect.sync(() => {
            url.searchParams.set(name, value)
            return url
          })
      }))))
  }

  const call = Effect.gen(function*() {
    const client = yield* Client
    const session = yield* client.authorize(Grant.clientCredentials())
    const http = yield* OAuth2HttpClient.OAuth2HttpClient
    return yield* http.get("https://api.test/things").pipe(
      Effect.provideService(OAuth2Session.CurrentSession, session),
      Effect.either
    )
  })

  it.effect("B380 a hook changes a resource request before the token is put on it, anew when it is sent again", () => {
    let answers = 0
    const transport = fakeFetch((call) => {
      if (call.url.startsWith("https://as.test")) {
        return tokenReply({ access_token: `AT${answers++}`, refresh_token: "R" })
      }
      return call.headers["authorization"] === "Bearer AT0"
        ? new Response(null, { status: 401, headers: { "www-authenticate": "Bearer error=\"invalid_token\"" } })
        : Response.json({})
    })
    return Effect.gen(function*() {
      const result = yield* call
      assert.strictEqual(result._tag, "Right")
      const sent = transport.calls.filter(({ url }) => url.startsWith("https://api.test"))
      assert.deepStrictEqual(sent.map(({ headers, url }) => [url, headers["authorization"]]), [
        ["https://api.test/things?appsecret_proof=AT0", "Bearer AT0"],
        ["https://api.test/things?appsecret_proof=AT1", "Bearer AT1"]
      ])
      if (result._tag === "Right") assert.strictEqual(result.right.request.url, "https://api.test/things")
    }).pipe(Effect.provide(clientWith({
      protectedRequest: (request, token) =>
        Effect.succeed(
          HttpClientRequest.setUrl(request, `${request.url}?appsecret_proof=${Redacted.value(token.accessToken)}`)
        )
    }, transport)))
  })

  it.effect("S04 S75 what a hook writes into a resource request's headers is redirected nowhere, and in no span", () => {
    const transport = fakeFetch((call) =>
      call.url.startsWith("https://as.test") ? refreshed(call) : redirect(307, "https://sink.test/")
    )
    const trace = recorder()
    return Effect.gen(function*() {
      const result = yield* call
      assert.strictEqual(result._tag === "Right" && result.right.status, 307)
      assert.isTrue(transport.calls.every(({ url }) => !url.startsWith("https://sink.test")))
      assert.deepStrictEqual(leaks(trace.spans.map(({ attributes }) => [...attributes]), ["a-signature"]), [])
    }).pipe(
      Effect.provide(clientWith({
        protectedRequest: (request) => Effect.succeed(HttpClientRequest.setHeader(request, "x-proof", "a-signature"))
      }, transport)),
      Effect.provide(trace.layer)
    )
  })

  it.effect("B386 a hook of resource requests is not run for a token that cannot be sent, nor without one", () => {
    let isDown = false
    const transport = fakeFetch((call) => {
      if (call.url.startsWith("https://api.test")) return Response.json({})
      return isDown ? new Response(null, { status: 503 }) : refreshed(call)
    })
    const seen: Array<string> = []
    const hooks: ComplianceHooks.ComplianceHooks = {
      protectedRequest: (request, { accessToken }) =>
        Effect.sync(() => {
          seen.push(Redacted.value(accessToken))
          return request
        })
    }
    return Effect.gen(function*() {
      const client = yield* Client
      const http = yield* OAuth2HttpClient.OAuth2HttpClient
      const get = (session: OAuth2Session.OAuth2Session) =>
        Effect.provideService(http.get("https://api.test/things"), OAuth2Session.CurrentSession, session)
      assert.strictEqual((yield* Effect.flip(get(client.session("nobody"))))._tag, "ReauthorizationRequired")

      const session = yield* client.authorize(Grant.clientCredentials())
      yield* get(session)
      assert.deepStrictEqual(seen, ["AT-1"])

      yield* TestClock.adjust("61 minutes")
      isDown = true
      assert.strictEqual((yield* Effect.flip(get(session)))._tag, "RefreshFailed")
      assert.deepStrictEqual(seen, ["AT-1"])

      yield* TestClock.adjust("2 minutes")
      isDown = false
      yield* get(session)
      assert.deepStrictEqual(seen, ["AT-1", "AT-RT"])
    }).pipe(Effect.provide(clientWith(hooks, transport)))
  })

  for (
    const [what, hook, tag] of [
      ["another origin", HttpClientRequest.setUrl("https://evil.test/"), "OriginNotAllowed"],
      ["http", HttpClientRequest.setUrl("http://api.test/"), "InsecureTransportError"],
      ["no URL", HttpClientRequest.setUrl("things"), "InputError"],
      ["an Authorization of its own", HttpClientRequest.setHeader("authorization", "x"), "InputError"]
    ] satisfies ReadonlyArray<
      readonly [string, (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.HttpClientRequest, string]
    >
  ) {
    it.effect(`B008 S05 a resource request to which a hook gives ${what} is not sent`, () => {
      const transport = fakeFetch(refreshed)
      return Effect.gen(function*() {
        const result = yield* call
        assert.deepInclude(result, { _tag: "Left" })
        if (result._tag === "Left") assert.strictEqual(result.left._tag, tag)
        assert.isTrue(transport.calls.every(({ url }) => url.startsWith("https://as.test/")))
      }).pipe(Effect.provide(clientWith({ protectedRequest: (request) => Effect.succeed(hook(request)) }, transport)))
    })
  }

  it.effect("B384 hooks made of services are those of one client alone", () => {
    class Version extends Context.Tag("test/Version")<Version, string>() {}
    const transport = fakeFetch(refreshed)
    const hooks = ComplianceHooks.layerEffect(
      Effect.map(Version, (version) => ComplianceHooks.onTokenRequests(header("x-version", version)))
    )
    class Other extends OAuth2Client.Tag<Other>()("other") {}
    return Effect.gen(function*() {
      yield* (yield* Client).requestToken(Grant.clientCredentials())
      yield* (yield* Other).requestToken(Grant.clientCredentials())
      assert.deepStrictEqual(transport.calls.map(({ headers }) => headers["x-version"]), ["7", undefined])
    }).pipe(Effect.provide(
      Layer.merge(OAuth2Client.layer(publicClient).pipe(Layer.provide(hooks)), Other.layer(publicClient)).pipe(
        Layer.provide(Layer.succeed(Version, "7")),
        Layer.provide(Custody.layerMemory),
        Layer.provide(transport.layer)
      )
    ))
  })

  it("B381 a hook of an unknown kind does not compile", () => {
    // @ts-expect-error there is no such hook
    const hooks: ComplianceHooks.ComplianceHooks = { acessTokenRequest: Effect.succeed }
    assert.deepStrictEqual(Object.keys(ComplianceHooks.combine(hooks)).includes("acessTokenRequest"), false)
  })

  it.effect("B377 a body that is no JSON object is left to the rules", () =>
    Effect.gen(function*() {
      for (const text of ["", "null", "[]", "x", "\"a\""]) {
        const reply = { endpoint: "token", status: 200, contentType: "x", retryAfter: undefined } as const
        const given = { ...reply, body: new TextEncoder().encode(text) }
        assert.strictEqual(yield* member("a", 1)(given), given)
      }
    }))
})
