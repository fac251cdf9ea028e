/**
 * Tells what happens while it happens: a row for each thing that befalls the session, and one living line below.
 */
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import type { SessionEvent } from "@effect-oauth2/core/SessionEvent"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Callers } from "./Callers.js"
import type { Recorder } from "./Recorder.js"
import type { Row, Screen } from "./Screen.js"
import type { Servers, ServersFailed } from "./Servers.js"
import * as Story from "./Story.js"

export class NoNextToken extends Data.TaggedError("NoNextToken")<{ readonly seconds: number }> {
  override get message(): string {
    return `No new token came for ${this.seconds} seconds`
  }
}

export interface Narrator {
  /** The number of the newest token that was told, 0 before the first. */
  readonly current: Effect.Effect<number>
  /** Completes when a token after the one of this number is there, and told. */
  readonly tokenAfter: (number: number) => Effect.Effect<void, NoNextToken>
  /** Keeps the living line up to date. */
  readonly watch: (callers: Callers) => Effect.Effect<void, never, Scope.Scope>
  readonly signedOut: (revocation: string) => Effect.Effect<void, ServersFailed>
  readonly story: () => Story.Story
  readonly sessionsLost: () => number
}

export const make = (options: {
  readonly screen: Screen
  readonly servers: Servers
  readonly recorder: Recorder
}): Effect.Effect<Narrator, never, OAuth2Client.OAuth2Client | Scope.Scope> =>
  Effect.gen(function*() {
    const { recorder, screen, servers } = options
    const { tokenSeconds } = servers.ready
    const client = yield* OAuth2Client.OAuth2Client
    const current = yield* SubscriptionRef.make({ number: 0, endsAt: 0 })
    let sessionsLost = 0
    const story = () => Story.read(recorder.spans)
    const row = (row: Omit<Row, "requests">) =>
      Effect.flatMap(servers.report, ({ tokenRequests }) => screen.row({ ...row, requests: tokenRequests.length }))

    const arrived = (number: number, at: number): Effect.Effect<void> =>
      SubscriptionRef.set(current, { number, endsAt: at + tokenSeconds * 1_000 })

    const tell = (event: SessionEvent, at: number): Effect.Effect<void, ServersFailed> => {
      const renewal = story().renewals.at(-1)
      switch (event._tag) {
        case "Authorized":
          return Effect.zipRight(
            row({ token: event.generation, what: "signed in, and agreed", tone: "good" }),
            arrived(event.generation, at)
          )
        case "Refreshed":
          return Effect.zipRight(
            row({ token: event.generation, what: describe(renewal), tone: "good", ...who(renewal) }),
            arrived(event.generation, at)
          )
        case "RenewalFailed":
          return row({
            token: event.generation,
            what: `"not now", says the server: token ${event.generation} serves on`,
            tone: "trouble",
            ...who(renewal)
          })
        case "Dead":
          sessionsLost++
          return row({ token: 0, what: `the session is lost: ${event.reason}`, tone: "trouble" })
        case "Adopted":
        case "ScopeDiffers":
        case "ObserverFailed":
        case "SaveFailed":
        case "Saved":
        case "SignedOut":
        case "Removed":
        case "Renamed":
          return Effect.void
      }
    }
    // A moment later, those who waited have gone on, and the story is complete.
    yield* Effect.forkScoped(Stream.runForEach(client.events, (event) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) =>
        Effect.delay(
          Effect.ignore(Effect.suspend(() => tell(event, at))),
          "150 millis"
        ))))

    const progress = (callers: Callers) =>
      Effect.flatMap(Effect.all([current.get, Clock.currentTimeMillis]), ([{ endsAt, number }, now]) => {
        const { answered, failed } = callers.tally()
        return screen.progress({
          token: number,
          left: (endsAt - now) / (tokenSeconds * 1_000),
          secondsLeft: Math.max(endsAt - now, 0) / 1_000,
          calls: answered,
          failed: Object.values(failed).reduce((sum, count) =>
            sum + count, 0),
          waiting: [...recorder.open].filter(({ children, name }) =>
            name === "call" && children.every(({ ended }) =>
              ended !== undefined
            )
          ).length
        })
      })

    return {
      current: Effect.map(current.get, ({ number }) => number),
      tokenAfter: (number) =>
        current.changes.pipe(
          Stream.takeUntil((token) => token.number > number),
          Stream.runDrain,
          Effect.timeoutFail({ duration: "20 seconds", onTimeout: () => new NoNextToken({ seconds: 20 }) })
        ),
      watch: (callers) =>
        Effect.asVoid(Effect.forkScoped(Effect.repeat(progress(callers), Schedule.spaced("100 millis")))),
      signedOut: (revocation) =>
        Effect.flatMap(current.get, ({ number }) =>
          row({
            token: number,
            what: revocation === "Revoked"
              ? "signed out: the server has revoked it"
              : `signed out. At the server: ${revocation}`,
            tone: revocation === "Revoked" ? "good" : "trouble"
          })),
      story,
      sessionsLost: () => sessionsLost
    }
  })

const reasons: Record<Story.Renewal["why"], string> = {
  early: "fetched while the old still worked",
  expired: "fetched when the old had ended",
  refused: "fetched when the API refused the old"
}

const describe = (renewal: Story.Renewal | undefined): string =>
  renewal === undefined ? "fetched" : `${reasons[renewal.why]}, in ${Math.round(renewal.millis)} ms`

const who = (renewal: Story.Renewal | undefined): Pick<Row, "waited" | "fetchedBy"> => ({
  waited: renewal?.waited.length,
  fetchedBy: renewal?.beganBy === undefined ? undefined : `caller ${String(renewal.beganBy).padStart(2)}`
})
