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

/** What the library takes if nothing is said. */
export const defaultDeadlines: typeof deadlines = { requestDeadline: 8_000, persistDeadline: 2_000 }

export const worker = (server: Child.Server, store: StoreSettings, mode: Mode, own = deadlines) =>
  Child.worker({ server: server.url, store, rotation: mode, ...own } satisfies WorkerSettings)

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

let sessions = 0

const signedIn = (
  server: Child.Server,
  worker: Child.Worker,
  number: number,
  age: (token: StoredToken) => StoredToken
) =>
  Effect.flatMap(server.ask("issue", { count: number }), (tokens) =>
    Effect.forEach(tokens, (token) => {
      const key = `session ${process.pid} ${sessions++}`
      return Effect.as(worker.ask("restore", { key, token: age(token) }), { key, refreshToken: token.refreshToken })
    }))

/** Sessions that have to be renewed before they can be used. */
export const expiredSessions = (server: Child.Server, worker: Child.Worker, number: number) => {
  const longAgo = Date.now() - 7_200_000
  return signedIn(server, worker, number, (token) => ({ ...token, issuedAt: longAgo, expiresAt: longAgo + 3_600_000 }))
}

/** Sessions with tokens that the server has just issued. */
export const freshSessions = (server: Child.Server, worker: Child.Worker, number: number) =>
  signedIn(server, worker, number, (token) => token)

/**
 * Asks, and again after a failure of which a program is told that it may try again, and that nothing is lost by it: the
 * store or the server could not be had in time. After half a minute it is given up.
 */
export const inTheEnd = (ask: Effect.Effect<Outcome>): Effect.Effect<Outcome> =>
  whileFailing(ask, /^(RefreshFailed|StoreError Unavailable)/, Date.now() + 30_000)

/** Asks until the store had the time to begin; what comes of it then is the answer, whatever it is. */
export const begun = (worker: Child.Worker, key: string): Effect.Effect<Outcome> =>
  whileFailing(worker.ask("token", { key }), /^StoreError Unavailable/, Date.now() + 60_000)

const whileFailing = (ask: Effect.Effect<Outcome>, failure: RegExp, until: number): Effect.Effect<Outcome> =>
  Effect.flatMap(ask, (outcome) =>
    failure.test(failureOf(outcome) ?? "") && Date.now() < until
      ? Effect.delay(whileFailing(ask, failure, until), 100)
      : Effect.succeed(outcome))

export const tokenInTheEnd = (worker: Child.Worker, key: string): Effect.Effect<Outcome> =>
  inTheEnd(worker.ask("token", { key }))

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

/**
 * Whether what is stored can be redeemed at the server, and nobody is in the middle of it. On a busy machine a token is
 * served from memory a little before it is written: that is waited for.
 */
export const isIntact = (
  server: Child.Server,
  worker: Child.Worker,
  key: string,
  until = Date.now() + 5_000
): Effect.Effect<boolean> =>
  Effect.flatMap(isIntactNow(server, worker, key), (isIntactNow) =>
    isIntactNow || Date.now() > until
      ? Effect.succeed(isIntactNow)
      : Effect.delay(isIntact(server, worker, key, until), 100))

const isIntactNow = (server: Child.Server, worker: Child.Worker, key: string): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const stored = yield* worker.ask("stored", { key })
    if (stored?.refreshToken === undefined || stored.state !== "Idle") return false
    const [family] = yield* server.ask("families", { refreshTokens: [stored.refreshToken] })
    return family !== undefined && family.isLive && !family.isRevoked
  })

export const count = (number: number): string => number.toLocaleString("en-US")

/** What to say when less was done than the requirement asks for. */
export const less = (goal: number, made: number, what: string): string | undefined =>
  made < goal ? `${count(goal)} ${what} are the goal; ${count(made)} were made` : undefined

/** Waits until the server has taken these refresh tokens back. */
export const rotated = (server: Child.Server, refreshTokens: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.flatMap(
    server.ask("families", { refreshTokens }),
    (families) =>
      families.every(({ isLive }) => !isLive) ? Effect.void : Effect.delay(rotated(server, refreshTokens), 10)
  )

/** How many requests the server has had for the session that had the most of them. */
export const requestsOfOne = (requests: ReadonlyArray<{ readonly family: string | undefined }>): number => {
  const perFamily = new Map<string | undefined, number>()
  for (const { family } of requests) perFamily.set(family, (perFamily.get(family) ?? 0) + 1)
  return Math.max(0, ...perFamily.values())
}

export const percentile = (values: ReadonlyArray<number>, part: number): number =>
  [...values].sort((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0
