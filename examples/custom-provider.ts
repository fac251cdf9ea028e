/**
 * A provider that differs: it wants a header of its own on every token request, the user's password instead of a
 * sign-in, and names its error codes itself. Each renewal is told to the program, which also renews by hand.
 */
import { ComplianceHooks, Custody, OAuth2Client, OAuth2Error, OAuth2HttpClient } from "@effect-oauth2/core"
import * as LegacyPassword from "@effect-oauth2/core/LegacyPassword"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer } from "effect"

const hooks = ComplianceHooks.combine(
  ComplianceHooks.onTokenRequests((draft) =>
    Effect.succeed({ ...draft, headers: { ...draft.headers, "x-api-version": "2026-01" } })
  ),
  {
    tokenErrorResponse: (error) =>
      Effect.succeed(
        error._tag === "ErrorResponse" && error.code === "bad_refresh_token"
          ? new OAuth2Error.ErrorResponse({ endpoint: error.endpoint, code: "invalid_grant", status: error.status })
          : error
      )
  }
)

const Client = OAuth2Client.layer({
  clientId: "kiosk",
  tokenEndpoint: "https://as.example.com/token",
  onToken: (sessionKey, token) => Console.log(`${sessionKey} may ${token.scope?.join(" and ")}`)
}).pipe(Layer.provide(ComplianceHooks.layer(hooks)))

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
  const session = yield* client.authorize(grant, { sessionKey: "ada" })
  const http = yield* OAuth2HttpClient.OAuth2HttpClient
  yield* Console.log("orders", (yield* http.get("https://api.example.com/orders")).status)
  yield* session.refresh
  yield* Console.log("orders", (yield* http.get("https://api.example.com/orders")).status)
})

program.pipe(Effect.provide(Live), NodeRuntime.runMain)
