/**
 * What can go wrong between a page and its user's way to the authorization server and back.
 *
 * @since 0.1.0
 */
import type { Remedy } from "@effect-oauth2/core/OAuth2Error"
import * as Schema from "effect/Schema"

/**
 * - `ReturnToRefused`: where to return to is no path of this origin.
 * - `Abandoned`: the user came back by the browser's back button.
 * - `Interrupted`: the page was left or reloaded while the code was exchanged.
 * - `PopupBlocked`, `PopupClosed`: what they say.
 * - `Timeout`: nobody came back in time.
 * - `NobodyWaits`: the page that opened this window is gone, or never waited for it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SignInReason = Schema.Literal(
  "ReturnToRefused",
  "Abandoned",
  "Interrupted",
  "PopupBlocked",
  "PopupClosed",
  "Timeout",
  "NobodyWaits"
)

/**
 * @since 0.1.0
 * @category models
 */
export type SignInReason = typeof SignInReason.Type

const advice: Record<SignInReason, string> = {
  ReturnToRefused: "The page to return to is none of this origin. Give its path, such as /inbox",
  Abandoned: "The user came back without signing in. Begin again",
  Interrupted: "The page was left while the code was exchanged. Begin again",
  PopupBlocked: "The browser blocked the window. Run this in the click itself, or sign in by redirect",
  PopupClosed: "The window was closed. Begin again; for a server that isolates its windows see whenClosed",
  Timeout: "Nobody came back in time. Begin again",
  NobodyWaits: "Nobody waits for this sign-in any more. Close this window and begin again"
}

const remedies: Partial<Record<SignInReason, Remedy>> = { ReturnToRefused: "program" }

/**
 * A sign-in did not come to its end. No token was issued, save to `Interrupted`, of which nobody knows.
 *
 * @since 0.1.0
 * @category errors
 */
export class SignInError extends Schema.TaggedError<SignInError>()("SignInError", { reason: SignInReason }) {
  get remedy(): Remedy {
    return remedies[this.reason] ?? "user"
  }

  get ambiguous(): boolean {
    return this.reason === "Interrupted"
  }

  override get message(): string {
    return advice[this.reason]
  }
}
