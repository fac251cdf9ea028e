/** R12, R15: processes are killed in the middle of a renewal, and another takes over. */
import { Deferred, Effect, FiberId, Option, Queue } from "effect"
import type { Scope } from "effect"
import type { Point, StoreSettings } from "../../processes/messages.js"
import type * as Child from "../Child.js"
import * as House from "../house.js"
import type { Result, Rig, Storage, Trial } from "../Rig.js"

/** Seconds that an access token lives. */
const life = 2

/** By when, in milliseconds, whoever comes after has the answer of its own request: what R12 allows, and the request. */
const takenOverAfter = House.hold + 1_000 + House.deadlines.requestDeadline

/** By when there is an answer that stands, where the token that is held may have to end first. */
const latest = takenOverAfter + life * 1_000

const points: ReadonlyArray<Point> = [
  "before the request",
  "request sent",
  "server rotated",
  "answer received",
  "before the write",
  "after the write"
]

/** Where a strict server has taken the refresh token back, and nobody has written what it gave for it. */
const isLossPossible = (point: Point | "any", mode: House.Mode): boolean =>
  mode === "strict" && !["before the request", "request sent", "after the write"].includes(point)

interface Killed {
  readonly point: Point | "any"
  /** What the one who came after got. */
  readonly failure: string | undefined
  /** Milliseconds from the kill to the answer. */
  readonly took: number
  readonly isSound: boolean
}

interface Setting {
  readonly server: Child.Server
  readonly heir: Child.Worker
  readonly victim: Effect.Effect<Child.Worker, never, Scope.Scope>
  readonly mode: House.Mode
  /** Waits until the request with this refresh token is where the server was told to keep it. */
  readonly heldAt: (refreshToken: string) => Effect.Effect<void>
}

/** Whoever comes after asks for the token until there is an answer that stands. */
const inherit = ({ heir, mode, server }: Setting, key: string, point: Point | "any"): Effect.Effect<Killed> =>
  Effect.gen(function*() {
    const began = Date.now()
    // What is still valid would hide whether anything is left to renew it with
    const ask = point === "any" ? heir.ask("refresh", { key }) : heir.ask("token", { key })
    const failure = House.failureOf(yield* House.inTheEnd(ask))
    const took = Date.now() - began
    const isLost = failure === "ReauthorizationRequired RotationOutcomeUnknown"
    const isSound = failure === undefined
      ? yield* House.isIntact(server, heir, key)
      : isLost && isLossPossible(point, mode)
    return { point, failure, took, isSound }
  })

/** How long, in milliseconds, a victim may take to get to where it is killed. */
const patience = 30_000

const killAt = (setting: Setting, point: Point): Effect.Effect<Killed> =>
  Effect.gen(function*() {
    const { heir, heldAt, server } = setting
    const victim = yield* setting.victim
    const [session] = yield* House.expiredSessions(server, heir, 1)
    const { key, refreshToken } = session!
    const isAtServer = point === "request sent" || point === "server rotated"
    yield* isAtServer
      ? server.ask("hold", { point, refreshTokens: [refreshToken] })
      : victim.ask("stopAt", { point })
    yield* Effect.forkScoped(Effect.exit(House.begun(victim, key)))
    const arrived = isAtServer ? heldAt(refreshToken) : House.arrived(victim, point, 1)
    const isThere = Option.isSome(yield* Effect.timeoutOption(arrived, patience))
    yield* victim.signal("SIGKILL")
    yield* victim.ended
    return isThere ? yield* inherit(setting, key, point) : undefined
  }).pipe(
    Effect.scoped,
    // On a machine that is too busy the victim gives up before: then it is another's turn
    Effect.flatMap((killed) => killed === undefined ? killAt(setting, point) : Effect.succeed(killed))
  )

/** Renews again and again, and is killed at some time. */
const killAnywhere = (setting: Setting, rig: Rig): Effect.Effect<Killed> =>
  Effect.gen(function*() {
    const { heir, server } = setting
    const victim = yield* setting.victim
    const [session] = yield* House.expiredSessions(server, heir, 1)
    const { key } = session!
    const renewing = Effect.forever(victim.ask("refresh", { key }))
    yield* Effect.forkScoped(Effect.exit(renewing))
    yield* Effect.sleep(5 + rig.random() * 120)
    yield* victim.signal("SIGKILL")
    yield* victim.ended
    return yield* inherit(setting, key, "any")
  }).pipe(Effect.scoped)

/** In the quick profile much runs at once, so that it cannot tell who was late. */
const isTimed = ({ profile }: Rig): boolean => profile.name !== "quick"

/** How often each of them is there: `9 × server rotated`. */
const tally = (names: ReadonlyArray<string>): string =>
  [...new Set(names)].map((name) => `${names.filter((other) => other === name).length} × ${name}`).join(", ")

