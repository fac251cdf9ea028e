/** R15: a fleet at work, of which a process is killed every few seconds. It is also what the timeline shows. */
import { Effect } from "effect"
import * as Fleet from "../Fleet.js"
import * as House from "../house.js"
import type { Result, Rig, Storage, Trial } from "../Rig.js"
import type { Timeline } from "../Timeline.js"

const processes = 4
const sessions = 48

/** Seconds that an access token lives. */
const life = 4

/** Seconds from one kill to the next. */
const pause = 3

/** How long, in milliseconds, the server takes to answer, after it has acted. */
const latency = 250

const inFleet = (rig: Rig, { open }: Storage, onTimeline: (timeline: Timeline) => void): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const seconds = rig.profile.name === "quick" ? 5 : 15
    const server = yield* House.server("grace", rig.seed, life)
    yield* server.ask("delay", { millis: latency, acted: true, times: 1e9 })
    const happenings: Array<Fleet.Happening> = []
    const fleet = yield* Fleet.make(
      { server, store: yield* open, mode: "grace", processes, sessions, life, rate: 25, random: rig.random },
      (happening) => Effect.sync(() => void happenings.push(happening))
    )
    const from = Date.now()
    yield* rig.progress(`PostgreSQL: ${sessions} sessions in ${processes} processes, a kill every ${pause} s`)
    const killing = Effect.forever(Effect.zipRight(Effect.sleep(pause * 1_000), fleet.kill))
    yield* Effect.timeoutOption(killing, seconds * 1_000)
    const account = yield* fleet.settle
    onTimeline({
      from,
      to: Date.now() + 250,
      processes,
      sessions,
      lost: account.lost.length,
      happenings
    })

    const { calls, failures, lost, redemptions, renewals, reuses } = account
    const kills = happenings.filter(({ what }) => what === "killed").length
    const took = happenings.flatMap(({ at, takenOver }) => takenOver === undefined ? [] : [at - takenOver.at])
    const failed = Object.entries(failures).map(([error, times]) => `${times} × ${error}`).join(", ")
    return {
      id: "R15",
      goal: "every session goes on without its user, and each redemption is in the store, or was repeated within " +
        "the server's grace",
      runs: `PostgreSQL, grace server: ${sessions} sessions in ${processes} processes, ${seconds} s, ${kills} kills, ` +
        `${calls} calls`,
      result: `${lost.length} lost; ${redemptions} redemptions at the server, ${renewals} renewals in the store, ` +
        `${reuses} refresh tokens presented once more; ${took.length} taken over${
          took.length > 0 ? ` after ${Math.max(...took)} ms at most` : ""
        }; ` +
        `failures: ${failed || "none"}`,
      ok: lost.length === 0 && kills > 0 && redemptions <= renewals + reuses
    }
  }).pipe(Effect.scoped)

export const trial = (onTimeline: (timeline: Timeline) => void): Trial => ({
  ids: ["R15"],
  run: (rig) =>
    Effect.forEach(
      rig.storages.filter(({ name }) => name === "PostgreSQL"),
      (storage) => Effect.flatMap(inFleet(rig, storage, onTimeline), rig.report),
      { discard: true }
    )
})
