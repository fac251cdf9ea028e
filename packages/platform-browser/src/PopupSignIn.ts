/**
 * Signing in in a window of its own, while the page stays as it is. The page that the server sends back to runs
 * `SignInCallback.answer`.
 *
 * @since 0.1.0
 */
import type { BeginOptions } from "@effect-oauth2/core/OAuth2Client"
import type { OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Answers from "./internal/answers.js"
import type { SignInClient } from "./SignInClient.js"
import { SignInError } from "./SignInError.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends BeginOptions {
  /** Of the window, in pixels. Default: 480 by 640. */
  readonly width?: number | undefined
  readonly height?: number | undefined
  /** How long the user may take. Default: 10 minutes. */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * What it means that the window seems to be closed. A server whose pages are isolated (`Cross-Origin-Opener-Policy`)
   * makes it seem so at once, although the user is still there: with `wait` only the answer, the time-out and interruption
   * end the waiting. Default: `fail`.
   */
  readonly whenClosed?: "fail" | "wait" | undefined
}

/**
 * Opens the window, waits for the user, and exchanges the code. Run it in the click: the window is opened before anything
 * else, and browsers block what comes later; so build the client's layers before. Any number may be under way. The window
 * closes in every case, also when this effect is interrupted, unless the server's pages are isolated from it: then it closes
 * when it brings the answer.
 *
 * Fails with `SignInError`: `PopupBlocked`, `PopupClosed`, `Timeout`; and as `OAuth2Client.begin` and `complete` do.
 * Without `sessionKey` the session is `"default"`.
 *
 * @example
 * import { OAuth2Client } from "@effect-oauth2/core"
 * import { PopupSignIn } from "@effect-oauth2/platform-browser"
 * import { Effect } from "effect"
 *
 * // button.addEventListener("click", () => runtime.runFork(signIn))
 * export const signIn = Effect.flatMap(OAuth2Client.OAuth2Client, (client) =>
 *   PopupSignIn.signIn(client, { parameters: { prompt: "select_account" } }))
 *
 * @since 0.1.0
 * @category combinators
 */
export const signIn = <Session>(
  client: SignInClient<Session>,
  { height = 640, sessionKey = "default", timeout = "10 minutes", whenClosed = "fail", width = 480, ...options }:
    Options = {}
): Effect.Effect<Session, OAuth2Error | SignInError> =>
  Effect.gen(function*() {
    const popup = yield* open(width, height)
    const { pending, url } = yield* client.begin({ sessionKey, ...options })
    const arrival = yield* Answers.expect(pending.state)
    popup.location.href = url.href
    const callback = yield* (whenClosed === "wait" ? arrival : Effect.raceFirst(arrival, closed(popup))).pipe(
      Effect.timeoutFail({ duration: timeout, onTimeout: () => new SignInError({ reason: "Timeout" }) })
    )
    return { callback, pending }
  }).pipe(Effect.scoped, Effect.flatMap(client.complete))

/** In the middle of the page's window. */
const open = (width: number, height: number): Effect.Effect<Window, SignInError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const left = Math.round(globalThis.screenX + (globalThis.outerWidth - width) / 2)
      const top = Math.round(globalThis.screenY + (globalThis.outerHeight - height) / 2)
      const popup = globalThis.open("", "_blank", `popup,width=${width},height=${height},left=${left},top=${top}`)
      return popup === null ? new SignInError({ reason: "PopupBlocked" }) : Effect.succeed(popup)
    }),
    (popup) => Effect.sync(() => popup.close())
  )

/** Fails a moment after the window is gone: its answer may still be on the way. */
const closed = (popup: Window): Effect.Effect<never, SignInError> =>
  Effect.sync(() => popup.closed).pipe(
    Effect.repeat(Schedule.spaced("200 millis").pipe(Schedule.untilInput((isClosed: boolean) => isClosed))),
    Effect.zipRight(Effect.sleep(Duration.millis(500))),
    Effect.zipRight(new SignInError({ reason: "PopupClosed" }))
  )
