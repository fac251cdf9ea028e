/**
 * A generated client: `HttpApiClient` over the authorized client, in its typed form, and over the plain `HttpClient`
 * for code that knows no other.
 */
import { ClientAuthentication, Custody, Grant, OAuth2Client, OAuth2HttpClient } from "@effect-oauth2/core"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { HttpApi, HttpApiClient, HttpApiEndpoint, HttpApiGroup, HttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer, Schema } from "effect"

const Api = HttpApi.make("reports").add(
  HttpApiGroup.make("reports").add(
    HttpApiEndpoint.get("read", "/reports/today").addSuccess(Schema.Struct({ path: Schema.String }))
  )
)

const Authorized = Layer.mergeAll(
  OAuth2Client.layerSession(),
  OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] })
).pipe(
  Layer.provide(OAuth2Client.layerConfig({
    clientId: "report-job",
    clientAuthentication: Config.map(
      Config.redacted("CLIENT_SECRET"),
      (secret) => ClientAuthentication.clientSecretBasic(secret)
    ),
    tokenEndpoint: "https://as.example.com/token",
    grant: Grant.clientCredentials({ scope: "reports" })
  })),
  Layer.provide(Custody.layerMemory),
  Layer.provide(NodeTransport.layer())
)

/** Every failure keeps its type: `ReauthorizationRequired` among the errors of a call. */
const typed = Effect.gen(function*() {
  const httpClient = yield* OAuth2HttpClient.OAuth2HttpClient
  const api = yield* HttpApiClient.makeWith(Api, { httpClient, baseUrl: "https://api.example.com" })
  const report = yield* api.reports.read()
  yield* Console.log("typed", report.path)
}).pipe(
  Effect.catchTag("ReauthorizationRequired", (error) => Console.error(error.message))
)

/** The plain `HttpClient`: what is not its own failure becomes a `RequestError` that nobody retries. */
const plain = Effect.gen(function*() {
  const httpClient = yield* HttpClient.HttpClient
  const api = yield* HttpApiClient.makeWith(Api, { httpClient, baseUrl: "https://api.example.com" })
  const report = yield* api.reports.read()
  yield* Console.log("plain", report.path)
}).pipe(Effect.provide(OAuth2Client.layerPlainHttpClient))

Effect.zipRight(typed, plain).pipe(Effect.provide(Authorized), NodeRuntime.runMain)
