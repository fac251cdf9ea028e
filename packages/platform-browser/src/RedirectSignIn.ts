/**
 * Signing in by sending the page itself to the authorization server. The page that it comes back to runs
 * `SignInCallback.answer`.
 *
 * @since 0.1.0
 */
import type { BeginOptions } from "@effect-oauth2/core/OAuth2Client"
import type { OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import { PendingAuthorizations } from "@effect-oauth2/core/PendingAuthorizations"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Returns from "./internal/returns.js"
import * as ReturnTo from "./ReturnTo.js"
import type { SignInClient } from "./SignInClient.js"
import { SignInError } from "./SignInError.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends BeginOptions {
  /** Where to go afterwards: a path of this origin. Default: where the page is now, or `/` from the page of the callback. */
  readonly returnTo?: string | undefined
}

/**
 * Begins a sign-in and leaves the page. It never succeeds; any number may be under way, in one tab and in several.
 *
 * Fails with `SignInError`: `ReturnToRefused`, and `Abandoned` when the user comes back to this page by the back button;
 * and as `OAuth2Client.begin` does. Without `sessionKey` the session is `"default"`.
 *
 * @example
 * import { OAuth2Client } from "@effect-oauth2/core"
 * import { RedirectSignIn } from "@effect-oauth2/platform-browser"
 * import { Effect } from "effect"
 *
 * export const signIn = Effect.flatMap(OAuth2Client.OAuth2Client, (client) =>
 *   RedirectSignIn.start(client, { returnTo: "/inbox" }))
 *
 * @since 0.1.0
 * @category combinators
 */
export const start = <Session>(
  client: SignInClient<Session>,
  { returnTo, sessionKey = "default", ...options }: Options = {}
): Effect.Effect<never, OAuth2Error | SignInError, PendingAuthorizations> =>
  Effect.gen(function*() {
    const given = returnTo === undefined ? undefined : yield* ReturnTo.parse(returnTo)
    const pendings = yield* PendingAuthorizations
    const { pending, url } = yield* client.begin({ sessionKey, ...options })
    yield* pendings.put(pending)
    yield* Returns.remember(pending.state, given ?? here(pending.redirectUri), pending.expiresAt)
    return yield* leave(url)
  })

/** Where the page is now. Back at the page of the callback there would be nothing to answer. */
const here = (redirectUri: string): string => {
  const isCallback = new URL(redirectUri, globalThis.location.href).pathname === globalThis.location.pathname
  return isCallback ? "/" : Either.getOrElse(ReturnTo.parse(ReturnTo.here()), () => "/")
}

/** Goes there. Who comes back finds the page as it was left, if the browser has kept it. */
const leave = (url: URL): Effect.Effect<never, SignInError> =>
  Effect.async<never, SignInError>((resume) => {
    const onShow = ({ persisted }: PageTransitionEvent): void => {
      if (!persisted) return
      remove()
      resume(new SignInError({ reason: "Abandoned" }))
    }
    const remove = (): void => globalThis.removeEventListener("pageshow", onShow)
    globalThis.addEventListener("pageshow", onShow)
    globalThis.location.assign(url)
    return Effect.sync(remove)
  })
