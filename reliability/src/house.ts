/** What the trials are made of. */
import { Effect, Queue } from "effect"
import type {
  Outcome,
  Point,
  ServerSettings,
  StoredToken,
  StoreSettings,
  WorkerSettings
} from "../processes/messages.js"
import * as Child from "./Child.js"
import type { Rig, Storage } from "./Rig.js"

/** Short enough for a trial to wait for them, long enough for a machine that has more to do. */
export const deadlines = { requestDeadline: 1_500, persistDeadline: 1_000 }

/** How long an attempt owns the session: request, write, and a second for clocks that differ. */
export const hold = deadlines.requestDeadline + deadlines.persistDeadline + 1_000

export type Mode = "strict" | "grace" | "none"

export const server = (mode: Mode, seed: number, accessTokenLifetime = 3_600) =>
  Child.server(
    {
      rotation: mode === "grace" ? { grace: 60 } : mode,
      accessTokenLifetime,
      seed
    } satisfies ServerSettings
  )

export const worker = (server: Child.Server, store: StoreSettings, mode: Mode) =>
  Child.worker({ server: server.url, store, rotation: mode, ...deadlines } satisfies WorkerSettings)

/** Each storage with each kind of server, or, where there is less time, each with one. */
export const combinations = ({ profile, storages }: Rig): ReadonlyArray<readonly [Storage, "grace" | "strict"]> =>
  storages.flatMap((storage, index) => {
    const modes = profile.combinations === "all"
      ? ["grace", "strict"] as const
      : [index % 2 === 0 ? "strict" : "grace"] as const
    return modes.map((mode) => [storage, mode] as const)
  })

/** All at once: most of the time is spent waiting. */
export const everywhere = (
  rig: Rig,
  run: (storage: Storage, mode: "grace" | "strict") => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.forEach(combinations(rig), ([storage, mode]) => run(storage, mode), {
    concurrency: "unbounded",
    discard: true
  })

let count = 0

/** Sessions that have to be renewed before they can be used. */
export const expiredSessions = (server: Child.Server, worker: Child.Worker, number: number) =>
  Effect.gen(function*() {
    const tokens = yield* server.ask("issue", { count: number })
    const longAgo = Date.now() - 7_200_000
    return yield* Effect.forEach(tokens, (token) => {
      const key = `session ${process.pid} ${count++}`
      const expired: StoredToken = { ...token, issuedAt: longAgo, expiresAt: longAgo + 3_600_000 }
      return Effect.as(worker.ask("restore", { key, token: expired }), { key, refreshToken: token.refreshToken })
    })
  })

/**
 * Asks for a token, and again while the store is not to be had in time: of such a failure a program is told that it may
 * try again, and nothing is lost by it.
 */
export const tokenInTheEnd = (worker: Child.Worker, key: string, times = 5): Effect.Effect<Outcome> =>
  Effect.flatMap(worker.ask("token", { key }), (outcome) =>
    times > 1 && failureOf(outcome) === "StoreError Unavailable"
      ? Effect.delay(tokenInTheEnd(worker, key, times - 1), 200)
      : Effect.succeed(outcome))

export const failureOf = (outcome: Outcome): string | undefined => "error" in outcome ? outcome.error : undefined

/** Waits until so many are at the point. */
export const arrived = (child: Pick<Child.Worker, "told">, point: Point, number: number): Effect.Effect<void> =>
  Effect.gen(function*() {
    let there = 0
    while (there < number) {
      const told = yield* Queue.take(child.told)
      if ("at" in told && told.at === point) there++
    }
  })

/** Whether what is stored can be redeemed at the server, and nobody is in the middle of it. */
export const isIntact = (server: Child.Server, worker: Child.Worker, key: string): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const stored = yield* worker.ask("stored", { key })
    if (stored?.refreshToken === undefined || stored.state !== "Idle") return false
    const [family] = yield* server.ask("families", { refreshTokens: [stored.refreshToken] })
    return family !== undefined && family.isLive && !family.isRevoked
  })

export const percentile = (values: ReadonlyArray<number>, part: number): number =>
  [...values].sort((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0
