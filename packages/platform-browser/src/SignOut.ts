/**
 * Signing out at the authorization server too, by redirect (OpenID Connect RP-Initiated Logout 1.0). To end a session here
 * and revoke its token, `OAuth2Session.signOut` is enough.
 *
 * @since 0.1.0
 */
import * as Endpoint from "@effect-oauth2/core/Endpoint"
import type { OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly endSessionEndpoint: string
  readonly clientId: string
  /** Where the server sends the user afterwards: one that it knows. Default: it keeps the user. */
  readonly postLogoutRedirectUri?: string | undefined
  /** Comes back with the user. */
  readonly state?: string | undefined
  /**
   * The ID token, so that the server need not ask the user. It stands in the URL then, and so in the browser's history
   * and the server's log, with all that it says of the user.
   */
  readonly idTokenHint?: Redacted.Redacted<string> | undefined
  /** For servers on this machine. */
  readonly allowInsecureLoopback?: boolean | undefined
}

/**
 * Ends the session here, whether or not its token could be revoked, and leaves the page. It never succeeds.
 *
 * Fails with `ConfigurationError`, field `endSessionEndpoint`, before anything is ended, and with `StoreError` when the session could not be erased.
 *
 * @example
 * import { OAuth2Client } from "@effect-oauth2/core"
 * import { SignOut } from "@effect-oauth2/platform-browser"
 * import { Effect } from "effect"
 *
 * export const signOut = Effect.flatMap(OAuth2Client.OAuth2Client, (client) =>
 *   SignOut.byRedirect(client.session(), {
 *     endSessionEndpoint: "https://as.example.com/session/end",
 *     clientId: client.registration.clientId,
 *     postLogoutRedirectUri: "https://app.example.com/"
 *   }))
 *
 * @since 0.1.0
 * @category combinators
 */
export const byRedirect = (
  session: { readonly signOut: Effect.Effect<unknown, OAuth2Error> },
  options: Options
): Effect.Effect<never, OAuth2Error> =>
  Effect.gen(function*() {
    const { allowInsecureLoopback, endSessionEndpoint } = options
    const url = new URL(yield* Endpoint.make("endSessionEndpoint", endSessionEndpoint, { allowInsecureLoopback }))
    const { clientId, idTokenHint, postLogoutRedirectUri, state } = options
    const parameters = {
      client_id: clientId,
      post_logout_redirect_uri: postLogoutRedirectUri,
      state,
      id_token_hint: idTokenHint && Redacted.value(idTokenHint)
    }
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value)
    yield* session.signOut
    yield* Effect.sync(() => globalThis.location.assign(url))
    return yield* Effect.never
  })
