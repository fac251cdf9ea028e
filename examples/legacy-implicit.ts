/**
 * The implicit flow, for servers that offer nothing else: the standards advise against it, since the token comes in the
 * address that the browser is sent back to. There is no refresh token, and the session ends with the access token.
 *
 * A server never sees a fragment, so the user brings the address.
 */
import { Custody, OAuth2Client, OAuth2HttpClient } from "@effect-oauth2/core"
import * as LegacyImplicit from "@effect-oauth2/core/LegacyImplicit"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { Terminal } from "@effect/platform"
import { NodeRuntime, NodeTerminal } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"

const Live = Layer.merge(
  OAuth2Client.layerSession(),
  OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] })
).pipe(
  Layer.provideMerge(OAuth2Client.layer({
    clientId: "old-page",
    authorizationEndpoint: "https://as.example.com/authorize",
    tokenEndpoint: "https://as.example.com/token", // never asked
    redirectUri: "https://app.example.com/callback",
    scope: "profile"
  })),
  Layer.provide(Custody.layerMemory),
  Layer.provide(NodeTransport.layer())
)

const program = Effect.gen(function*() {
  const client = yield* OAuth2Client.OAuth2Client
  const terminal = yield* Terminal.Terminal
  const { pending, url } = yield* LegacyImplicit.begin(client)
  yield* Console.log(`Open ${url}\nPaste the address that the browser comes back to:`)
  const callback = yield* terminal.readLine
  yield* LegacyImplicit.tokenFromFragment(client, { callback, pending })

  const http = yield* OAuth2HttpClient.OAuth2HttpClient
  const me = yield* http.get("https://api.example.com/me")
  yield* Console.log("signed in", me.status)
}).pipe(
  Effect.catchTag("AuthorizationResponseError", ({ reason }) => Console.log("refused", reason))
)

program.pipe(Effect.provide([Live, NodeTerminal.layer]), NodeRuntime.runMain)