const summary = (
  mode: House.Mode,
  storage: Storage,
  what: string,
  killed: ReadonlyArray<Killed>,
  isTimed: boolean
): Result => {
  const lost = killed.filter(({ failure, isSound }) => isSound && failure !== undefined)
  const unsound = killed.filter(({ isSound }) => !isSound)
  const took = killed.map(({ took }) => took)
  const late = took.filter((millis) => millis > latest).length
  return {
    id: "R15",
    goal: mode === "strict"
      ? "lost only between rotation and write, and then said to be RotationOutcomeUnknown"
      : "every session goes on without its user",
    runs: `${storage.name}, ${mode} server: ${killed.length} kills ${what}`,
    result: `${killed.length - lost.length - unsound.length} went on, ${lost.length} lost as told` +
      `${lost.length > 0 ? ` (${tally(lost.map(({ point }) => point))})` : ""}, ${unsound.length} otherwise` +
      `${
        unsound.length > 0
          ? ` (${tally(unsound.map(({ failure, point }) => `${point}: ${failure ?? "unsound"}`))})`
          : ""
      }` +
      `; an answer after ${House.percentile(took, 0.5)} ms, 99 %: ${House.percentile(took, 0.99)} ms, ` +
      `${late} later than ${latest} ms`,
    ok: unsound.length === 0 && (late === 0 || !isTimed)
  }
}

/** The kills of those who held the session for certain. */
const isHolder = ({ point }: Killed): boolean => point !== "any" && point !== "after the write"

const takenOver = (mode: House.Mode, storage: Storage, killed: ReadonlyArray<Killed>, rig: Rig): Result => {
  const took = killed.filter(isHolder).map(({ took }) => took)
  const late = took.filter((millis) => millis > takenOverAfter).length
  return {
    id: "R12",
    goal: `who held the session is replaced within its hold (${House.hold} ms) and a second, and the time of the ` +
      "successor's request; nothing is left that blocks",
    runs: `${storage.name}, ${mode} server: ${took.length} holders killed`,
    result: `50 %: ${House.percentile(took, 0.5)} ms, 99 %: ${House.percentile(took, 0.99)} ms, slowest ` +
      `${Math.max(...took)} ms; ${late} later than ${takenOverAfter} ms${
        isTimed(rig) ? "" : "; this profile does not judge the time"
      }`,
    ok: late === 0 || !isTimed(rig),
    less: House.less(
      1_000,
      rig.profile.kills.labelled * points.filter((point) => point !== "after the write").length,
      "kills of holders"
    )
  }
}

const onStorage = (storage: Storage, mode: House.Mode, rig: Rig): Effect.Effect<void> =>
  Effect.gen(function*() {
    const parts = House.combinations(rig).length
    const labelled = Math.ceil(rig.profile.kills.labelled / parts)
    const random = Math.ceil(rig.profile.kills.random / parts)
    const setting = yield* settingOf(mode, yield* storage.open, rig)
    yield* rig.progress(`${storage.name}, ${mode} server: ${labelled} kills at each point, ${random} at random`)
    const many = (number: number, kill: Effect.Effect<Killed>) =>
      Effect.forEach(Array.from({ length: number }), () => rig.inTurn(kill), { concurrency: 8 })
    const [atPoints, anywhere] = yield* Effect.all([
      Effect.map(
        Effect.forEach(points, (point) => many(labelled, killAt(setting, point)), { concurrency: "unbounded" }),
        (killed) => killed.flat()
      ),
      many(random, killAnywhere(setting, rig))
    ], { concurrency: 2 })
    yield* rig.report(takenOver(mode, storage, atPoints, rig))
    yield* rig.report({
      ...summary(mode, storage, `at labelled points, ${labelled} at each of ${points.length}`, atPoints, isTimed(rig)),
      less: House.less(100, rig.profile.kills.labelled, "kills at each labelled point")
    })
    yield* rig.report({
      ...summary(mode, storage, "at random instants", anywhere, isTimed(rig)),
      less: House.less(2_000, rig.profile.kills.random, "kills at random instants")
    })
  }).pipe(Effect.scoped)

const settingOf = (mode: House.Mode, store: StoreSettings, rig: Rig): Effect.Effect<Setting, never, Scope.Scope> =>
  Effect.gen(function*() {
    const server = yield* House.server(mode, rig.seed, life)
    const heir = yield* House.worker(server, store, mode)
    const arrivals = new Map<string, Deferred.Deferred<void>>()
    const arrival = (refreshToken: string) => {
      const found = arrivals.get(refreshToken) ?? Deferred.unsafeMake<void>(FiberId.none)
      arrivals.set(refreshToken, found)
      return found
    }
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.flatMap(
          Queue.take(server.told),
          (told) => "at" in told && told.of !== undefined ? Deferred.succeed(arrival(told.of), undefined) : Effect.void
        )
      )
    )
    return {
      server,
      heir,
      mode,
      victim: House.worker(server, store, mode),
      heldAt: (refreshToken) => Deferred.await(arrival(refreshToken))
    }
  })

export const trial: Trial = {
  ids: ["R12", "R15"],
  run: (rig) => House.everywhere(rig, (storage, mode) => onStorage(storage, mode, rig))
}
