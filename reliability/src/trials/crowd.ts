/** R02, R03: many processes, each with many fibers, use one session over many expiries. */
import { Effect } from "effect"
import * as House from "../house.js"
import type { Crowd, Result, Rig, Storage, Trial } from "../Rig.js"

/** Seconds that an access token lives. */
const life = 1

const crowd = (storage: Storage, rig: Rig): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const isHost = storage.name !== "PostgreSQL"
    const { expiries, fibers, processes } = isHost ? rig.profile.crowd.host : rig.profile.crowd.machines
    const server = yield* House.server("strict", rig.seed, life)
    const store = yield* storage.open
    const workers = yield* Effect.all(
      Array.from({ length: processes }, () => House.worker(server, store, "strict")),
      { concurrency: 4 }
    )
    const [first] = workers
    const [session] = yield* House.expiredSessions(server, first!, 1)
    yield* rig.progress(`${storage.name}: ${processes} processes of ${fibers} fibers, about ${expiries} expiries`)
    const driven = yield* Effect.forEach(
      workers,
      (worker) =>
        worker.ask("drive", {
          key: session!.key,
          fibers,
          every: 100,
          duration: expiries * life * 1_000 * 1.1
        }),
      { concurrency: "unbounded" }
    )
    const report = yield* server.ask("report", {})
    const stored = yield* first!.ask("stored", { key: session!.key })
    const calls = driven.reduce((sum, { calls }) => sum + calls, 0)
    const failures = driven.flatMap(({ failures }) => Object.entries(failures).map(([error, n]) => `${n} × ${error}`))
    const gaps = report.requests.slice(1).map(({ at }, index) => at - report.requests[index]!.at)
    const tooSoon = gaps.filter((gap) => gap < life * 1_000).length
    const renewals = (stored?.generation ?? 0) - 1
    const isIntact = yield* House.isIntact(server, first!, session!.key)
    const ok = failures.length === 0 && report.requests.length === renewals && tooSoon === 0 && report.reuses === 0 &&
      report.concurrentPresentations === 1 && isIntact && renewals >= expiries * 0.6
    return {
      id: isHost ? "R02" : "R03",
      goal: "one token request per expiry, no refusal, against strict rotation with family revocation",
      runs: `${storage.name}: ${processes} processes × ${fibers} fibers, ${renewals} expiries, ${calls} calls`,
      result: `${report.requests.length} token requests, ${report.reuses} reuses, ${tooSoon} before the expiry; ` +
        `failures: ${failures.join(", ") || "none"}; slowest call ${
          Math.max(...driven.map(({ slowest }) => slowest))
        } ms`,
      ok,
      less: isHost
        ? lessOf({ processes: 32, fibers: 64, expiries: 200 }, { processes, fibers, expiries }, "processes")
        : lessOf(
          { processes: 8, fibers: 500, expiries: 200 },
          { processes, fibers, expiries },
          "machines",
          "; the machines are processes of one"
        )
    }
  }).pipe(Effect.scoped)

const lessOf = (goal: Crowd, made: Crowd, what: string, always?: string): string | undefined => {
  const textOf = ({ expiries, fibers, processes }: Crowd) =>
    `${processes} ${what} × ${fibers} fibers × ${expiries} expiries`
  const isLess = made.processes < goal.processes || made.fibers < goal.fibers || made.expiries < goal.expiries
  return isLess || always !== undefined
    ? `${textOf(goal)} are the goal; there were ${textOf(made)}${always ?? ""}`
    : undefined
}

export const trial: Trial = {
  ids: ["R02", "R03"],
  // One after the other: here it is time that is measured
  run: (rig) =>
    Effect.forEach(rig.storages, (storage) => Effect.flatMap(crowd(storage, rig), rig.report), { discard: true })
}
