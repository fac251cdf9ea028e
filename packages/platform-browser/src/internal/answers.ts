/**
 * How the page that the server sends back to tells the page that waits: over a BroadcastChannel, which reaches it whatever
 * isolates their windows from each other, and by `postMessage` to this origin alone. A code is worth nothing without the
 * verifier, which the waiting page has.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"

const name = "effect-oauth2 callback"

/** How long the waiting page may take to say that it is there, in milliseconds. */
const patience = 1_500

const isMessage = (data: unknown): data is { readonly [name]: string; readonly callback?: unknown } =>
  Predicate.hasProperty(data, name) && typeof data[name] === "string"

const channel: Effect.Effect<BroadcastChannel, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => new BroadcastChannel(name)),
  (channel) => Effect.sync(() => channel.close())
)

/** From now on waits for the callback with this state; the effect within ends with it. */
export const expect = (state: string): Effect.Effect<Effect.Effect<string>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const broadcast = yield* channel
    const arrived = yield* Deferred.make<string>()
    /** Whether it was the callback that is waited for. */
    const hear = (data: unknown): boolean => {
      if (!isMessage(data) || data[name] !== state || typeof data.callback !== "string") return false
      Deferred.unsafeDone(arrived, Effect.succeed(data.callback))
      return true
    }
    broadcast.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (hear(data)) broadcast.postMessage({ [name]: state })
    }
    const onMessage = ({ data, origin, source }: MessageEvent<unknown>): void => {
      if (origin === globalThis.location.origin && hear(data)) {
        source?.postMessage({ [name]: state }, { targetOrigin: origin })
      }
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => globalThis.addEventListener("message", onMessage)),
      () => Effect.sync(() => globalThis.removeEventListener("message", onMessage))
    )
    return Deferred.await(arrived)
  })

/** Tells whoever waits for this state. `false`: nobody does. */
export const deliver = (state: string, callback: URL): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const broadcast = yield* channel
    const taken = yield* Deferred.make<void>()
    const hear = ({ data }: MessageEvent<unknown>): void => {
      if (isMessage(data) && data[name] === state && !("callback" in data)) Deferred.unsafeDone(taken, Effect.void)
    }
    const { origin } = globalThis.location
    const onMessage = (event: MessageEvent<unknown>): void => event.origin === origin ? hear(event) : undefined
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        broadcast.onmessage = hear
        globalThis.addEventListener("message", onMessage)
      }),
      () => Effect.sync(() => globalThis.removeEventListener("message", onMessage))
    )
    const message = { [name]: state, callback: callback.href }
    broadcast.postMessage(message)
    for (const other of [globalThis.opener as Window | null, globalThis.parent]) {
      if (other !== null && other !== globalThis.window) other.postMessage(message, origin)
    }
    return (yield* Effect.timeoutOption(Deferred.await(taken), patience))._tag === "Some"
  }).pipe(Effect.scoped)
