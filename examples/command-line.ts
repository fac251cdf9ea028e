/**
 * A command-line tool: the user signs in with a browser, the code comes back to a port of this machine.
 *
 * Here the URL is printed. `Browser.layer` in the place of `Browser.layerPrint` opens it.
 */
import { Custody, OAuth2Client, OAuth2HttpClient, OAuth2Session } from "@effect-oauth2/core"
import { Browser, LoopbackRedirect, NodeTransport } from "@effect-oauth2/platform-node"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"

const Live = OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] }).pipe(
  Layer.provideMerge(OAuth2Client.layer({
    clientId: "tool",
    issuer: "https://as.example.com",
    authorizationEndpoint: "https://as.example.com/authorize",
    tokenEndpoint: "https://as.example.com/token",
    revocationEndpoint: "https://as.example.com/revoke",
    scope: "profile"
  })),
  Layer.provide(Custody.layerMemory),
  Layer.provide(NodeTransport.layer())
)

const program = Effect.gen(function*() {
  const client = yield* OAuth2Client.OAuth2Client
  const session = yield* LoopbackRedirect.login(client)
  const http = yield* OAuth2HttpClient.OAuth2HttpClient
  const response = yield* http.get("https://api.example.com/me").pipe(
    Effect.provideService(OAuth2Session.CurrentSession, session)
  )
  yield* Console.log("signed in", response.status)
  const { revocation } = yield* session.signOut
  yield* Console.log("signed out", revocation)
})

program.pipe(
  Effect.provide(Live),
  Effect.provide(Browser.layerPrint((url) => Console.log(`Open ${url}`))),
  NodeRuntime.runMain
)
