/** R29: the clocks of all processes are set on and back while they use a session. */
import { Effect } from "effect"
import * as House from "../house.js"
import type { Result, Rig, Storage, Trial } from "../Rig.js"

const processes = 3

const hour = 3_600_000

/** One after the other, from the right time. */
const jumps = [hour, -hour, -hour, hour, 24 * hour, -24 * hour]

const signed = (millis: number): string => `${millis > 0 ? "+" : "−"}${Math.abs(millis) / hour} h`

const jumping = (storage: Storage, rig: Rig): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const seconds = rig.profile.jump
    yield* rig.progress(`${storage.name}: the clocks of ${processes} processes are set ${jumps.length} times`)
    const server = yield* House.server("strict", rig.seed, hour / 1_000)
    const store = yield* storage.open
    const workers = yield* Effect.replicateEffect(
      House.worker(server, store, "strict", House.defaultDeadlines),
      processes
    )
    const [session] = yield* House.freshSessions(server, workers[0]!, 1)
    const { key } = session!
    const use = Effect.forEach(
      workers,
      (worker) => worker.ask("drive", { key, fibers: 8, every: 20, duration: seconds * 1_000 }),
      { concurrency: "unbounded" }
    )
    const made = Effect.map(server.ask("report", {}), ({ requests }) => requests.length)
    const driven = [yield* use]
    const requests: Array<number> = []
    for (const millis of jumps) {
      const before = yield* made
      const using = yield* Effect.forkScoped(use)
      yield* Effect.sleep(100)
      yield* Effect.forEach(workers, (worker) => worker.ask("jump", { millis }), { concurrency: "unbounded" })
      driven.push(yield* using)
      requests.push((yield* made) - before)
    }
    const failures = driven.flat().flatMap(({ failures }) => Object.keys(failures))
    const calls = driven.flat().reduce((sum, { calls }) => sum + calls, 0)
    const last = House.failureOf(yield* House.inTheEnd(workers[1]!.ask("refresh", { key })))
    const isIntact = yield* House.isIntact(server, workers[1]!, key)
    const { concurrentPresentations, reuses } = yield* server.ask("report", {})
    return {
      id: "R29",
      goal: "at most one more refresh after each jump, no loop, and the session goes on, at a strict server",
      runs: `${storage.name}: ${processes} processes, their clocks set by ${jumps.map(signed).join(", ")}` +
        (store.kind === "files" ? "" : " (the database's is the machine's, and stays)"),
      result:
        `${House.count(calls)} calls, failures: ${[...new Set(failures)].join(", ") || "none"}; refreshes after ` +
        `each: ${requests.join(", ")}; ${reuses} reuses; then the session ${
          last === undefined && isIntact ? "was renewed" : `ended: ${last ?? "the store is behind"}`
        }`,
      // That the store had no answer in time is the machine's doing, and ends nothing
      ok: failures.every((failure) => failure === "StoreError Unavailable") && requests.every((made) => made <= 1) &&
        reuses === 0 &&
        concurrentPresentations <= 1 && last === undefined && isIntact
    }
  }).pipe(Effect.scoped)

/** How long, in milliseconds, the server takes to answer, after it has rotated. */
const latency = 1_000

/** They jump while a renewal is in the air: its hold seems to be over. */
const inTheAir = (storage: Storage, rig: Rig): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const store = yield* storage.open
    // By the process's clock a hold is over at once, and another may ask with the same refresh token
    const mode = store.kind === "files" ? "grace" : "strict"
    const server = yield* House.server(mode, rig.seed, hour / 1_000)
    const workers = yield* Effect.replicateEffect(House.worker(server, store, mode, House.defaultDeadlines), processes)
    const outcomes = yield* Effect.forEach([hour, -hour], (millis) =>
      Effect.gen(function*() {
        const [session] = yield* House.expiredSessions(server, workers[0]!, 1)
        const { key, refreshToken } = session!
        yield* server.ask("delay", { millis: latency, acted: true, times: 1 })
        const asking = yield* Effect.forkScoped(
          Effect.forEach(workers, (worker) => House.tokenInTheEnd(worker, key), { concurrency: "unbounded" })
        )
        yield* House.rotated(server, [refreshToken])
        yield* Effect.forEach(workers, (worker) => worker.ask("jump", { millis }), { concurrency: "unbounded" })
        const tokens = yield* asking
        const goesOn = yield* House.inTheEnd(workers[1]!.ask("refresh", { key }))
        return {
          failures: [...tokens, goesOn].flatMap((outcome) => House.failureOf(outcome) ?? []),
          isIntact: yield* House.isIntact(server, workers[1]!, key)
        }
      }))
    const { requests } = yield* server.ask("report", {})
    const failures = outcomes.flatMap(({ failures }) => failures)
    // One for the renewal in the air, one for the last
    const more = House.requestsOfOne(requests) - 2
    return {
      id: "R29",
      goal:
        `a jump while a renewal is in the air: at most one more refresh, and the session goes on, at a ${mode} server`,
      runs: `${storage.name}: ${processes} processes wait for one renewal, their clocks set by +1 h, −1 h`,
      result: `${more} more refreshes at most; failures: ${[...new Set(failures)].join(", ") || "none"}; ${
        outcomes.filter(({ isIntact }) => isIntact).length
      } of ${outcomes.length} sessions went on`,
      ok: more <= 1 && failures.length === 0 && outcomes.every(({ isIntact }) => isIntact)
    }
  }).pipe(Effect.scoped)

export const trial: Trial = {
  ids: ["R29"],
  run: (rig) =>
    Effect.forEach(
      rig.storages.flatMap((storage) => [jumping(storage, rig), inTheAir(storage, rig)]),
      Effect.flatMap(rig.report),
      { concurrency: "unbounded", discard: true }
    )
}
