/**
 * What befalls the program: one act for each token, from its beginning until the next one is there.
 */
import type { OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import type { OAuth2HttpClient } from "@effect-oauth2/core/OAuth2HttpClient"
import type { CurrentSession, OAuth2Session } from "@effect-oauth2/core/OAuth2Session"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Callers } from "./Callers.js"
import type { Narrator, NoNextToken } from "./Narrator.js"
import type { Screen } from "./Screen.js"
import type { Servers, ServersFailed } from "./Servers.js"
import type { Report } from "./servers/Messages.js"

/**
 * - `calm`: calls all the time. The token is renewed before it ends.
 * - `rush`: silence until the token has ended, then very many calls in the same instant.
 * - `outage`: the authorization server turns token requests away for a second.
 * - `withdrawn`: the server takes the token back before its time, and tells nobody.
 */
export type Act = "calm" | "rush" | "outage" | "withdrawn"

const opening: ReadonlyArray<Act> = [
  "calm",
  "calm",
  "rush",
  "calm",
  "outage",
  "calm",
  "withdrawn",
  "calm",
  "calm",
  "rush",
  "calm",
  "calm"
]

const shortOpening: ReadonlyArray<Act> = ["rush", "outage", "withdrawn"]

/** An API may have a token renewed by its refusal once a minute: `withdrawn` comes once. */
const goingOn: ReadonlyArray<Act> = ["calm", "calm", "rush", "calm", "outage"]

/** How many tokens the run uses up unless it is told otherwise. */
export const defaultExpiries = (quick: boolean): number => quick ? shortOpening.length : opening.length

export const plan = (expiries: number, quick: boolean): ReadonlyArray<Act> => {
  const first = quick ? shortOpening : opening
  return Array.from(
    { length: expiries },
    (_, index) => first[index] ?? goingOn[(index - first.length) % goingOn.length]!
  )
}

export interface Stage {
  readonly screen: Screen
  readonly servers: Servers
  readonly callers: Callers
  readonly session: OAuth2Session
  readonly tokens: Pick<Narrator, "current" | "tokenAfter">
  /** How many calls come in a rush. */
  readonly crowd: number
}

type Played = Effect.Effect<void, OAuth2Error | ServersFailed | NoNextToken, OAuth2HttpClient | CurrentSession>

export const play = (act: Act, stage: Stage, isFirst: boolean): Played => {
  switch (act) {
    case "calm":
      return calm(stage)
    case "rush":
      return rush(stage, isFirst)
    case "outage":
      return outage(stage)
    case "withdrawn":
      return withdrawn(stage)
  }
}

const calm = ({ tokens }: Stage): Played => Effect.flatMap(tokens.current, tokens.tokenAfter)

const rush = ({ callers, crowd, screen, session, tokens }: Stage, isFirst: boolean): Played =>
  Effect.gen(function*() {
    const number = yield* tokens.current
    yield* Effect.sleep("300 millis")
    yield* callers.pause
    yield* screen.say(`All fall silent until the token has ended. Then ${crowd} calls come in the same instant.`)
    const { expiresAt } = yield* session.token
    yield* sleepUntil((expiresAt ?? 0) + 1)
    const stranger = callers.count + 1
    const first = yield* Effect.fork(isFirst ? callers.once(stranger) : Effect.void)
    const others = yield* Effect.fork(
      Effect.forEach(
        Array.from({ length: crowd }, (_, index) => index % callers.count + 1),
        callers.once,
        { concurrency: "unbounded", discard: true }
      )
    )
    if (isFirst) {
      yield* Effect.yieldNow()
      yield* Effect.asVoid(Fiber.interrupt(first))
      yield* screen.say(`Caller ${stranger}, whose call has begun the refresh, gives up. The refresh goes on.`)
    }
    yield* Fiber.join(others)
    yield* callers.resume
    yield* tokens.tokenAfter(number)
  })

const outage = ({ screen, servers, tokens }: Stage): Played =>
  Effect.gen(function*() {
    const before = turnedAway(yield* servers.report)
    yield* servers.refuse(1_000)
    yield* screen.say("From the next token request on, the server turns all away for a second.")
    yield* Effect.repeat(Effect.delay(servers.report, "50 millis"), { until: (report) => turnedAway(report) > before })
    yield* Effect.flatMap(tokens.current, tokens.tokenAfter)
  })

const turnedAway = ({ tokenRequests }: Report): number => tokenRequests.filter(({ status }) => status === 503).length

const withdrawn = ({ screen, servers, tokens }: Stage): Played =>
  Effect.gen(function*() {
    yield* Effect.sleep("500 millis")
    const number = yield* tokens.current
    yield* servers.withdraw
    yield* screen.say("The server takes the token back before its time, and tells nobody.")
    yield* tokens.tokenAfter(number)
  })

/** A timer may be a little early. */
const sleepUntil = (instant: number): Effect.Effect<void> =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (now) => now >= instant ? Effect.void : Effect.zipRight(Effect.sleep(instant - now), sleepUntil(instant))
  )
