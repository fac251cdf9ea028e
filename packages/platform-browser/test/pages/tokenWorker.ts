/** The worker: what it needs to know is in its address. */
import * as Custody from "@effect-oauth2/core/Custody"
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import * as BrowserPlatform from "@effect-oauth2/platform-browser/BrowserPlatform"
import * as TokenWorkerRunner from "@effect-oauth2/platform-browser/TokenWorkerRunner"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const settings = new URLSearchParams(globalThis.location.search)
const issuer = settings.get("issuer") ?? ""

const ClientLive = OAuth2Client.layer({
  clientId: "page",
  issuer,
  authorizationEndpoint: `${issuer}/auth`,
  tokenEndpoint: `${issuer}/token`,
  revocationEndpoint: `${issuer}/token/revocation`,
  redirectUri: `${globalThis.location.origin}/callback`,
  scope: "openid read",
  allowInsecureLoopback: true
}).pipe(Layer.provide(Custody.layerMemory), Layer.provideMerge(BrowserPlatform.layer))

Effect.runFork(TokenWorkerRunner.launch(ClientLive, { origins: [settings.get("api") ?? ""] }))
