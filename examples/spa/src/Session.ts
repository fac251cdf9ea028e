/**
 * The session as this tab knows it. The client's events say what happened; what is held is looked at, and nothing is
 * renewed by looking.
 */
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import type * as OAuth2Error from "@effect-oauth2/core/OAuth2Error"
import * as ReadOnlySession from "@effect-oauth2/core/ReadOnlySession"
import * as Wake from "@effect-oauth2/platform-browser/Wake"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Log } from "./Log.js"
import type * as Tabs from "./Tabs.js"

export interface State {
  /** `undefined` before the first look. */
  readonly isSignedIn: boolean | undefined
  readonly token?: { readonly generation: number; readonly issuedAt: number; readonly expiresAt: number } | undefined
  /** Why the newest attempt to renew came to nothing. */
  readonly trouble?: OAuth2Error.AttemptError | undefined
  /** Who got the token that is held. */
  readonly fetchedBy?: Tabs.Tab | undefined
  readonly renewals: number
  readonly adoptions: number
}

export class Session extends Context.Tag("spa/Session")<Session, {
  readonly state: SubscriptionRef.SubscriptionRef<State>
  /** Looks at what is held. */
  readonly look: (more?: Partial<State>) => Effect.Effect<void>
  /** There is no session any more. */
  readonly end: Effect.Effect<void>
}>() {}

export const layer = Layer.scoped(
  Session,
  Effect.gen(function*() {
    const client = yield* OAuth2Client.OAuth2Client
    const log = yield* Log
    const session = client.session()
    const state = yield* SubscriptionRef.make<State>({ isSignedIn: undefined, renewals: 0, adoptions: 0 })

    const end = SubscriptionRef.update(state, ({ adoptions, renewals }) => ({
      isSignedIn: false,
      renewals,
      adoptions
    }))

    /** A store that cannot be read just now ends nothing: what was known stays. */
    const ended = (error: OAuth2Error.OAuth2Error) =>
      error._tag === "ReauthorizationRequired" ? end : log.say("trouble", error.message)

    const look = (more: Partial<State> = {}) =>
      ReadOnlySession.look(client.manager, session.key).pipe(
        Effect.flatMap((held) =>
          SubscriptionRef.update(state, (before): State => ({
            ...before,
            ...more,
            isSignedIn: true,
            // One that has run out is not held any more, but what is known of it is still of interest
            token: held === undefined ? before.token : {
              generation: held.generation,
              issuedAt: held.token.issuedAt,
              expiresAt: held.token.expiresAt ?? Infinity
            }
          }))
        ),
        Effect.catchAll(ended)
      )

    // As long as there is a session: looked after whenever the page wakes up
    yield* state.changes.pipe(
      Stream.map(({ isSignedIn }) => isSignedIn),
      Stream.changes,
      Stream.flatMap((isSignedIn) =>
        isSignedIn === true
          ? Stream.fromEffect(Effect.catchAll(Wake.keepFresh(session), ended))
          : Stream.empty, { switch: true }),
      Stream.runDrain,
      Effect.forkScoped
    )
    return { state, look, end }
  })
)
