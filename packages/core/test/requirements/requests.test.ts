import {
  BearerToken,
  ClientAuthentication,
  Custody,
  Grant,
  OAuth2Client,
  OAuth2HttpClient,
  OAuth2Session,
  Registration,
  TokenEndpoint
} from "@effect-oauth2/core"
import { Fault, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { HttpBody, HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, TestClock } from "effect"
import { confidentialClient, layer, publicClient } from "../fixtures.js"
import { canary } from "../fuzz.js"
import { leaks } from "../secrecy.js"
import { fakeFetch, tokenReply } from "../transports.js"

const Server = TestAuthorizationServer.TestAuthorizationServer
const Http = OAuth2HttpClient.OAuth2HttpClient

const thing = "https://api.test/things"

/** A session that the server has issued, and the authorized client that sends its requests. */
const signedIn = Effect.gen(function*() {
  const server = yield* Server
  const session = yield* (yield* OAuth2Client.OAuth2Client).restore(yield* server.issue())
  const http = yield* Http
  const send = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.provideService(http.execute(request), OAuth2Session.CurrentSession, session)
  return { send, server }
})

describe("a token request", () => {
  it.effect("B014 B322 a form that the program has as text is sent beside what the protocol sets", () =>
    Effect.gen(function*() {
      const { calls, layer } = fakeFetch(() => tokenReply())
      const parameters = Object.fromEntries(new URLSearchParams("not=empty&a=1&blank="))
      yield* Registration.make(publicClient).pipe(
        Effect.flatMap((registration) =>
          TokenEndpoint.requestToken(registration, Grant.clientCredentials({ parameters }))
        ),
        Effect.provide(layer)
      )
      assert.deepStrictEqual([...new URLSearchParams(calls[0]?.body)].sort(), [
        ["a", "1"],
        ["blank", ""],
        ["client_id", "app"],
        ["grant_type", "client_credentials"],
        ["not", "empty"]
      ])
    }))

  it.effect("B186 shares no object with the next that somebody could change", () =>
    Effect.gen(function*() {
      const endpoint = new URL("https://as.test/token")
      const secret = Redacted.make("s")
      for (
        const { authenticate } of [
          ClientAuthentication.none,
          ClientAuthentication.clientSecretBasic(secret),
          ClientAuthentication.clientSecretPost(secret)
        ]
      ) {
        const one = yield* authenticate({ clientId: "cid", endpoint })
        const other = yield* authenticate({ clientId: "cid", endpoint })
        assert.notStrictEqual(one.headers, other.headers)
        assert.notStrictEqual(one.parameters, other.parameters)
      }
    }))

  it.effect("B406 follows no redirect, so that nothing reaches another place", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const { requestToken } = yield* OAuth2Client.OAuth2Client
      const grant = Grant.refreshToken({ refreshToken: Redacted.make(canary) })
      for (const status of [301, 302, 303, 307, 308]) {
        yield* server.inject("token", Fault.redirect("https://sink.test/", status))
        assert.deepInclude(yield* Effect.flip(requestToken(grant)), { _tag: "InvalidResponse", status })
      }
      assert.strictEqual(yield* server.tokenRequests(), 5)
      assert.deepStrictEqual(yield* server.exchanges("elsewhere"), [])
    }).pipe(Effect.provide(layer())))
})

