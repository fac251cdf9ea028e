/** A program that does nothing but write sessions, and may be killed at any time. */
import { SessionRecord, TokenStore } from "@effect-oauth2/core"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Duration, Effect, Option } from "effect"
import { answer, settings, tell } from "./answering.js"
import { custodyOf } from "./custody.js"
import type { WriterSettings } from "./messages.js"
import { tokenOf } from "./wholeRecord.js"

const { keys, name, store } = settings<WriterSettings>()

let attempts = 0

const renew = (custody: TokenStore.TokenStoreService, key: string) =>
  Effect.gen(function*() {
    const generation = Option.match(yield* custody.get(key), { onNone: () => 0, onSome: (found) => found.generation })
    const claim = { generation, attempt: `${name}-${attempts++}` }
    const begun = yield* custody.begin(key, claim, Duration.millis(50))
    if (begun._tag !== "Begun") return yield* Effect.sleep(1)
    // Meanwhile the others write
    yield* Effect.zipRight(tell({ event: "Begun", key, time: Date.now() }), Effect.sleep(1))
    yield* custody.commit(key, claim, SessionRecord.authorized(generation + 1, tokenOf(generation + 1)))
  }).pipe(
    // A store that has no time is asked again; what cannot be read ends the process, and the rig sees it
    Effect.catchIf(({ reason }) => reason === "Unavailable", () => Effect.sleep(1)),
    Effect.zipLeft(Effect.yieldNow())
  )

const main = Effect.gen(function*() {
  const custody = yield* TokenStore.TokenStore
  yield* answer<Record<never, never>, Record<never, never>, never>({})
  return yield* Effect.forEach(keys, (key) => Effect.forever(renew(custody, key)), { concurrency: "unbounded" })
})

NodeRuntime.runMain(Effect.scoped(Effect.provide(main, custodyOf(store))))
