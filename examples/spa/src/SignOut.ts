/** The two ways out: here, and at the server too. */
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import type * as TokenManager from "@effect-oauth2/core/TokenManager"
import * as BrowserSignOut from "@effect-oauth2/platform-browser/SignOut"
import * as Effect from "effect/Effect"
import * as Element from "./Element.js"
import * as Log from "./Log.js"
import { Settings } from "./Settings.js"
import * as Stores from "./Stores.js"

const words: Readonly<Record<TokenManager.SignedOut["revocation"], string>> = {
  Revoked: "Signed out here, and the server has revoked the refresh token.",
  Failed: "Signed out here. The server could not be told: its refresh token ends by itself.",
  NothingHeld: "Signed out here.",
  NotConfigured: "Signed out here."
}

export const buttons = Effect.gen(function*() {
  const client = yield* OAuth2Client.OAuth2Client
  const { endSessionEndpoint } = yield* Settings
  const failed = Effect.catchAll(({ message }: { readonly message: string }) => Log.say("trouble", message))
  const here = Effect.flatMap(client.session().signOut, ({ revocation }) => Log.say("plain", words[revocation]))
  const everywhere = BrowserSignOut.byRedirect(client.session(), {
    endSessionEndpoint,
    clientId: client.registration.clientId,
    postLogoutRedirectUri: Stores.keepIn(`${location.origin}/`, Stores.of(location.href)),
    allowInsecureLoopback: true
  })
  yield* Element.onClick("sign-out", failed(here))
  yield* Element.onClick("sign-out-server", failed(everywhere))
})
