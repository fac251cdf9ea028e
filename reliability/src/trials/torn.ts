/** R16: processes are killed while they write, and another reads all the while. */
import { Effect, Queue } from "effect"
import type { StoreSettings } from "../../processes/messages.js"
import * as Child from "../Child.js"
import * as House from "../house.js"
import type { Result, Rig, Storage, Trial } from "../Rig.js"

/** Processes that write at a time: all of them the session "shared", and each some of its own. */
const lanes = [0, 1]

const keysOf = (lane: number): ReadonlyArray<string> => [0, 1, 2, 3].map((number) => `of ${lane}, ${number}`)

/** Of the many that are needed, one after the other in each lane. */
interface Tally {
  kills: number
  /** Who was killed after it had begun to renew, and before it had written. */
  halfway: number
  /** Who had ended before it was killed. */
  ended: number
}

const killOne = (store: StoreSettings, reader: Reader, lane: number, tally: Tally, rig: Rig): Effect.Effect<void> =>
  Effect.gen(function*() {
    const writer = yield* Child.writer({ store, keys: ["shared", ...keysOf(lane)], name: `${lane} ${tally.kills}` })
    // It tells each time that it has begun to renew a session, and goes on
    const begun = Queue.takeN(writer.told, 1 + Math.floor(rig.random() * 20))
    yield* Effect.raceFirst(Effect.asVoid(begun), Effect.asVoid(writer.ended))
    if (rig.random() < 0.5) yield* Effect.sleep(rig.random() * 20)
    yield* writer.signal("SIGKILL")
    if ((yield* writer.ended) !== "SIGKILL") tally.ended++
    const states = yield* Effect.forEach(keysOf(lane), (key) => reader.ask("state", { key }))
    if (states.some(({ isRedeeming }) => isRedeeming)) tally.halfway++
    tally.kills++
  }).pipe(Effect.scoped)

type Reader = Effect.Effect.Success<ReturnType<typeof Child.reader>>

const torn = (storage: Storage, rig: Rig): Effect.Effect<{ readonly kills: number; readonly result: Result }> =>
  Effect.gen(function*() {
    const { least, most, seconds } = rig.profile.writes
    yield* rig.progress(`${storage.name}: processes are killed while they write, ${least / 2} at least`)
    const store = yield* storage.open
    const keys = ["shared", ...lanes.flatMap(keysOf)]
    const reader = yield* Child.reader({ store, keys })
    const tally: Tally = { kills: 0, halfway: 0, ended: 0 }
    const until = Date.now() + seconds * 1_000
    const goesOn = () => tally.kills < least / 2 || (tally.kills < most / 2 && Date.now() < until)
    const lane = (number: number) =>
      Effect.whileLoop({
        while: goesOn,
        body: () => rig.inTurn(killOne(store, reader, number, tally, rig)),
        step: () => {}
      })
    yield* Effect.forEach(lanes, lane, { concurrency: "unbounded" })
    const blocked = yield* Effect.filter(
      keys,
      (key) => Effect.map(reader.ask("renew", { key, within: 2_000 }), (renewed) => !renewed)
    )
    const states = yield* Effect.forEach(keys, (key) => reader.ask("state", { key }))
    const written = states.reduce((sum, { generation }) => sum + generation, 0)
    const { lost, reads, torn, unanswered, wentBack } = yield* reader.ask("seen", {})
    const { ended, halfway, kills } = tally
    return {
      kills,
      result: {
        id: "R16",
        goal: "no record is ever torn, lost, or older than before, and nothing that was left blocks who comes after",
        runs: `${storage.name}: ${House.count(kills)} kills while writing, ${House.count(halfway)} of them between ` +
          `begin and commit; ${House.count(written)} generations written`,
        result:
          `of ${House.count(reads)} reads by another process ${torn} torn, ${lost} lost, ${wentBack} older than ` +
          `before (${unanswered} had no answer in time); ${blocked.length} sessions blocked` +
          (ended > 0 ? `; ${ended} writers ended by themselves` : ""),
        ok: torn + lost + wentBack + blocked.length + ended === 0 && reads > kills && written > kills && halfway > 0
      }
    }
  }).pipe(Effect.scoped)

export const trial: Trial = {
  ids: ["R16"],
  run: (rig) =>
    Effect.gen(function*() {
      const shared = rig.storages.filter(({ name }) => name !== "PostgreSQL")
      const done = yield* Effect.forEach(shared, (storage) => torn(storage, rig), { concurrency: "unbounded" })
      const less = House.less(10_000, done.reduce((sum, { kills }) => sum + kills, 0), "kills")
      yield* Effect.forEach(done, ({ result }) => rig.report({ ...result, less }))
    })
}
