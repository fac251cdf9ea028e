/**
 * The password grant, for servers that offer nothing else: the standards forbid it, since this program sees the user's
 * password. The password is sent once; the session lives on by its refresh token.
 */
import { Custody, OAuth2Client, OAuth2HttpClient } from "@effect-oauth2/core"
import * as LegacyPassword from "@effect-oauth2/core/LegacyPassword"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer } from "effect"

const Client = OAuth2Client.layer({
  clientId: "kiosk",
  tokenEndpoint: "https://as.example.com/token"
})

const Live = Layer.merge(
  OAuth2Client.layerSession("ada"),
  OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] })
).pipe(
  Layer.provideMerge(Client),
  Layer.provide(Custody.layerMemory),
  Layer.provide(NodeTransport.layer())
)

const program = Effect.gen(function*() {
  const client = yield* OAuth2Client.OAuth2Client
  const password = yield* Config.redacted("PASSWORD")
  const grant = LegacyPassword.grant({ username: "ada", password, scope: "read" })
  yield* client.authorize(grant, { sessionKey: "ada" })

  const http = yield* OAuth2HttpClient.OAuth2HttpClient
  const orders = yield* http.get("https://api.example.com/orders")
  yield* Console.log("orders", orders.status)
}).pipe(
  // What a wrong password comes to.
  Effect.catchTag("ErrorResponse", ({ code }) => Console.log("refused", code))
)

program.pipe(Effect.provide(Live), NodeRuntime.runMain)
