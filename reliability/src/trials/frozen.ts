/** R10: a process is frozen in the middle of a renewal, and wakes up when another has taken over. */
import { Effect } from "effect"
import * as House from "../house.js"
import type { Result, Rig, Storage, Trial } from "../Rig.js"

const life = 2

const freeze = (storage: Storage, mode: "grace" | "strict", rig: Rig): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const { freezes } = rig.profile
    yield* rig.progress(`${storage.name}, ${mode} server: ${freezes} sessions, frozen for twice the hold`)
    const server = yield* House.server(mode, rig.seed, life)
    const store = yield* storage.open
    const [sleeper, other] = yield* Effect.all([House.worker(server, store, mode), House.worker(server, store, mode)])
    const sessions = yield* House.expiredSessions(server, other, freezes)
    // Each request is on its way, or was answered, when the process stops
    yield* server.ask("delay", { millis: 300, acted: rig.random() < 0.5, times: freezes })
    const asked = yield* Effect.forkScoped(
      Effect.forEach(sessions, ({ key }) => sleeper.ask("token", { key }), { concurrency: "unbounded" })
    )
    yield* Effect.sleep(150)
    yield* sleeper.signal("SIGSTOP")
    yield* Effect.sleep(House.hold + 200)
    const taken = yield* Effect.forEach(sessions, ({ key }) => House.tokenInTheEnd(other, key), {
      concurrency: "unbounded"
    })
    yield* Effect.sleep(House.hold)
    const before = yield* Effect.forEach(sessions, ({ key }) => other.ask("stored", { key }))
    yield* sleeper.signal("SIGCONT")
    yield* asked.await
    yield* Effect.sleep((life + 1) * 1_000)
    const after = yield* Effect.forEach(sessions, ({ key }) => other.ask("stored", { key }))
    const wentBack = after.filter((record, index) =>
      (record?.generation ?? 0) < (before[index]?.generation ?? 0)
    ).length
    const ended = yield* Effect.forEach(sessions, ({ key }) => House.tokenInTheEnd(other, key), { concurrency: 4 })
    const failures = [...taken, ...ended].flatMap((outcome) => House.failureOf(outcome) ?? [])
    const typed = failures.every((failure) =>
      mode === "strict" && /^ReauthorizationRequired (RotationOutcomeUnknown|InvalidGrant)$/.test(failure)
    )
    const { requests } = yield* server.ask("report", {})
    return {
      id: "R10",
      goal: mode === "grace"
        ? "nothing newer is written over, and every session goes on"
        : "nothing newer is written over, and what ends is said to have ended",
      runs: `${storage.name}, ${mode} server: ${freezes} sessions, frozen for ${(House.hold * 2 / 1_000).toFixed(1)} s`,
      result: `${wentBack} generations went back; ` +
        `failures: ${failures.length === 0 ? "none" : [...new Set(failures)].join(", ")}; at most ${
          House.requestsOfOne(requests)
        } requests a session`,
      ok: wentBack === 0 && (failures.length === 0 || typed),
      less: House.less(200, freezes, "sessions in each combination")
    }
  }).pipe(Effect.scoped)

export const trial: Trial = {
  ids: ["R10"],
  run: (rig) => House.everywhere(rig, (storage, mode) => Effect.flatMap(freeze(storage, mode, rig), rig.report))
}
