import { Effect } from "effect"
import { generator } from "../../support/random.js"
import { bundle } from "./bundle.js"
import type { Profile, Result, Rig, Trial } from "./Rig.js"
import * as Storages from "./storages.js"
import type { Timeline } from "./Timeline.js"
import * as Clocks from "./trials/clocks.js"
import * as Crowd from "./trials/crowd.js"
import * as Database from "./trials/database.js"
import * as Fleet from "./trials/fleet.js"
import * as Frozen from "./trials/frozen.js"
import * as Kills from "./trials/kills.js"
import * as Outage from "./trials/outage.js"
import * as Shutdown from "./trials/shutdown.js"
import * as Suites from "./trials/suites.js"
import * as Torn from "./trials/torn.js"
import * as Waits from "./trials/waits.js"

/** Those that measure how much is done in a time, and have the machine to themselves. */
const busy = (onTimeline: (timeline: Timeline) => void): ReadonlyArray<Trial> => [
  Crowd.trial,
  Waits.trial,
  Fleet.trial(onTimeline)
]

/** Those that wait for most of their time; those of a line at once. */
const patient: ReadonlyArray<ReadonlyArray<Trial>> = [
  [Kills.trial, Outage.trial],
  [Torn.trial, Shutdown.trial],
  [Frozen.trial, Clocks.trial, Database.trial],
  [Suites.trial]
]

/** Each lives for seconds, most of which it, or who comes after it, waits. */
const killedAtATime = 14

/** Runs the trials, each with its storages and processes. */
export const run = (options: {
  readonly profile: Profile
  readonly seed: number
  /** The requirement to look at. Default: all. */
  readonly only?: string | undefined
  readonly progress: (text: string) => Effect.Effect<void>
  readonly onResult: (result: Result) => Effect.Effect<void>
  /** Is given what can be drawn of the fleet. */
  readonly onTimeline?: (timeline: Timeline) => void
}): Effect.Effect<ReadonlyArray<Result>> =>
  Effect.gen(function*() {
    const { only, onResult, onTimeline = () => {}, profile, progress, seed } = options
    yield* Effect.promise(bundle)
    const results: Array<Result> = []
    const turns = yield* Effect.makeSemaphore(killedAtATime)
    const rig: Rig = {
      profile,
      seed,
      random: generator(seed),
      storages: yield* Storages.make,
      progress,
      report: (result) => Effect.zipRight(Effect.sync(() => results.push(result)), onResult(result)),
      inTurn: turns.withPermits(1)
    }
    const wanted = ({ ids }: Trial) => only === undefined || ids.includes(only)
    const together = (trials: ReadonlyArray<Trial>) =>
      Effect.forEach(trials.filter(wanted), (trial) => trial.run(rig, only), { concurrency: "unbounded" })
    yield* Effect.forEach(busy(onTimeline), (trial) => together([trial]))
    const lines = profile.name === "quick" ? [patient.slice(0, 2).flat(), patient.slice(2).flat()] : patient
    yield* Effect.forEach(lines, together)
    return results.sort((one, other) => one.id.localeCompare(other.id))
  }).pipe(Effect.scoped)
