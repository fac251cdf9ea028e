import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import * as OAuth2HttpClient from "@effect-oauth2/core/OAuth2HttpClient"
import { assert, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as Diagram from "../src/Diagram.js"
import * as Recorder from "../src/Recorder.js"
import * as Servers from "../src/Servers.js"
import type { Report } from "../src/servers/Messages.js"
import * as Story from "../src/Story.js"
import * as UserProgram from "../src/UserProgram.js"
import * as Mermaid from "./support/Mermaid.js"
import * as TestProgram from "./support/TestProgram.js"

const expiries = 5
const callers = 1_000
const tokenSeconds = 4

/** 1,000 calls at once after the sign-in, and 1,000 at once after the end of a token, five times. */
class Run extends Context.Tag("Run")<Run, {
  readonly exits: ReadonlyArray<Exit.Exit<unknown, { readonly _tag: string }>>
  readonly events: ReadonlyArray<string>
  readonly spans: ReadonlyArray<Recorder.Recorded>
  readonly story: Story.Story
  readonly report: Report
}>() {
  static readonly layer = Layer.scoped(Run, Effect.suspend(() => run))
}

const run = Effect.gen(function*() {
  const servers = yield* Servers.make({ tokenSeconds })
  const { ready } = servers
  const recorder = Recorder.make()
  return yield* Effect.gen(function*() {
    const client = yield* OAuth2Client.OAuth2Client
    const events = yield* Ref.make<ReadonlyArray<string>>([])
    yield* Effect.forkScoped(
      Stream.runForEach(client.events, (event) => Ref.update(events, (events) => [...events, event._tag]))
    )
    yield* warmUp(ready.api)
    yield* TestProgram.signIn(ready)
    const everybodyCalls = everybody((caller) => Effect.exit(UserProgram.call(ready.api, caller)))
    const exits = [yield* everybodyCalls]
    for (let expiry = 0; expiry < expiries; expiry++) {
      yield* until(endOfToken(recorder.spans))
      exits.push(yield* everybodyCalls)
    }
    return {
      exits: exits.flat(),
      events: yield* events,
      spans: recorder.spans,
      story: Story.read(recorder.spans),
      report: yield* servers.report
    }
  }).pipe(
    Effect.provide(
      TestProgram.layer(ready, {
        client: ready.clients.native,
        refreshPolicy: { earlyFraction: 0, rejectionInterval: 0 }
      }).pipe(Layer.provideMerge(recorder.layer))
    )
  )
})

const everybody = <A, E, R>(call: (caller: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(Array.from({ length: callers }, (_, index) => index), call, { concurrency: "unbounded" })

/** Opens the connections, so that the calls of the run take less time than a token lives. */
const warmUp = (api: string) =>
  Effect.flatMap(
    OAuth2HttpClient.OAuth2HttpClient,
    (http) => everybody(() => OAuth2HttpClient.withoutToken(http.get(api))).pipe(Effect.withTracerEnabled(false))
  )

/** When the newest token has ended for certain, in epoch milliseconds. */
const endOfToken = (spans: ReadonlyArray<Recorder.Recorded>): number => {
  const issued = spans.findLast(({ name }) => name === "oauth2.token_request")?.status
  return (issued?._tag === "Ended" ? Number(issued.endTime / 1_000_000n) : 0) + tokenSeconds * 1_000 + 50
}

const until = (instant: number): Effect.Effect<void> =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (now) => now >= instant ? Effect.void : Effect.zipRight(Effect.sleep(instant - now), until(instant))
  )

layer(Run.layer, { excludeTestServices: true, timeout: 90_000 })("1,000 callers over five expiries", (it) => {
  it.effect("wait for one refresh at each expiry, all of them", () =>
    Effect.gen(function*() {
      const { story } = yield* Run
      const waited = story.renewals.filter(({ why }) => why === "expired").map(({ waited }) => waited.length)
      assert.deepStrictEqual(waited, Array.from({ length: expiries }, () => callers))
    }))

  // A machine that needs more than a token's life for 1,000 calls has the API refuse some of them: that is one more
  // expiry, and one more refresh.
  it.effect("cost one token request for each token that ended, by the server's count", () =>
    Effect.gen(function*() {
      const { report, story } = yield* Run
      const [signIn, ...refreshes] = report.tokenRequests
      assert.deepStrictEqual(signIn, { status: 200, grantType: "authorization_code" })
      assert.deepStrictEqual(refreshes, story.renewals.map(() => ({ status: 200, grantType: "refresh_token" })))
      assert.deepStrictEqual(story.renewals.filter(({ renewed, why }) => !renewed || why === "early"), [])
      assert.strictEqual(report.accessTokens, refreshes.length + 1)
      assert.isAtLeast(refreshes.length, expiries)
    }))

  it.effect("are all answered", () =>
    Effect.gen(function*() {
      const { exits, report } = yield* Run
      assert.deepStrictEqual(exits.filter(Exit.isFailure), [])
      assert.strictEqual(exits.length, (expiries + 1) * callers)
      assert.strictEqual(report.callsPerToken.reduce((sum, count) => sum + count, 0), exits.length)
    }))

  it.effect("sign the user out never, and in once", () =>
    Effect.gen(function*() {
      const { events, report, story } = yield* Run
      assert.deepStrictEqual(events, ["Authorized", ...story.renewals.map(() => "Refreshed")])
      assert.strictEqual(report.logins, 1)
      assert.strictEqual(report.grantsRevoked, 0)
    }))

  it.effect("R19 use each token only after its commit, in each of 6,000 calls of the recorded trace", () =>
    Effect.gen(function*() {
      const { report, spans, story } = yield* Run
      const commits = spans.filter(({ name, outcome }) => name === "oauth2.commit" && outcome === "succeeded")
      assert.strictEqual(commits.length, report.accessTokens)
      const uses = story.calls.map(({ attempts, token = 0 }) => ({
        committed: commits[token - 1]?.ended ?? Infinity,
        sent: attempts.at(-1)?.began ?? 0
      }))
      assert.strictEqual(uses.length, (expiries + 1) * callers)
      assert.deepStrictEqual(uses.filter(({ committed, sent }) => sent < committed), [])
    }))

  it.effect("leave no token in a span, an attribute or the diagram", () =>
    Effect.gen(function*() {
      const { report, spans, story } = yield* Run
      assert.strictEqual(report.secrets.length, 2 * report.accessTokens)
      const told = spans.map(({ attributes, name }) => JSON.stringify([name, ...attributes])).join("\n") + page(story)
      assert.include(told, "http.request.header.authorization")
      assert.deepStrictEqual(report.secrets.filter((secret) => told.includes(secret)), [])
    }))

  it.effect("make a diagram that Mermaid can read, with every refresh and every call in it", () =>
    Effect.gen(function*() {
      const { story } = yield* Run
      const diagram = Mermaid.diagramIn(page(story))
      assert.deepStrictEqual(Mermaid.problems(diagram), [])
      assert.strictEqual(diagram.filter((line) => line.includes("L->>A: one refresh")).length, story.renewals.length)
      const answers = diagram.map((line) => Number(/P: ([\d,]+) answer/.exec(line)?.[1]?.replace(",", "") ?? 0))
      assert.strictEqual(answers.reduce((sum, count) => sum + count, 0), story.calls.length)
      assert.isBelow(diagram.length, 80)
    }))
})

const page = (story: Story.Story): string => Diagram.page(story, { callers, tokenSeconds })
