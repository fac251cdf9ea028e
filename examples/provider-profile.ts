/**
 * A provider with quirks, said as data: it calls the client's id `client_key`, writes commas between the words of a
 * scope, and wraps its tokens in `data`, where they have no type and live for minutes.
 *
 * A profile may come from a JSON file. For what data cannot say there are hooks: see custom-provider.ts.
 */
import {
  ClientAuthentication,
  ComplianceHooks,
  Custody,
  Grant,
  OAuth2Client,
  OAuth2HttpClient,
  OAuth2Session,
  ProviderProfile
} from "@effect-oauth2/core"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer } from "effect"

const quirks: ProviderProfile.ProviderProfile = {
  parameterNames: { client_id: "client_key" },
  scopeSeparator: ",",
  scopeSeparators: [","],
  members: {
    access_token: ["data", "access_token"],
    expires_in: ["data", "expires_in"],
    scope: ["data", "scope"]
  },
  defaultTokenType: "Bearer",
  expiryUnit: "minutes"
}

const Client = OAuth2Client.layerConfig({
  clientId: "shop",
  clientAuthentication: Config.map(Config.redacted("CLIENT_SECRET"), ClientAuthentication.clientSecretPost),
  tokenEndpoint: "https://quirky.example.com/token",
  grant: Grant.clientCredentials({ scope: "orders stock" })
}).pipe(
  Layer.provide(ComplianceHooks.layer(ProviderProfile.toHooks(quirks)))
)

const Live = Layer.merge(
  OAuth2Client.layerSession(),
  OAuth2Client.layerHttpClient({ origins: ["https://shop.example.com"] })
).pipe(
  Layer.provide(Client),
  Layer.provide(Custody.layerMemory),
  Layer.provide(NodeTransport.layer())
)

const program = Effect.gen(function*() {
  const http = yield* OAuth2HttpClient.OAuth2HttpClient
  const session = yield* OAuth2Session.CurrentSession
  const orders = yield* http.get("https://shop.example.com/orders")
  const { expiresAt = 0, issuedAt, scope = [] } = yield* session.token
  yield* Console.log("orders", orders.status)
  yield* Console.log(`may see ${scope.join(" and ")} for ${(expiresAt - issuedAt) / 60_000} minutes`)
})

program.pipe(Effect.provide(Live), NodeRuntime.runMain)
