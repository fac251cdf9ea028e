/** The client that the tests' authorization server knows, and the layers that most tests are made of. */
import { ClientAuthentication, Custody, OAuth2Client } from "@effect-oauth2/core"
import { type ServerOptions, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

export const publicClient = {
  clientId: "app",
  issuer: "https://as.test",
  tokenEndpoint: "https://as.test/token",
  authorizationEndpoint: "https://as.test/authorize",
  revocationEndpoint: "https://as.test/revoke",
  redirectUri: "https://app.test/callback"
} satisfies OAuth2Client.Options

export const confidentialClient = {
  ...publicClient,
  clientId: "service",
  clientAuthentication: ClientAuthentication.clientSecretBasic(Redacted.make("service-secret")),
  redirectUri: "https://service.test/callback"
} satisfies OAuth2Client.Options

/** A client with its authorized http client, over the server in memory and custody in memory; all of them to be seen. */
export const layer = <R = never>(
  options: {
    readonly client?: Partial<OAuth2Client.Options<R>>
    readonly server?: ServerOptions.Options
  } = {}
) =>
  OAuth2Client.layerHttpClient({ origins: ["https://api.test"] }).pipe(
    Layer.provideMerge(OAuth2Client.layer<R>({ ...publicClient, ...options.client })),
    Layer.provideMerge(Custody.layerMemory),
    Layer.provideMerge(TestAuthorizationServer.layer(options.server))
  )
