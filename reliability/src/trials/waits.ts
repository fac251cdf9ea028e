/** R07: how soon those who wait for a renewal go on, when it is another process that makes it. */
import { Chunk, Effect, Queue } from "effect"
import type * as Child from "../Child.js"
import * as House from "../house.js"
import type { Result, Rig, Storage, Trial } from "../Rig.js"

const processes = 4

/** Fibers that ask in each process. */
const fibers = 4

/** How long, in milliseconds, the server takes to answer, so that everybody has asked before. */
const latency = 200

/** Milliseconds from the commit to when a caller went on. */
interface Waits {
  readonly same: ReadonlyArray<number>
  readonly other: ReadonlyArray<number>
  readonly isSound: boolean
}

const none: Waits = { same: [], other: [], isSound: true }

const and = (one: Waits, other: Waits): Waits => ({
  same: [...one.same, ...other.same],
  other: [...one.other, ...other.other],
  isSound: one.isSound && other.isSound
})

/** When the worker committed the session, if it was the one to do it. */
const committedAt = (worker: Child.Worker, key: string): Effect.Effect<number | undefined> =>
  Effect.map(Queue.takeAll(worker.told), (told) => {
    const commits = Chunk.toReadonlyArray(told).flatMap((one) =>
      "event" in one && one.event === "Committed" && one.key.endsWith(JSON.stringify(key)) ? [one.time] : []
    )
    return commits.at(-1)
  })

const renewal = (server: Child.Server, workers: ReadonlyArray<Child.Worker>): Effect.Effect<Waits> =>
  Effect.gen(function*() {
    const [session] = yield* House.expiredSessions(server, workers[0]!, 1)
    const { key } = session!
    yield* server.ask("delay", { millis: latency, acted: true, times: 1 })
    const asked = yield* Effect.forEach(
      workers,
      (worker) =>
        Effect.forEach(Array.from({ length: fibers }), () => worker.ask("token", { key }), {
          concurrency: "unbounded"
        }),
      {
        concurrency: "unbounded"
      }
    )
    const commits = yield* Effect.forEach(workers, (worker) => committedAt(worker, key))
    const committed = commits.flatMap((at) => at ?? [])
    const outcomes = asked.flat()
    // Who asked after the commit has waited since then
    const waits = (index: number) =>
      asked[index]!.map(({ answered, asked }) => Math.max(0, answered - Math.max(asked, committed[0] ?? 0)))
    const indices = workers.map((_, index) => index)
    return {
      same: indices.filter((index) => commits[index] !== undefined).flatMap(waits),
      other: indices.filter((index) => commits[index] === undefined).flatMap(waits),
      isSound: committed.length === 1 && outcomes.every((outcome) => House.failureOf(outcome) === undefined) &&
        new Set(outcomes.map((outcome) => "issuedAt" in outcome && outcome.issuedAt)).size === 1
    }
  })

const waits = (storage: Storage, rig: Rig): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const rounds = rig.profile.waits
    yield* rig.progress(`${storage.name}: ${processes} processes wait for ${rounds} renewals, one after the other`)
    const server = yield* House.server("strict", rig.seed)
    const store = yield* storage.open
    const workers = yield* Effect.replicateEffect(House.worker(server, store, "strict"), processes)
    yield* renewal(server, workers)
    const before = (yield* server.ask("report", {})).requests.length
    const { isSound, other, same } = yield* Effect.reduce(
      Array.from({ length: rounds }),
      none,
      (sum) => Effect.map(renewal(server, workers), (waits) => and(sum, waits))
    )
    const { requests, reuses } = yield* server.ask("report", {})
    const made = requests.length - before
    const isTimed = rig.profile.name !== "quick"
    const [p99, p99Same] = [House.percentile(other, 0.99), House.percentile(same, 0.99)]
    return {
      id: "R07",
      goal:
        "one request for each renewal; of those who wait, 99 % go on within 50 ms of the commit, and within 250 ms " +
        "in another process",
      runs: `${storage.name}: ${processes} processes × ${fibers} fibers, ${rounds} renewals`,
      result: `${made} requests, ${reuses} reuses; in another process 50 %: ${House.percentile(other, 0.5)} ms, ` +
        `99 %: ${p99} ms, slowest ${Math.max(...other)} ms of ${other.length}; in the same 50 %: ` +
        `${House.percentile(same, 0.5)} ms, 99 %: ${p99Same} ms${
          isTimed ? "" : "; this profile does not judge the time"
        }`,
      ok: isSound && made === rounds && reuses === 0 && (!isTimed || (p99 <= 250 && p99Same <= 50))
    }
  }).pipe(Effect.scoped)

export const trial: Trial = {
  ids: ["R07"],
  // One after the other: here it is time that is measured
  run: (rig) =>
    Effect.forEach(rig.storages, (storage) => Effect.flatMap(waits(storage, rig), rig.report), { discard: true })
}
