/**
 * The fleet: processes that share the sessions of many users in one database, and are killed all the time. The processes
 * are those of the reliability rig; what a user of the library writes is `ClientLive` in its `processes/worker.ts`.
 */
import * as Effect from "effect/Effect"
import { bundle } from "../../../reliability/src/bundle.js"
import * as Child from "../../../reliability/src/Child.js"
import * as Rig from "../../../reliability/src/Fleet.js"
import * as Storages from "../../../reliability/src/storages.js"
import * as Board from "./Board.js"
import type { Options } from "./Options.js"
import * as Verdict from "./Verdict.js"
import type { View } from "./View.js"

/** Seconds that an access token lives. */
const life = 8

/** Seconds in which the server takes a refresh token once more. */
const grace = 20

/** Milliseconds that the server takes to answer, after it has acted. */
const latency = 150

/** How many sessions the processes use in a second, all together. */
const rate = 80

/** Milliseconds from one kill to the next. */
const pause = () => 2_000 + Math.random() * 2_000

const strictly = "The server takes a refresh token once. When it comes again, the user has to sign in anew."

const gracefully =
  `The server takes a refresh token once, and for ${grace} seconds again, in case its answer was lost. When it comes
  later, the user has to sign in anew.`

const introduction = ({ sessions, strict, workers }: Options): string => `
  ${sessions} users are signed in, and ${workers} processes use their sessions, at random and without end. A token works
  for ${life} seconds; whichever process finds it expired refreshes it, and the others go on with what that one got.
  ${strict ? strictly : gracefully}
  Every few seconds one of the processes is killed, whatever it is in the middle of (SIGKILL).
`

/** Runs the fleet. Succeeds with whether nothing was lost, or, at a strict server, nothing without a word. */
export const run = (options: Options, view: View) =>
  Effect.gen(function*() {
    yield* view.text(introduction(options))
    yield* view.text("  Starting a database, a server and the processes …")
    yield* Effect.promise(bundle)
    const storage = (yield* Storages.make).find(({ name }) => name === "PostgreSQL")
    if (storage === undefined) return yield* Effect.dieMessage("The rig has no PostgreSQL")
    const server = yield* Child.server({
      rotation: options.strict ? "strict" : { grace },
      accessTokenLifetime: life,
      seed: Math.floor(Math.random() * 1e9)
    })
    yield* server.ask("delay", { millis: latency, acted: true, times: 1e9 })
    const board = Board.make({ processes: options.workers, sessions: options.sessions, life })
    const fleet = yield* Rig.make({
      server,
      store: yield* storage.open,
      mode: options.strict ? "strict" : "grace",
      processes: options.workers,
      sessions: options.sessions,
      life,
      rate: rate / options.workers,
      random: Math.random
    }, board.see)
    yield* view.watch(board, fleet)
    const killing = Effect.forever(Effect.suspend(() => Effect.zipRight(Effect.sleep(pause()), fleet.kill)))
    yield* Effect.timeoutOption(killing, options.seconds * 1_000)
    const account = yield* fleet.settle
    yield* view.end
    const verdict = Verdict.make(options, board, account)
    yield* view.text(verdict.text)
    return verdict.isGood
  }).pipe(Effect.scoped)
