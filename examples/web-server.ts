/**
 * A web server whose users sign in, each with a session of their own. `/login` and `/callback` may be served by
 * different processes: what ties them is the pending authorization, sealed into a cookie of the user's browser.
 *
 * The authorized client is built once. A request names its user's session.
 */
import {
  ClientAuthentication,
  Custody,
  OAuth2Client,
  OAuth2HttpClient,
  OAuth2Session,
  PendingAuthorization
} from "@effect-oauth2/core"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { Cookies, HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Config, Effect, Layer, Schema } from "effect"
import { createServer } from "node:http"
import * as Sealed from "./support/Sealed.js"

const Live = OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] }).pipe(
  Layer.provideMerge(OAuth2Client.layerConfig({
    clientId: "web",
    clientAuthentication: Config.map(
      Config.redacted("CLIENT_SECRET"),
      (secret) => ClientAuthentication.clientSecretPost(secret)
    ),
    issuer: "https://as.example.com",
    authorizationResponseIssParameterSupported: true,
    authorizationEndpoint: "https://as.example.com/authorize",
    tokenEndpoint: "https://as.example.com/token",
    revocationEndpoint: "https://as.example.com/revoke",
    redirectUri: "https://app.example.com/callback",
    scope: "profile"
  })),
  // One custody for the whole program: built in two places it would be two stores.
  Layer.provide(Custody.layerMemory),
  Layer.provide(NodeTransport.layer())
)

const cookie = { httpOnly: true, secure: true, sameSite: "lax", path: "/" } as const

const PendingCookie = Schema.parseJson(PendingAuthorization.PendingAuthorization)

const sessionOf = Effect.gen(function*() {
  const client = yield* OAuth2Client.OAuth2Client
  const { cookies } = yield* HttpServerRequest.HttpServerRequest
  return client.session(cookies["session"] ?? "")
})

const router = HttpRouter.empty.pipe(
  HttpRouter.get(
    "/login",
    Effect.gen(function*() {
      const client = yield* OAuth2Client.OAuth2Client
      const { pending, url } = yield* client.begin()
      const sealed = yield* Sealed.seal(yield* Schema.encode(PendingCookie)(pending))
      return HttpServerResponse.redirect(url, {
        cookies: Cookies.empty.pipe(Cookies.unsafeSet("pending", sealed, { ...cookie, maxAge: "10 minutes" }))
      })
    })
  ),
  HttpRouter.get(
    "/callback",
    Effect.gen(function*() {
      const client = yield* OAuth2Client.OAuth2Client
      const request = yield* HttpServerRequest.HttpServerRequest
      const pending = yield* Schema.decode(PendingCookie)(yield* Sealed.open(request.cookies["pending"] ?? ""))
      // Behind a proxy the scheme and host are the proxy's: the path and query are what is known for certain.
      const session = yield* client.complete({ callback: request.url, pending })
      return HttpServerResponse.redirect("/me", {
        headers: { "cache-control": "no-store", "referrer-policy": "no-referrer" },
        cookies: Cookies.empty.pipe(
          Cookies.unsafeSet("session", session.key, cookie),
          Cookies.unsafeSet("pending", "", { ...cookie, maxAge: 0 })
        )
      })
    })
  ),
  HttpRouter.get(
    "/me",
    Effect.gen(function*() {
      const http = yield* OAuth2HttpClient.OAuth2HttpClient
      const response = yield* http.get("https://api.example.com/me").pipe(
        Effect.provideServiceEffect(OAuth2Session.CurrentSession, sessionOf)
      )
      return yield* HttpServerResponse.json(yield* response.json)
    }).pipe(
      Effect.catchTag("ReauthorizationRequired", () => HttpServerResponse.redirect("/login"))
    )
  ),
  HttpRouter.post(
    "/logout",
    Effect.gen(function*() {
      const { revocation } = yield* Effect.flatMap(sessionOf, (session) => session.signOut)
      return yield* HttpServerResponse.json({ revocation })
    })
  ),
  // What a user may see of a refused callback is its message, which holds no secret.
  HttpRouter.catchTags({
    AuthorizationResponseError: ({ message }) => HttpServerResponse.text(message, { status: 400 }),
    ErrorResponse: ({ message }) => HttpServerResponse.text(message, { status: 400 })
  })
)

const Server = router.pipe(
  HttpServer.serve(),
  HttpServer.withLogAddress,
  Layer.provide(Live),
  Layer.provide(Sealed.layer(Config.redacted("COOKIE_KEY"))),
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
)

Layer.launch(Server).pipe(NodeRuntime.runMain)
