/** R02, R03, R07: many processes, each with many fibers, use one session over many expiries. */
import { Effect } from "effect"
import * as House from "../house.js"
import type { Result, Rig, Storage, Trial } from "../Rig.js"

/** Seconds that an access token lives. */
const life = 1

const crowd = (storage: Storage, rig: Rig): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const { expiries, fibers, processes } = rig.profile.crowd
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
          duration: expiries * life * 1_000 * 1.15
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
      id: storage.name === "PostgreSQL" ? "R03" : "R02",
      goal: "one token request per expiry, no refusal, against strict rotation with family revocation",
      runs: `${storage.name}: ${processes} processes × ${fibers} fibers, ${renewals} expiries, ${calls} calls`,
      result: `${report.requests.length} token requests, ${report.reuses} reuses, ${tooSoon} before the expiry; ` +
        `failures: ${failures.join(", ") || "none"}; slowest call ${
          Math.max(...driven.map(({ slowest }) => slowest))
        } ms`,
      ok
    }
  }).pipe(Effect.scoped)

export const trial: Trial = {
  ids: ["R02", "R03"],
  // One after the other: here it is time that is measured
  run: (rig) =>
    Effect.forEach(rig.storages, (storage) => Effect.flatMap(crowd(storage, rig), rig.report), { discard: true })
}