describe("a resource request", () => {
  it.effect("B228 B236 needs a token alone, and one that has expired is refused, not refreshed", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const token = yield* server.issue()
      const request = yield* BearerToken.authorize(HttpClientRequest.get(thing), token)
      assert.strictEqual((yield* server.httpClient.execute(request)).status, 200)
      yield* server.clearLog
      yield* TestClock.adjust("61 minutes")
      const error = yield* Effect.flip(BearerToken.authorize(HttpClientRequest.get(thing), token))
      assert.strictEqual(error._tag, "TokenExpired")
      assert.deepStrictEqual(yield* server.exchanges(), [])
    }).pipe(Effect.provide(layer())))

  it.effect("B233 B354 is not sent without a token", () =>
    Effect.gen(function*() {
      const server = yield* Server
      const session = (yield* OAuth2Client.OAuth2Client).session("nobody")
      const sent = Effect.provideService((yield* Http).get(thing), OAuth2Session.CurrentSession, session)
      assert.deepInclude(yield* Effect.flip(sent), { _tag: "ReauthorizationRequired", reason: "NoSession" })
      assert.deepStrictEqual(yield* server.exchanges(), [])
    }).pipe(Effect.provide(layer())))

  it.effect("B358 has the body and the parameters that it had", () =>
    Effect.gen(function*() {
      const { calls, layer } = fakeFetch(() => Response.json({}))
      yield* Effect.gen(function*() {
        const token = { accessToken: Redacted.make("AT"), tokenType: "Bearer", issuedAt: 0 }
        const session = yield* (yield* OAuth2Client.OAuth2Client).restore(token)
        const http = yield* Http
        for (
          const [body, type, text] of [
            [HttpBody.unsafeJson({ a: 1 }), "application/json", `{"a":1}`],
            [HttpBody.urlParams([["a", "1"]]), "application/x-www-form-urlencoded", "a=1"],
            [HttpBody.text("{\"a\":", "text/plain"), "text/plain", "{\"a\":"]
          ] as const
        ) {
          const request = HttpClientRequest.post(`${thing}?b=2`).pipe(HttpClientRequest.setBody(body))
          yield* Effect.provideService(http.execute(request), OAuth2Session.CurrentSession, session)
          const call = calls.at(-1)
          assert.deepInclude(call, { url: `${thing}?b=2`, body: text })
          assert.strictEqual(call?.headers["content-type"], type)
          assert.strictEqual(call?.headers["authorization"], "Bearer AT")
        }
      }).pipe(Effect.provide(
        OAuth2Client.layerHttpClient({ origins: ["https://api.test"] }).pipe(
          Layer.provideMerge(OAuth2Client.layer(publicClient)),
          Layer.provide(Custody.layerMemory),
          Layer.provide(layer)
        )
      ))
    }))

  const methods = {
    client_secret_post: ClientAuthentication.clientSecretPost(Redacted.make(canary)),
    client_secret_basic: ClientAuthentication.clientSecretBasic(Redacted.make(canary)),
    "a custom one": ClientAuthentication.custom(
      "x_secret",
      () => Effect.succeed({ headers: { "x-secret": Redacted.make(canary) }, parameters: [] })
    )
  }
  const inBasic = Buffer.from(`${confidentialClient.clientId}:${canary}`).toString("base64")

  it.effect.each(Object.keys(methods) as Array<keyof typeof methods>)(
    "B360 has nothing of the client's secret, also after it was used for a refresh (%s)",
    (method) =>
      Effect.gen(function*() {
        const { calls, layer } = fakeFetch(({ url }) =>
          url === publicClient.tokenEndpoint ? tokenReply({ refresh_token: "RT" }) : Response.json({})
        )
        yield* Effect.gen(function*() {
          const session = yield* (yield* OAuth2Client.OAuth2Client).authorize(Grant.clientCredentials())
          const http = yield* Http
          const send = Effect.provideService(http.get(thing), OAuth2Session.CurrentSession, session)
          yield* send
          yield* TestClock.adjust("61 minutes")
          yield* send
        }).pipe(Effect.provide(
          OAuth2Client.layerHttpClient({ origins: ["https://api.test"] }).pipe(
            Layer.provideMerge(OAuth2Client.layer({
              ...confidentialClient,
              clientAuthentication: methods[method]
            })),
            Layer.provide(Custody.layerMemory),
            Layer.provide(layer)
          )
        ))
        const [toServer, toResource] = [true, false].map((isServer) =>
          calls.filter(({ url }) => (url === publicClient.tokenEndpoint) === isServer)
        )
        assert.deepStrictEqual([toServer?.length, toResource?.length], [2, 2])
        assert.isNotEmpty(leaks(toServer, [canary, inBasic]))
        assert.deepStrictEqual(leaks(toResource, [canary, inBasic]), [])
      })
  )

  it.effect("B406 takes neither its token nor its body to another origin", () =>
    Effect.gen(function*() {
      const { send, server } = yield* signedIn
      for (const status of [301, 302, 303, 307, 308]) {
        yield* server.inject("resource", Fault.redirect("https://sink.test/", status))
        const request = HttpClientRequest.post(thing).pipe(HttpClientRequest.bodyText("secret=1"))
        assert.strictEqual((yield* send(request)).status, status)
      }
      assert.deepStrictEqual(yield* server.exchanges("elsewhere"), [])
    }).pipe(Effect.provide(layer())))
})
