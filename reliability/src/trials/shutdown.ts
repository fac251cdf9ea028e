/** R18: a process is asked to end while a renewal is in the air. */
import { Effect } from "effect"
import * as House from "../house.js"
import type { Result, Rig, Storage, Trial } from "../Rig.js"

/** Milliseconds that the server takes to answer, after it has rotated. */
const answersAfter = 400

const shutdown = (storage: Storage, rig: Rig): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const { shutdowns } = rig.profile
    yield* rig.progress(`${storage.name}: ${shutdowns} programs are ended by SIGTERM with a renewal in the air`)
    const server = yield* House.server("strict", rig.seed)
    const store = yield* storage.open
    const heir = yield* House.worker(server, store, "strict")
    const one = Effect.gen(function*() {
      const worker = yield* House.worker(server, store, "strict")
      const [session] = yield* House.expiredSessions(server, heir, 1)
      const { key, refreshToken } = session!
      yield* server.ask("delay", { millis: answersAfter, acted: true, times: 1 })
      yield* Effect.forkScoped(Effect.exit(House.begun(worker, key)))
      yield* House.rotated(server, [refreshToken])
      const began = Date.now()
      yield* worker.signal("SIGTERM")
      yield* worker.ended
      const took = Date.now() - began
      yield* heir.ask("token", { key })
      return { kept: yield* House.isIntact(server, heir, key), took }
    }).pipe(Effect.scoped)
    const ended = yield* Effect.forEach(Array.from({ length: shutdowns }), () => one)
    const kept = ended.filter(({ kept }) => kept).length
    const slowest = Math.max(...ended.map(({ took }) => took))
    return {
      id: "R18",
      goal: "the answer is written before the process ends, and then nothing keeps it",
      runs: `${storage.name}: ${shutdowns} times SIGTERM in the middle of a renewal`,
      result: `${kept} of ${shutdowns} kept; ended after ${House.percentile(ended.map(({ took }) => took), 0.5)} ms, ` +
        `at most ${slowest} ms, of which the answer took ${answersAfter} ms`,
      ok: kept === shutdowns,
      less: House.less(1_000, shutdowns, "ends on each store")
    }
  }).pipe(Effect.scoped)

export const trial: Trial = {
  ids: ["R18"],
  run: (rig) =>
    Effect.forEach(rig.storages, (storage) => Effect.flatMap(shutdown(storage, rig), rig.report), {
      concurrency: "unbounded",
      discard: true
    })
}
