/**
 * A page that signs its user in at a provider that differs, and has no S256: what others must not pay for.
 */
import * as ComplianceHooks from "@effect-oauth2/core/ComplianceHooks"
import * as Custody from "@effect-oauth2/core/Custody"
import * as FetchTransport from "@effect-oauth2/core/FetchTransport"
import * as LegacyPkce from "@effect-oauth2/core/LegacyPkce"
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import * as Profiles from "@effect-oauth2/core/Profiles"
import * as ProviderProfile from "@effect-oauth2/core/ProviderProfile"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const layer = OAuth2Client.layer({
  clientId: "page",
  authorizationEndpoint: "https://as.example.com/authorize",
  tokenEndpoint: "https://as.example.com/token",
  redirectUri: "https://app.example.com/callback",
  pkce: LegacyPkce.plain
}).pipe(
  Layer.provide(ComplianceHooks.layer(ProviderProfile.toHooks(Profiles.ebay))),
  Layer.provide([Custody.layerMemory, FetchTransport.layer()])
)

export const program = (): Promise<unknown> =>
  Effect.flatMap(OAuth2Client.OAuth2Client, (client) => client.begin()).pipe(Effect.provide(layer), Effect.runPromise)
