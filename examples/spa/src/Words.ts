/** Errors, as one says them to a person. */
import type * as OAuth2Error from "@effect-oauth2/core/OAuth2Error"
import type * as OAuth2HttpClient from "@effect-oauth2/core/OAuth2HttpClient"
import type * as SignInError from "@effect-oauth2/platform-browser/SignInError"
import * as SilentSignIn from "@effect-oauth2/platform-browser/SilentSignIn"

const signIn: Readonly<Record<SignInError.SignInReason, string>> = {
  ReturnToRefused: "The way back leads to another site, so nothing was begun.",
  Abandoned: "You came back without signing in. Nothing has changed.",
  Interrupted: "The page was left in the middle of the sign-in. Please sign in again.",
  PopupBlocked: "Your browser has blocked the window. Allow it, or sign in in this tab.",
  PopupClosed: "The window was closed before you had signed in.",
  Timeout: "Nobody answered in time. Please try again.",
  NobodyWaits: "Nobody waits for this sign-in any more. Please begin again."
}

export const ofSignIn = (error: OAuth2Error.OAuth2Error | SignInError.SignInError): string =>
  error._tag === "SignInError"
    ? signIn[error.reason]
    : SilentSignIn.isInteractionNeeded(error)
    ? "The server does not know you yet. Sign in once, and it can answer without a word to you."
    : error._tag === "TransportError"
    ? "The authorization server cannot be reached just now. Please try again."
    : error.message

/** Why a call failed, as the end of a sentence. */
export const ofCall = (error: OAuth2HttpClient.Failure): string =>
  error._tag === "ReauthorizationRequired"
    ? error.reason === "NoSession" ? "nobody is signed in" : "the session has ended"
    : error._tag === "RefreshFailed"
    ? "the token has run out, and there is no other just now. The session is kept"
    : error._tag === "RequestError"
    ? "the API cannot be reached"
    : error._tag === "ResponseError"
    ? `the API answered ${error.response.status}`
    : error.message
