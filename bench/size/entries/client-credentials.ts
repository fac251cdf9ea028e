/**
 * A worker that asks an API in its own name.
 */
import * as ClientAuthentication from "@effect-oauth2/core/ClientAuthentication"
import * as Custody from "@effect-oauth2/core/Custody"
import * as FetchTransport from "@effect-oauth2/core/FetchTransport"
import * as Grant from "@effect-oauth2/core/Grant"
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import { OAuth2HttpClient } from "@effect-oauth2/core/OAuth2HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const layer = OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] }).pipe(
  Layer.provideMerge(OAuth2Client.layerSession()),
  Layer.provide(OAuth2Client.layer({
    clientId: "worker",
    clientAuthentication: ClientAuthentication.clientSecretBasic(Redacted.make("secret")),
    tokenEndpoint: "https://as.example.com/token",
    grant: Grant.clientCredentials()
  })),
  Layer.provide([Custody.layerMemory, FetchTransport.layer()])
)

export const program = (): Promise<unknown> =>
  OAuth2HttpClient.pipe(
    Effect.flatMap((http) => http.get("https://api.example.com/things")),
    Effect.flatMap((response) => response.json),
    Effect.provide(layer),
    Effect.runPromise
  )
