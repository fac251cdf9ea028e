/** Calls to the API, one or many, and what became of them: counted, and none forgotten. */
import * as OAuth2HttpClient from "@effect-oauth2/core/OAuth2HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Element from "./Element.js"
import * as Log from "./Log.js"
import { Settings } from "./Settings.js"
import * as Words from "./Words.js"

const Answer = Schema.Struct({ hello: Schema.String })

const call = Effect.gen(function*() {
  const { api } = yield* Settings
  const http = yield* OAuth2HttpClient.OAuth2HttpClient
  const response = yield* Effect.flatMap(http.get(`${api}/hello`), HttpClientResponse.filterStatusOk)
  return (yield* HttpClientResponse.schemaBodyJson(Answer)(response)).hello
})

const many = 20

export const buttons = Effect.gen(function*() {
  const counts = yield* Ref.make({ answered: 0, failed: 0 })
  const isSteady = yield* Ref.make(false)
  const count = (what: "answered" | "failed") =>
    Effect.flatMap(
      Ref.updateAndGet(counts, (before) => ({ ...before, [what]: before[what] + 1 })),
      (after) => Element.show(what, String(after[what]))
    )

  /** `undefined`: answered. Otherwise why not. */
  const counted = call.pipe(
    Effect.flatMap((name) => Element.show("greeting", `The API says hello to ${name}.`)),
    Effect.zipRight(count("answered")),
    Effect.as(undefined),
    Effect.catchTag("ParseError", () => Effect.as(count("failed"), "the API answered something strange")),
    Effect.catchAll((error) => Effect.as(count("failed"), Words.ofCall(error)))
  )

  const once = Effect.flatMap(counted, (problem) =>
    problem === undefined
      ? Log.say("plain", "The API answered.")
      : Log.say("trouble", `The call failed: ${problem}.`))

  const atOnce = Effect.flatMap(
    Effect.all(Array.from({ length: many }, () => counted), { concurrency: "unbounded" }),
    (problems) => {
      const failed = problems.filter((problem) => problem !== undefined)
      return failed.length === 0
        ? Log.say("plain", `${many} calls at once, and all were answered.`)
        : Log.say("trouble", `Of ${many} calls ${failed.length} failed: ${failed[0]}.`)
    }
  )

  const turnSteady = Effect.flatMap(
    Ref.updateAndGet(isSteady, (before) => !before),
    (now) => Effect.sync(() => Element.find("call-steadily").setAttribute("aria-pressed", `${now}`))
  )

  yield* Element.onClick("call-once", once)
  yield* Element.onClick("call-many", atOnce)
  yield* Element.onClick("call-steadily", turnSteady)
  yield* Ref.get(isSteady).pipe(
    Effect.flatMap((isOn) => isOn ? Effect.asVoid(counted) : Effect.void),
    Effect.repeat(Schedule.spaced("1 second")),
    Effect.forkScoped
  )
})
