/**
 * A page that signs its user in by code and PKCE, and asks an API as that user; its session is renewed by itself.
 */
import * as Custody from "@effect-oauth2/core/Custody"
import * as FetchTransport from "@effect-oauth2/core/FetchTransport"
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import { OAuth2HttpClient } from "@effect-oauth2/core/OAuth2HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const layer = OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] }).pipe(
  Layer.provideMerge(OAuth2Client.layerSession("page")),
  Layer.provideMerge(OAuth2Client.layer({
    clientId: "page",
    authorizationEndpoint: "https://as.example.com/authorize",
    tokenEndpoint: "https://as.example.com/token",
    redirectUri: "https://app.example.com/callback",
    scope: "profile"
  })),
  Layer.provide([Custody.layerMemory, FetchTransport.layer()])
)

export const program = (signIn: (url: URL) => Promise<string>): Promise<unknown> =>
  Effect.gen(function*() {
    const client = yield* OAuth2Client.OAuth2Client
    const { pending, url } = yield* client.begin({ sessionKey: "page" })
    const callback = yield* Effect.promise(() => signIn(url))
    yield* client.complete({ callback, pending })
    const http = yield* OAuth2HttpClient
    const response = yield* http.get("https://api.example.com/me")
    return yield* response.json
  }).pipe(Effect.provide(layer), Effect.runPromise)
