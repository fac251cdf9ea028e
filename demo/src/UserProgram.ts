/**
 * What somebody who uses the library writes: which client it is, how a user signs in, and calls that look like any
 * other HTTP call.
 */
import * as Custody from "@effect-oauth2/core/Custody"
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import * as OAuth2HttpClient from "@effect-oauth2/core/OAuth2HttpClient"
import * as LoopbackRedirect from "@effect-oauth2/platform-node/LoopbackRedirect"
import * as NodeTransport from "@effect-oauth2/platform-node/NodeTransport"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Ready } from "./servers/Messages.js"

export const sessionKey = "ada"

/**
 * A token of this server lives for a few seconds, which the server counts in whole ones: so it is renewed well before
 * its end.
 */
const refreshPolicy = { earlyFraction: 0.75 }

export const layer = (ready: Ready) =>
  OAuth2Client.layerHttpClient({ origins: [ready.api] }).pipe(
    Layer.provideMerge(OAuth2Client.layerSession(sessionKey)),
    Layer.provideMerge(OAuth2Client.layer({
      clientId: ready.clients.native.clientId,
      issuer: ready.issuer,
      authorizationResponseIssParameterSupported: true,
      authorizationEndpoint: ready.authorizationEndpoint,
      tokenEndpoint: ready.tokenEndpoint,
      revocationEndpoint: ready.revocationEndpoint,
      scope: "offline_access read",
      authorizationParameters: { prompt: "consent" },
      refreshPolicy
    })),
    Layer.provide(Custody.layerMemory),
    Layer.provideMerge(NodeTransport.layer({ ca: ready.ca }))
  )

/** Signs a user in, in the browser that is there: a listener on this machine waits for the callback. */
export const signIn = Effect.flatMap(
  OAuth2Client.OAuth2Client,
  (client) => LoopbackRedirect.login(client, { sessionKey })
)

const Answer = Schema.Struct({ hello: Schema.String, token: Schema.Number })

/** One call of the API. The caller knows nothing of tokens; it notes which one the API saw. */
export const call = (api: string, caller: number) =>
  Effect.gen(function*() {
    const http = yield* OAuth2HttpClient.OAuth2HttpClient
    const response = yield* Effect.flatMap(http.get(`${api}/hello`), HttpClientResponse.filterStatusOk)
    const { token } = yield* HttpClientResponse.schemaBodyJson(Answer)(response)
    yield* Effect.annotateCurrentSpan("token", token)
  }).pipe(Effect.withSpan("call", { attributes: { caller }, captureStackTrace: false }))
