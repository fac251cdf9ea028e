/**
 * The demo: a user's program under load, while its tokens end, its server has a bad second, and a caller gives up. Told
 * live, and counted at the end: by the program and, apart from it, by the servers.
 */
import * as Browser from "@effect-oauth2/platform-node/Browser"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Acts from "./Acts.js"
import * as Callers from "./Callers.js"
import * as Diagram from "./Diagram.js"
import * as Narrator from "./Narrator.js"
import type { Options } from "./Options.js"
import * as Recorder from "./Recorder.js"
import type { Screen } from "./Screen.js"
import * as ScriptedBrowser from "./ScriptedBrowser.js"
import * as Servers from "./Servers.js"
import * as UserProgram from "./UserProgram.js"
import * as Verdict from "./Verdict.js"

/** How long an access token works. */
const tokenSeconds = 4

const callerCount = 20

/** How many calls come in a rush. */
const crowd = 200

const introduction = `
  A program has signed a user in, and ${callerCount} parts of it call an API, all at the same time and without end.
  The API wants a token with every call, and a token works for only ${tokenSeconds} seconds. So the next one must be
  fetched again and again: once each time, although ${callerCount} callers want it, because the server takes a
  refresh token only once. Asked twice with the same one, it signs the user out.

    waited       calls that stood still until the new token was there
    fetched by   whose call noticed that a new one is due
    requests     requests for a token since the start, as the server counted them
`

/** Plays the demo. Succeeds with whether nothing was lost. */
export const run = (options: Options, screen: Screen) =>
  Effect.gen(function*() {
    yield* screen.text(introduction)
    yield* screen.heading
    const servers = yield* Servers.make({ tokenSeconds })
    const recorder = Recorder.make()
    const program = UserProgram.layer(servers.ready).pipe(Layer.provideMerge(recorder.layer))
    const { facts, story } = yield* Effect.provide(perform({ options, screen, servers, recorder }), program)
    const verdict = Verdict.make(facts)
    yield* screen.summary(verdict.lines, verdict)
    yield* write(options.out, Diagram.page(story, { callers: callerCount, tokenSeconds }))
    yield* screen.text(`  The run as a sequence diagram: ${options.out}\n`)
    return verdict.isGood
  }).pipe(Effect.scoped)

const perform = (parts: {
  readonly options: Options
  readonly screen: Screen
  readonly servers: Servers.Servers
  readonly recorder: Recorder.Recorder
}) =>
  Effect.gen(function*() {
    const { options, recorder, screen, servers } = parts
    const { api, user } = servers.ready
    const narrator = yield* Narrator.make({ screen, servers, recorder })
    yield* screen.say("Two servers have started here: one that signs users in (oidc-provider), and an API.")
    const session = yield* Effect.provide(UserProgram.signIn, browser(options, screen, user))
    yield* narrator.tokenAfter(0)
    const callers = yield* Callers.make({ api, count: callerCount })
    yield* narrator.watch(callers)
    const acts = Acts.plan(options.expiries, options.quick)
    for (const [index, act] of acts.entries()) {
      const stage = { screen, servers, callers, session, crowd, tokens: narrator }
      yield* Acts.play(act, stage, acts.indexOf(act) === index)
    }
    yield* callers.end
    const { revocation } = yield* session.signOut
    yield* narrator.signedOut(revocation)
    const story = narrator.story()
    const facts: Verdict.Facts = {
      story,
      tally: callers.tally(),
      report: yield* servers.report,
      expiries: acts.length,
      interruptions: acts.includes("rush") ? 1 : 0,
      sessionsLost: narrator.sessionsLost()
    }
    return { facts, story }
  })

/** The browser that the user signs in with: their own, or a script. */
const browser = (options: Options, screen: Screen, user: ScriptedBrowser.User) =>
  options.browser
    ? Browser.layerPrintAndOpen((url) => screen.text(invitation(url, user)))
    : Layer.effectDiscard(screen.say("A browser, which is a script, fills in the form and says yes.")).pipe(
      Layer.provideMerge(ScriptedBrowser.layer(user))
    )

const invitation = (url: URL, { name, password }: ScriptedBrowser.User): string => `
  Sign in in your browser. If none opened, open this address yourself:

    ${url.href}

    name       ${name}
    password   ${password}

  The server's certificate was made a moment ago, for this run alone: your browser warns of it, and rightly so. It may
  be let through here, since nothing leaves this machine.
`

const write = (file: string, text: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* fs.makeDirectory(path.dirname(file), { recursive: true })
    yield* fs.writeFileString(file, text)
  })
