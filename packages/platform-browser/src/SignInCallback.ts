/**
 * The page that the authorization server sends the user back to, for all flows: it takes the code out of the address bar,
 * and hands it to whoever began.
 *
 * @since 0.1.0
 */
import { AuthorizationResponseError, type OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import { PendingAuthorizations } from "@effect-oauth2/core/PendingAuthorizations"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Answers from "./internal/answers.js"
import * as Returns from "./internal/returns.js"
import type { SignInClient } from "./SignInClient.js"
import { SignInError } from "./SignInError.js"

/**
 * What became of a callback.
 *
 * - `Completed`: this tab had been sent away, and is signed in. `returnTo` is a path of this origin.
 * - `Delivered`: the page that opened this window, or this frame, goes on with it. The window closes itself.
 *
 * @since 0.1.0
 * @category models
 */
export type Answered<Session> =
  | { readonly _tag: "Completed"; readonly session: Session; readonly returnTo: string }
  | { readonly _tag: "Delivered" }

/**
 * Answers the callback that is in the address bar, and takes it away from there, or the one that `take` took from there
 * before the client was built. `None`: the page was opened without one, or is answering it already.
 *
 * A session in memory, or in a token worker, ends with the document: go on to `returnTo` within it, as a router does.
 *
 * Fails with `SignInError`: `Interrupted` after a reload in the middle of it, `NobodyWaits`; with
 * `AuthorizationResponseError` when the callback is refused, such as one that comes twice; with `ErrorResponse` when the
 * server said no; and as a token request does.
 *
 * @example
 * import { OAuth2Client } from "@effect-oauth2/core"
 * import { SignInCallback } from "@effect-oauth2/platform-browser"
 * import { Effect, Option } from "effect"
 *
 * // First thing in the page's script, before any layer is built
 * const callback = Effect.runSync(SignInCallback.take)
 *
 * export const callbackPage = Effect.gen(function*() {
 *   const answered = yield* SignInCallback.answer(yield* OAuth2Client.OAuth2Client, callback)
 *   if (Option.isSome(answered) && answered.value._tag === "Completed") location.replace(answered.value.returnTo)
 * })
 *
 * @since 0.1.0
 * @category combinators
 */
export const answer = <Session>(
  client: SignInClient<Session>,
  taken?: URL
): Effect.Effect<Option.Option<Answered<Session>>, OAuth2Error | SignInError, PendingAuthorizations> =>
  Effect.flatMap(
    taken === undefined ? take : Effect.succeed(taken),
    (callback): ReturnType<typeof answer<Session>> =>
      callback === undefined
        ? Effect.zipRight(Returns.interrupted, Effect.succeedNone)
        : Effect.asSome(answerOf(client, callback))
  )

/**
 * The callback in the address bar, which is not there any more: neither in the history nor for a `Referer`. What else the
 * query says stays. `undefined`: there is none.
 *
 * @since 0.1.0
 * @category accessors
 */
export const take: Effect.Effect<URL | undefined> = Effect.sync(() => {
  if (typeof location === "undefined") return undefined
  const callback = new URL(location.href)
  const { hash, searchParams } = callback
  const isInFragment = isAnswer(new URLSearchParams(hash.slice(1)))
  if (!isInFragment && !isAnswer(searchParams)) return undefined
  const clean = new URL(callback)
  for (const name of parameters) clean.searchParams.delete(name)
  if (isInFragment) clean.hash = ""
  history.replaceState(history.state, "", clean)
  return callback
})

const isAnswer = (query: URLSearchParams): boolean =>
  query.has("state") && ["code", "error", "access_token", "id_token", "response"].some((name) => query.has(name))

/** Of RFC 6749, RFC 9207, OpenID Connect and JARM; the tokens are refused, and are no less secret for that. */
const parameters = [
  ...["code", "state", "iss", "error", "error_description", "error_uri", "session_state"],
  ...["access_token", "id_token", "refresh_token", "token_type", "expires_in", "response"]
]

const stateOf = ({ hash, searchParams }: URL): string =>
  searchParams.get("state") ?? new URLSearchParams(hash.slice(1)).get("state") ?? ""

const answerOf = <Session>(
  client: SignInClient<Session>,
  callback: URL
): Effect.Effect<Answered<Session>, OAuth2Error | SignInError, PendingAuthorizations> =>
  Effect.gen(function*() {
    const state = stateOf(callback)
    const pendings = yield* PendingAuthorizations
    const returnTo = yield* Returns.of(state)
    if (returnTo !== undefined) {
      const pending = yield* pendings.get(state)
      if (pending === undefined) return yield* unknown(state)
      yield* Returns.exchanging(state)
      const session = yield* Effect.ensuring(
        client.complete({ callback, pending }),
        Effect.zipRight(Effect.ignore(pendings.consume(pending)), Returns.forget)
      )
      return { _tag: "Completed", session, returnTo }
    }
    if (!(yield* Answers.deliver(state, callback))) {
      if (yield* pendings.isConsumed(state)) return yield* unknown(state)
      return yield* new SignInError({ reason: "NobodyWaits" })
    }
    globalThis.close()
    return { _tag: "Delivered" }
  })

/** A state that is not pending here: it was used up, or it is somebody else's. */
const unknown = (state: string): Effect.Effect<never, OAuth2Error, PendingAuthorizations> =>
  Effect.flatMap(
    Effect.flatMap(PendingAuthorizations, (pendings) => pendings.isConsumed(state)),
    (isConsumed) =>
      new AuthorizationResponseError({ reason: isConsumed ? "TransactionConsumed" : "TransactionUnknown" })
  )
