/** Clients that share a database and an authorization server, and nothing else: each is another process. */
import { OAuth2Client } from "@effect-oauth2/core"
import type { PendingAuthorizations, TokenStore } from "@effect-oauth2/core"
import type { OAuth2Error } from "@effect-oauth2/core"
import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { Context, Effect, Layer } from "effect"

export const Server = TestAuthorizationServer.TestAuthorizationServer
export const Client = OAuth2Client.OAuth2Client

const options: OAuth2Client.Options = {
  clientId: "app",
  issuer: "https://as.test",
  tokenEndpoint: "https://as.test/token",
  authorizationEndpoint: "https://as.test/authorize",
  revocationEndpoint: "https://as.test/revoke",
  redirectUri: "https://app.test/callback"
}

type Custody = Layer.Layer<
  TokenStore.TokenStore | PendingAuthorizations.PendingAuthorizations,
  OAuth2Error.ConfigurationError
>

export const open = (custody: Custody, over: Partial<OAuth2Client.Options> = {}) =>
  Effect.map(
    Layer.build(Layer.fresh(Layer.provide(OAuth2Client.layer({ ...options, ...over }), custody))),
    (context) => Context.get(context, Client)
  )

/** A token that has to be renewed before it is used. */
export const expired = Effect.gen(function*() {
  const token = yield* (yield* Server).issue()
  return { ...token, issuedAt: token.issuedAt - 7_200_000, expiresAt: token.issuedAt - 3_600_000 }
})
