/**
 * A command-line tool: the user signs in once, with a browser, and the code comes back to a port of this machine. The
 * session is kept in a directory of the user's own, so that the next run needs no sign-in. `sign-out` ends it.
 *
 * Here the URL is printed. `Browser.layer` in the place of `Browser.layerPrint` opens it.
 */
import { OAuth2Client, OAuth2HttpClient, OAuth2Session } from "@effect-oauth2/core"
import { Browser, FileCustody, LoopbackRedirect, NodeTransport } from "@effect-oauth2/platform-node"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { homedir } from "node:os"
import { join } from "node:path"

const Live = OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] }).pipe(
  Layer.provideMerge(OAuth2Client.layer({
    clientId: "tool",
    issuer: "https://as.example.com",
    authorizationEndpoint: "https://as.example.com/authorize",
    tokenEndpoint: "https://as.example.com/token",
    revocationEndpoint: "https://as.example.com/revoke",
    scope: "profile"
  })),
  Layer.provide(FileCustody.layer({ directory: join(homedir(), ".example-tool") })),
  Layer.provide(NodeTransport.layer())
)

const program = Effect.gen(function*() {
  const client = yield* OAuth2Client.OAuth2Client
  const kept = client.session()
  const session = (yield* kept.isAuthorized) ? kept : yield* LoopbackRedirect.login(client)
  const http = yield* OAuth2HttpClient.OAuth2HttpClient
  const response = yield* http.get("https://api.example.com/me").pipe(
    Effect.provideService(OAuth2Session.CurrentSession, session)
  )
  yield* Console.log("signed in", response.status)
  if (!process.argv.includes("sign-out")) return
  const { revocation } = yield* session.signOut
  yield* Console.log("signed out", revocation)
})

program.pipe(
  Effect.provide(Live),
  Effect.provide(Browser.layerPrint((url) => Console.log(`Open ${url}`))),
  NodeRuntime.runMain
)
