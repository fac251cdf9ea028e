/** A program that reads sessions all the while, and looks whether each record is whole. */
import { SessionRecord, TokenStore } from "@effect-oauth2/core"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Duration, Effect, Option, Schedule } from "effect"
import { answer, settings } from "./answering.js"
import { custodyOf } from "./custody.js"
import type { ReaderAnswers, ReaderQuestions, ReaderSettings } from "./messages.js"
import { isWhole, tokenOf } from "./wholeRecord.js"

const { keys, store } = settings<ReaderSettings>()

const seen = { reads: 0, torn: 0, lost: 0, wentBack: 0, unanswered: 0 }
const generations = new Map<string, number>()

const look = (key: string, found: Option.Option<SessionRecord.SessionRecord>): void => {
  const before = generations.get(key) ?? 0
  if (Option.isNone(found)) return void (seen.lost += before > 0 ? 1 : 0)
  if (!isWhole(found.value)) seen.torn++
  if (found.value.generation < before) seen.wentBack++
  generations.set(key, found.value.generation)
}

const main = Effect.gen(function*() {
  const custody = yield* TokenStore.TokenStore

  const read = (key: string) =>
    Effect.match(custody.get(key), {
      onFailure: ({ reason }) => void (reason === "Unavailable" ? seen.unanswered++ : seen.torn++),
      onSuccess: (found) => {
        seen.reads++
        look(key, found)
      }
    })

  const renew = (key: string) =>
    Effect.gen(function*() {
      const { generation } = Option.getOrThrow(yield* custody.get(key))
      const claim = { generation, attempt: "who comes after" }
      const begun = yield* custody.begin(key, claim, Duration.seconds(10))
      if (begun._tag !== "Begun") return false
      const next = SessionRecord.authorized(generation + 1, tokenOf(generation + 1))
      return (yield* custody.commit(key, claim, next))._tag === "Committed"
    })

  yield* answer<ReaderQuestions, ReaderAnswers, never>({
    seen: () => Effect.succeed(seen),
    state: ({ key }) =>
      Effect.map(
        custody.get(key),
        Option.match({
          onNone: () => ({ generation: 0, isRedeeming: false }),
          onSome: ({ generation, state }) => ({ generation, isRedeeming: state._tag === "Redeeming" })
        })
      ),
    renew: ({ key, within }) =>
      Effect.orElseSucceed(renew(key), () => false).pipe(
        Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("10 millis") }),
        Effect.as(true),
        Effect.timeoutTo({ duration: within, onTimeout: () => false, onSuccess: (done) => done })
      )
  })
  return yield* Effect.forever(
    Effect.zipRight(Effect.forEach(keys, read, { discard: true }), Effect.sleep(1))
  )
})

NodeRuntime.runMain(Effect.scoped(Effect.provide(main, custodyOf(store))))
