/**
 * The page wakes up: it is seen again, it is online again, or the browser has kept it and brings it back. Timers slept
 * meanwhile, and clocks did not.
 *
 * @since 0.1.0
 */
import type { OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/**
 * - `visible`: the tab is in front again, as after the device slept.
 * - `online`: there is a network again.
 * - `restored`: the page comes out of the back-forward cache.
 *
 * @since 0.1.0
 * @category models
 */
export type Reason = "visible" | "online" | "restored"

/**
 * Each time that the page wakes up, from the subscription on.
 *
 * @since 0.1.0
 * @category constructors
 */
export const events: Stream.Stream<Reason> = Stream.asyncPush<Reason>((emit) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const onVisible = () => document.visibilityState === "visible" ? emit.single("visible") : undefined
      const onOnline = () => emit.single("online")
      const onShow = ({ persisted }: PageTransitionEvent) => persisted ? emit.single("restored") : undefined
      document.addEventListener("visibilitychange", onVisible)
      globalThis.addEventListener("online", onOnline)
      globalThis.addEventListener("pageshow", onShow)
      return () => {
        document.removeEventListener("visibilitychange", onVisible)
        globalThis.removeEventListener("online", onOnline)
        globalThis.removeEventListener("pageshow", onShow)
      }
    }),
    (remove) => Effect.sync(remove)
  ), { bufferSize: 1, strategy: "sliding" })

/**
 * Looks at the session now and each time that the page wakes up, so that one that ran out meanwhile is renewed before its
 * next use, by one tab for all. What fails is an event of the client, and is tried again at the next wake; it ends with
 * `ReauthorizationRequired` when only a new sign-in helps.
 *
 * @example
 * import { OAuth2Client } from "@effect-oauth2/core"
 * import { Wake } from "@effect-oauth2/platform-browser"
 * import { Effect } from "effect"
 *
 * export const awake = Effect.flatMap(OAuth2Client.OAuth2Client, (client) => Wake.keepFresh(client.session()))
 *
 * @since 0.1.0
 * @category combinators
 */
export const keepFresh = (session: {
  readonly token: Effect.Effect<unknown, OAuth2Error>
}): Effect.Effect<void, OAuth2Error> =>
  Stream.runForEach(
    Stream.merge(Stream.succeed("visible"), events),
    () =>
      Effect.catchTags(Effect.asVoid(session.token), {
        RefreshFailed: () => Effect.void,
        StoreError: () => Effect.void
      })
  )
