/**
 * A program like that of the demo, with one of the clients that the servers know.
 */
import * as ClientAuthentication from "@effect-oauth2/core/ClientAuthentication"
import * as Custody from "@effect-oauth2/core/Custody"
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import type * as RefreshPolicy from "@effect-oauth2/core/RefreshPolicy"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as ScriptedBrowser from "../../src/ScriptedBrowser.js"
import type { ClientRecord, Ready } from "../../src/servers/Messages.js"

export interface Options {
  readonly client: ClientRecord
  readonly refreshPolicy?: RefreshPolicy.Options
}

export const layer = (ready: Ready, { client, refreshPolicy }: Options) =>
  OAuth2Client.layerHttpClient({ origins: [ready.api] }).pipe(
    Layer.provideMerge(OAuth2Client.layerSession("ada")),
    Layer.provideMerge(OAuth2Client.layer({
      clientId: client.clientId,
      clientAuthentication: authentication(client),
      issuer: ready.issuer,
      authorizationResponseIssParameterSupported: true,
      authorizationEndpoint: ready.authorizationEndpoint,
      tokenEndpoint: ready.tokenEndpoint,
      revocationEndpoint: ready.revocationEndpoint,
      redirectUri: "http://127.0.0.1/callback",
      scope: "openid offline_access read",
      authorizationParameters: { prompt: "consent" },
      refreshPolicy,
      requestDeadline: "20 seconds"
    })),
    Layer.provide(Custody.layerMemory),
    Layer.provideMerge(transport(ready))
  )

/** Not more connections than a small machine likes to open at once. */
const transport = ({ ca }: Ready) =>
  NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
    Layer.provide(Layer.scoped(
      NodeHttpClient.Dispatcher,
      Effect.acquireRelease(
        Effect.sync(() => new Undici.Agent({ connections: 32, connect: { ca, timeout: 20_000 } })),
        (agent) => Effect.promise(() => agent.destroy())
      )
    ))
  )

const authentication = ({ clientSecret = "", method }: ClientRecord): ClientAuthentication.ClientAuthentication => {
  switch (method) {
    case "none":
      return ClientAuthentication.none
    case "client_secret_basic":
      return ClientAuthentication.clientSecretBasic(Redacted.make(clientSecret))
    case "client_secret_post":
      return ClientAuthentication.clientSecretPost(Redacted.make(clientSecret))
  }
}

/** Signs in as the servers' user. */
export const signIn = (ready: Ready) =>
  Effect.gen(function*() {
    const client = yield* OAuth2Client.OAuth2Client
    const { pending, url } = yield* client.begin({ sessionKey: "ada" })
    return yield* client.complete({ callback: yield* ScriptedBrowser.visit(url, ready.user), pending })
  })
