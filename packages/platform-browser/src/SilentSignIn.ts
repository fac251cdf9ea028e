/**
 * Signing in without a word to the user, in a hidden frame, where the server knows them already (OpenID Connect
 * `prompt=none`). The page that the server sends back to runs `SignInCallback.answer`.
 *
 * It needs the server's cookie in a frame: where the server is of another site than the page, browsers that block
 * third-party cookies make every answer `login_required`.
 *
 * @since 0.1.0
 */
import type { BeginOptions } from "@effect-oauth2/core/OAuth2Client"
import type { OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Answers from "./internal/answers.js"
import type { SignInClient } from "./SignInClient.js"
import { SignInError } from "./SignInError.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends BeginOptions {
  /** How long the server may take. Default: 10 seconds. */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * Asks the server whether it knows the user. The frame is gone afterwards in every case.
 *
 * Fails with `ErrorResponse`, code `login_required`, `interaction_required`, `consent_required` or
 * `account_selection_required`, when the user has to be asked ({@link isInteractionNeeded}); with `SignInError`, reason
 * `Timeout`, also when the server forbids to be framed; and as `OAuth2Client.begin` and `complete` do. Without
 * `sessionKey` the session is `"default"`.
 *
 * @example
 * import { OAuth2Client } from "@effect-oauth2/core"
 * import { SilentSignIn } from "@effect-oauth2/platform-browser"
 * import { Effect } from "effect"
 *
 * export const whoever = Effect.flatMap(OAuth2Client.OAuth2Client, (client) => SilentSignIn.signIn(client)).pipe(
 *   Effect.asSome,
 *   Effect.catchIf(SilentSignIn.isInteractionNeeded, () => Effect.succeedNone)
 * )
 *
 * @since 0.1.0
 * @category combinators
 */
export const signIn = <Session>(
  client: SignInClient<Session>,
  { parameters, sessionKey = "default", timeout = "10 seconds", ...options }: Options = {}
): Effect.Effect<Session, OAuth2Error | SignInError> =>
  Effect.gen(function*() {
    const { pending, url } = yield* client.begin({
      sessionKey,
      ...options,
      parameters: { ...parameters, prompt: "none" }
    })
    const arrival = yield* Answers.expect(pending.state)
    yield* frame(url)
    const callback = yield* Effect.timeoutFail(arrival, {
      duration: timeout,
      onTimeout: () => new SignInError({ reason: "Timeout" })
    })
    return { callback, pending }
  }).pipe(Effect.scoped, Effect.flatMap(client.complete))

/**
 * Whether the server says that the user has to be asked (OpenID Connect Core §3.1.2.6).
 *
 * @since 0.1.0
 * @category predicates
 */
export const isInteractionNeeded = (error: OAuth2Error | SignInError): boolean =>
  error._tag === "ErrorResponse" && needed.has(error.code)

const needed: ReadonlySet<string> = new Set([
  "login_required",
  "interaction_required",
  "consent_required",
  "account_selection_required"
])

const frame = (url: URL): Effect.Effect<HTMLIFrameElement, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const frame = document.createElement("iframe")
      frame.hidden = true
      frame.src = url.href
      document.body.append(frame)
      return frame
    }),
    (frame) => Effect.sync(() => frame.remove())
  )
