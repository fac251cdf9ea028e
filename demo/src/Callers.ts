/**
 * The callers: each calls the API again and again, and none knows of the others.
 */
import type { OAuth2HttpClient } from "@effect-oauth2/core/OAuth2HttpClient"
import type { CurrentSession } from "@effect-oauth2/core/OAuth2Session"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as UserProgram from "./UserProgram.js"

export interface Callers {
  readonly count: number
  /** Nobody calls until `resume`; calls under way go on. */
  readonly pause: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /** Nobody calls any more, and the calls under way are over. */
  readonly end: Effect.Effect<void>
  /** One call that is nobody's turn. It never fails: what went wrong is recorded. */
  readonly once: (caller: number) => Effect.Effect<void, never, OAuth2HttpClient | CurrentSession>
  readonly tally: () => Tally
}

/** What became of the calls so far. Failures are by the error's name. */
export interface Tally {
  readonly answered: number
  readonly failed: Readonly<Record<string, number>>
  readonly interrupted: number
}

/** How long a caller does something else between two calls. */
const pace = "40 millis"

/** Callers that begin to call at once, until the scope ends. */
export const make = (options: {
  readonly api: string
  readonly count: number
}): Effect.Effect<Callers, never, OAuth2HttpClient | CurrentSession | Scope.Scope> =>
  Effect.gen(function*() {
    const gate = yield* Effect.makeLatch(true)
    const failed: Record<string, number> = {}
    let begun = 0
    let answered = 0
    let interrupted = 0

    const once = (caller: number) =>
      Effect.suspend(() => {
        begun++
        return UserProgram.call(options.api, caller)
      }).pipe(
        Effect.matchEffect({
          onSuccess: () => Effect.sync(() => answered++),
          onFailure: ({ _tag }) => Effect.sync(() => failed[_tag] = (failed[_tag] ?? 0) + 1)
        }),
        Effect.onInterrupt(() => Effect.sync(() => interrupted++)),
        Effect.asVoid
      )
    const work = (caller: number) => gate.await.pipe(Effect.zipRight(once(caller)), Effect.zipRight(Effect.sleep(pace)))
    yield* Effect.forkScoped(
      Effect.forEach(
        Array.from({ length: options.count }, (_, index) => index + 1),
        (caller) => Effect.forever(work(caller)),
        { concurrency: "unbounded", discard: true }
      )
    )
    const isOver = () => begun === answered + interrupted + Object.values(failed).reduce((sum, count) => sum + count, 0)
    return {
      count: options.count,
      pause: Effect.asVoid(gate.close),
      resume: Effect.asVoid(gate.open),
      end: Effect.zipRight(gate.close, Effect.repeat(Effect.sleep("10 millis"), { until: isOver })),
      once,
      tally: () => ({ answered, failed, interrupted })
    }
  })
