/** R23: the authorization server goes away, while many processes want to renew one session. */
import { Effect } from "effect"
import * as House from "../house.js"
import type { Result, Rig, Storage, Trial } from "../Rig.js"

const processes = 4

/** Pauses double from 1 second to 60, give or take a fifth: so many attempts fit, however many processes there are. */
const most = (seconds: number): number => {
  let [attempts, spent, pause] = [1, 0, 1]
  while (spent + pause * 0.8 <= seconds) {
    spent += pause * 0.8
    pause = Math.min(pause * 2, 60)
    attempts++
  }
  return attempts
}

const outage = (storage: Storage, rig: Rig): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const seconds = rig.profile.outage
    yield* rig.progress(`${storage.name}: ${processes} processes, ${seconds} s without a server`)
    const server = yield* House.server("strict", rig.seed)
    const store = yield* storage.open
    const workers = yield* Effect.all(
      Array.from({ length: processes }, () => House.worker(server, store, "strict")),
      { concurrency: 4 }
    )
    const [session] = yield* House.expiredSessions(server, workers[0]!, 1)
    const { key } = session!
    yield* server.ask("outage", { on: true })
    yield* Effect.forEach(
      workers,
      (worker) => worker.ask("drive", { key, fibers: 4, every: 100, duration: seconds * 1_000 }),
      { concurrency: "unbounded" }
    )
    const { requests } = yield* server.ask("report", {})
    yield* server.ask("outage", { on: false })
    const back = Date.now()
    let failure = House.failureOf(yield* workers[1]!.ask("token", { key }))
    while (failure !== undefined && Date.now() - back < 90_000) {
      yield* Effect.sleep(200)
      failure = House.failureOf(yield* workers[1]!.ask("token", { key }))
    }
    const isIntact = yield* House.isIntact(server, workers[1]!, key)
    return {
      id: "R23",
      goal: `at most ${most(seconds)} attempts, whoever makes them, and the session is kept`,
      runs: `${storage.name}: ${processes} processes, ${seconds} s without a server`,
      result: `${requests.length} attempts; ${
        failure === undefined && isIntact
          ? `went on ${((Date.now() - back) / 1_000).toFixed(1)} s after the server was back`
          : `did not go on: ${failure ?? "the store is behind"}`
      }`,
      ok: requests.length <= most(seconds) && failure === undefined && isIntact,
      less: House.less(300, seconds, "seconds")
    }
  }).pipe(Effect.scoped)

export const trial: Trial = {
  ids: ["R23"],
  run: (rig) =>
    Effect.forEach(rig.storages, (storage) => Effect.flatMap(outage(storage, rig), rig.report), {
      concurrency: "unbounded",
      discard: true
    })
}
