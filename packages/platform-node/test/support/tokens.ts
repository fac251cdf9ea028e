/** A client of one server, for tests of what is between the two. */
import { Custody, Grant, OAuth2Client, type OAuth2Error, type Token } from "@effect-oauth2/core"
import type { HttpClient } from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ServerResponse } from "node:http"

type Options = Omit<OAuth2Client.Options, "clientId">

export const withClient = <A, E>(
  transport: Layer.Layer<HttpClient, OAuth2Error.ConfigurationError>,
  options: Options,
  use: (client: OAuth2Client.OAuth2ClientService) => Effect.Effect<A, E>
): Effect.Effect<A, E | OAuth2Error.OAuth2Error> =>
  Effect.flatMap(OAuth2Client.OAuth2Client, use).pipe(
    Effect.provide(
      OAuth2Client.layer({ clientId: "app", allowInsecureLoopback: true, ...options }).pipe(
        Layer.provide([Custody.layerMemory, transport])
      )
    )
  )

/** One token request. */
export const requestToken = (
  transport: Layer.Layer<HttpClient, OAuth2Error.ConfigurationError>,
  tokenEndpoint: string,
  options: Partial<Options> = {}
): Effect.Effect<Token.Token, OAuth2Error.OAuth2Error> =>
  withClient(transport, { tokenEndpoint, ...options }, (client) => client.requestToken(Grant.clientCredentials()))

export const accessToken = "the-access-token"

/** The answer that a token request hopes for. */
export const sendToken = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "application/json" })
  response.end(JSON.stringify({ access_token: accessToken, token_type: "Bearer", expires_in: 3600 }))
}
