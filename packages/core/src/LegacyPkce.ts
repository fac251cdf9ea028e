/**
 * PKCE for servers that cannot do S256. The standards advise against all of this (RFC 9700 §2.1.1): a client that needs
 * it says so by importing this module.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Pkce } from "./Pkce.js"

/**
 * Method `plain` (RFC 7636 §4.2): the challenge is the verifier. Who reads the authorization request can redeem the code.
 *
 * @example
 * import * as LegacyPkce from "@effect-oauth2/core/LegacyPkce"
 * import { OAuth2Client } from "@effect-oauth2/core"
 *
 * export const Client = OAuth2Client.layer({
 *   clientId: "app",
 *   authorizationEndpoint: "https://as.example/authorize",
 *   tokenEndpoint: "https://as.example/token",
 *   redirectUri: "https://app.example/callback",
 *   pkce: LegacyPkce.plain
 * })
 *
 * @since 0.1.0
 * @category constants
 */
export const plain: Pkce = { codeChallengeMethod: "plain", codeChallenge: Effect.succeed }

/**
 * No PKCE, for servers that refuse its parameters: no challenge is sent, and no verifier. The state alone then ties the
 * callback to the user agent, and a stolen code can be redeemed by who has the client's credentials.
 *
 * @since 0.1.0
 * @category constants
 */
export const none: Pkce = { codeChallengeMethod: undefined, codeChallenge: Effect.succeed }
