/**
 * The program's layers: the client with its custody, and the `HttpClient` that is authorized for the API. Each is named
 * once.
 */
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import * as BrowserCustody from "@effect-oauth2/platform-browser/BrowserCustody"
import * as BrowserPlatform from "@effect-oauth2/platform-browser/BrowserPlatform"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Log from "./Log.js"
import * as Network from "./Network.js"
import * as Session from "./Session.js"
import * as Settings from "./Settings.js"
import type * as Stores from "./Stores.js"
import * as Tabs from "./Tabs.js"

const custody = {
  indexeddb: BrowserCustody.layerIndexedDb({ database: "spa" }),
  session: BrowserCustody.layerSessionStorage,
  split: BrowserCustody.layerSplit,
  memory: BrowserCustody.layerMemory
}

const client = Layer.unwrapEffect(Effect.map(Settings.Settings, (settings) =>
  OAuth2Client.layer({
    clientId: settings.clientId,
    issuer: settings.issuer,
    authorizationEndpoint: settings.authorizationEndpoint,
    tokenEndpoint: settings.tokenEndpoint,
    revocationEndpoint: settings.revocationEndpoint,
    redirectUri: settings.redirectUri,
    scope: "openid read",
    allowInsecureLoopback: true,
    // Tokens live for seconds here, and somebody watches: what takes a minute elsewhere has to be seen sooner
    refreshPolicy: {
      rejectionInterval: "1 second",
      retry: Schedule.exponential("500 millis").pipe(Schedule.union(Schedule.spaced("3 seconds")), Schedule.jittered)
    }
  })))

const http = Layer.unwrapEffect(
  Effect.map(Settings.Settings, ({ api }) => OAuth2Client.layerHttpClient({ origins: [api] }))
)

/** What the page's own origin is asked goes around the switch of the network. */
const surroundings = Layer.mergeAll(
  Settings.layer,
  Network.layer,
  Tabs.layer,
  Log.layer
).pipe(Layer.provideMerge(BrowserPlatform.layer))

export const layer = (store: Stores.Name) =>
  Session.layer.pipe(
    Layer.provideMerge(http),
    Layer.provideMerge(OAuth2Client.layerSession()),
    Layer.provideMerge(client),
    Layer.provide(Network.layerTransport),
    Layer.provideMerge(custody[store]),
    Layer.provideMerge(surroundings)
  )
