/**
 * A job: client credentials, one session. The token is fetched at the first call and renewed by itself.
 */
import { ClientAuthentication, Custody, Grant, OAuth2Client, OAuth2HttpClient } from "@effect-oauth2/core"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer } from "effect"

const Client = OAuth2Client.layerConfig({
  clientId: "report-job",
  clientAuthentication: Config.map(Config.redacted("CLIENT_SECRET"), ClientAuthentication.clientSecretBasic),
  tokenEndpoint: "https://as.example.com/token",
  grant: Grant.clientCredentials({ scope: "reports" })
})

const Api = Layer.merge(
  OAuth2Client.layerSession(),
  OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] })
)

const Live = Api.pipe(
  Layer.provide(Client),
  Layer.provide(Custody.layerMemory),
  Layer.provide(NodeTransport.layer())
)

const program = Effect.gen(function*() {
  const http = yield* OAuth2HttpClient.OAuth2HttpClient
  for (const day of ["monday", "tuesday", "wednesday"]) {
    const report = yield* http.get(`https://api.example.com/reports/${day}`)
    yield* Console.log(day, report.status)
  }
})

program.pipe(Effect.provide(Live), NodeRuntime.runMain)
