/** The three ways in, and what happens on the way back. */
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import * as PopupSignIn from "@effect-oauth2/platform-browser/PopupSignIn"
import * as RedirectSignIn from "@effect-oauth2/platform-browser/RedirectSignIn"
import * as SignInCallback from "@effect-oauth2/platform-browser/SignInCallback"
import * as SilentSignIn from "@effect-oauth2/platform-browser/SilentSignIn"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Element from "./Element.js"
import * as Log from "./Log.js"
import { Settings } from "./Settings.js"
import * as Stores from "./Stores.js"
import * as Words from "./Words.js"

export const buttons = Effect.gen(function*() {
  const client = yield* OAuth2Client.OAuth2Client
  const settings = yield* Settings
  // Whoever comes back finds the same store
  const redirectUri = Stores.keepIn(settings.redirectUri, Stores.of(location.href))
  const said = Effect.catchAll((error: Parameters<typeof Words.ofSignIn>[0]) =>
    Log.say("trouble", Words.ofSignIn(error))
  )
  yield* Element.onClick("sign-in-redirect", said(RedirectSignIn.start(client, { redirectUri })))
  yield* Element.onClick("sign-in-popup", said(PopupSignIn.signIn(client, { redirectUri })))
  yield* Element.onClick("sign-in-silent", said(SilentSignIn.signIn(client, { redirectUri })))
})

/**
 * Answers the callback, if this page was opened with one. `true`: the page goes on. `false`: this is the window of a
 * sign-in, and closes itself.
 */
export const arrive = Effect.gen(function*() {
  const answered = yield* SignInCallback.answer(yield* OAuth2Client.OAuth2Client)
  if (Option.isNone(answered)) return true
  if (answered.value._tag === "Delivered") return false
  const { returnTo } = answered.value
  // The page stays, and what is in its memory too: only its address is another
  yield* Effect.sync(() => history.replaceState(null, "", returnTo))
  return true
}).pipe(
  Effect.catchAll((error) => Effect.as(Log.say("trouble", Words.ofSignIn(error)), true))
)
