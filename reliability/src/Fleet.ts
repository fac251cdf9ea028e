/** Many processes that share many sessions: each uses random ones all the time, and is started anew when it is killed. */
import { Effect, Exit, Fiber, Queue } from "effect"
import type { Scope } from "effect"
import type { StoredToken, StoreSettings, Told } from "../processes/messages.js"
import type * as Child from "./Child.js"
import * as House from "./house.js"

export interface Settings {
  readonly server: Child.Server
  readonly store: StoreSettings
  readonly mode: House.Mode
  readonly processes: number
  readonly sessions: number
  /** Seconds that an access token lives. */
  readonly life: number
  /** How many sessions each process uses in a second. */
  readonly rate: number
  readonly random: () => number
}

/** What happened. Processes and sessions go by their numbers, from 0; `at` is in epoch milliseconds. */
export interface Happening {
  readonly what: "signed in" | "started" | "killed" | "left" | "refreshed" | "adopted" | "lost"
  readonly at: number
  readonly process: number
  readonly session?: number | undefined
  /** Of what a process that was killed has left: how many sessions it was redeeming. */
  readonly holding?: number | undefined
  /** Of a refresh: the process that was killed in the middle of this one before, and when. */
  readonly takenOver?: Orphaned | undefined
}

interface Orphaned {
  readonly process: number
  readonly at: number
}

/** What it comes to, by the callers, by the store, and by the server. */
export interface Account {
  readonly calls: number
  /** Calls that got an error, by its tag and reason. */
  readonly failures: Readonly<Record<string, number>>
  /** Sessions that cannot go on without their users, each with what the next caller is told. */
  readonly lost: ReadonlyArray<string>
  /** Renewals that the store holds of the sessions that go on. */
  readonly renewals: number
  /** Refresh tokens that the server took, those that it took once more within its grace included. */
  readonly redemptions: number
  /** Refresh tokens that were presented once more. */
  readonly reuses: number
}

export interface Fleet {
  readonly calls: () => number
  /** The sessions for which a caller has been waiting for so many milliseconds. */
  readonly waiting: (millis: number) => ReadonlySet<number>
  /** Kills one of the processes that are up. */
  readonly kill: Effect.Effect<void>
  /** Ends the use, and looks what has become of every session. */
  readonly settle: Effect.Effect<Account>
}

interface Call {
  readonly session: number
  readonly since: number
}

interface Life {
  readonly worker: Child.Worker
  readonly calls: Set<Call>
}

interface Slot {
  readonly process: number
  life: Life | undefined
}

/** Starts the processes, signs every user in, and has the sessions used. */
export const make = (
  settings: Settings,
  tell: (happening: Happening) => Effect.Effect<void>
): Effect.Effect<Fleet, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { mode, processes, random, rate, server, sessions, store } = settings
    const scope = yield* Effect.scope
    const keys = Array.from({ length: sessions }, (_, session) => `fleet ${process.pid} ${session}`)
    const slots = Array.from({ length: processes }, (_, process): Slot => ({ process, life: undefined }))
    const hear = listener(keys, tell)
    const failures: Record<string, number> = {}
    let isOpen = false
    let count = 0

    const use = ({ calls, worker }: Life): Effect.Effect<void> =>
      Effect.suspend(() => {
        const session = Math.floor(random() * sessions)
        const call: Call = { session, since: Date.now() }
        calls.add(call)
        count++
        return Effect.map(Effect.exit(worker.ask("token", { key: keys[session]! })), (answered) => {
          calls.delete(call)
          // Who asks a process that is killed gets no answer
          const failure = Exit.isSuccess(answered) ? House.failureOf(answered.value) : undefined
          if (failure !== undefined) failures[failure] = (failures[failure] ?? 0) + 1
        })
      })

    const live = (slot: Slot): Effect.Effect<never> =>
      Effect.gen(function*() {
        const worker = yield* House.worker(server, store, mode)
        const life: Life = { worker, calls: new Set() }
        slot.life = life
        yield* tell({ what: "started", at: Date.now(), process: slot.process })
        yield* Effect.forkIn(hear.all(slot.process, worker), scope)
        const next = Effect.suspend(() => isOpen ? Effect.forkScoped(use(life)) : Effect.void)
        yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Effect.sleep(1_000 / rate), next)))
        yield* worker.ended
        slot.life = undefined
      }).pipe(Effect.scoped, Effect.forever)

    const lives = yield* Effect.forEach(slots, (slot) => Effect.forkScoped(live(slot)))
    // A process that cannot be started ends the fleet
    const broken = lives.map(Fiber.join).reduce((one, other) => Effect.raceFirst(one, other))
    const everybodyUp = Effect.raceFirst(allUp(slots), broken)
    yield* everybodyUp
    yield* signIn(settings, slots, keys, tell)
    isOpen = true

    return {
      calls: () => count,
      waiting: (millis) => {
        const latest = Date.now() - millis
        const calls = slots.flatMap(({ life }) => life === undefined ? [] : [...life.calls])
        return new Set(calls.filter(({ since }) => since <= latest).map(({ session }) => session))
      },
      kill: Effect.suspend(() => {
        const victims = slots.filter(({ life }) => life !== undefined)
        const victim = victims[Math.floor(random() * victims.length)]
        return victim?.life === undefined ? Effect.void : kill(victim, victim.life, slots, keys, hear, tell)
      }),
      settle: Effect.gen(function*() {
        isOpen = false
        yield* everybodyUp
        // Counted before the sessions are looked at: what is renewed meanwhile is in the store and not among these
        const { requests } = yield* server.ask("report", {})
        const judged = yield* Effect.forEach(
          keys,
          (key, session) => Effect.suspend(() => judge(server, workerFor(slots, session), key)),
          { concurrency: 8 }
        )
        const { reuses } = yield* server.ask("report", {})
        return {
          calls: count,
          failures,
          lost: judged.flatMap(({ lost }) => lost === undefined ? [] : [lost]),
          renewals: judged.reduce((sum, { renewals }) => sum + renewals, 0),
          redemptions: requests.filter(({ status }) => status === 200).length,
          reuses
        }
      })
    }
  })

const allUp = (slots: ReadonlyArray<Slot>): Effect.Effect<void> =>
  Effect.suspend(() =>
    slots.every(({ life }) => life !== undefined) ? Effect.void : Effect.zipRight(Effect.sleep(20), allUp(slots))
  )

const workerFor = (slots: ReadonlyArray<Slot>, session: number): Child.Worker => {
  const { life } = slots[session % slots.length]!
  if (life === undefined) throw new Error("A process of the fleet ended by itself")
  return life.worker
}

/** The tokens of a fleet that has been at work for a while: no two of them end at the same time. */
const signIn = (
  { life, random, server }: Settings,
  slots: ReadonlyArray<Slot>,
  keys: ReadonlyArray<string>,
  tell: (happening: Happening) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const issued = yield* server.ask("issue", { count: keys.length })
    const restore = (token: StoredToken, session: number) => {
      const expiresAt = Math.round(Date.now() + random() * life * 1_000)
      const spread: StoredToken = { ...token, issuedAt: expiresAt - life * 1_000, expiresAt }
      const restored = workerFor(slots, session).ask("restore", { key: keys[session]!, token: spread })
      return Effect.zipRight(
        restored,
        tell({ what: "signed in", at: Date.now(), process: session % slots.length, session })
      )
    }
    yield* Effect.forEach(issued, restore, { concurrency: 8, discard: true })
  })

interface Listener {
  /** Everything that the process tells, to its end. */
  readonly all: (process: number, worker: Child.Worker) => Effect.Effect<never>
  readonly orphan: (session: number, by: Orphaned) => void
}

const listener = (
  keys: ReadonlyArray<string>,
  tell: (happening: Happening) => Effect.Effect<void>
): Listener => {
  const numbers = new Map(keys.map((key, session) => [key, session]))
  const orphans = new Map<number, Orphaned>()
  const dead = new Set<number>()

  const hear = (process: number, told: Told): Effect.Effect<void> => {
    const session = "event" in told ? numbers.get(told.key) : undefined
    if (!("event" in told) || session === undefined) return Effect.void
    const about = { at: told.time, process, session }
    switch (told.event) {
      case "Refreshed": {
        const orphaned = orphans.get(session)
        orphans.delete(session)
        // A sibling that was at it when the other was killed has finished sooner
        const takenOver = orphaned !== undefined && told.time - orphaned.at > 1_000 ? orphaned : undefined
        return tell({ what: "refreshed", ...about, takenOver })
      }
      case "Adopted":
        return tell({ what: "adopted", ...about })
      case "Dead": {
        if (dead.has(session)) return Effect.void
        dead.add(session)
        return tell({ what: "lost", ...about })
      }
      default:
        return Effect.void
    }
  }

  return {
    all: (process, worker) => Effect.forever(Effect.flatMap(Queue.take(worker.told), (told) => hear(process, told))),
    orphan: (session, by) => void orphans.set(session, by)
  }
}

/** Kills the process, and notes which sessions it leaves in the middle of a redemption. */
const kill = (
  { process }: Slot,
  { calls, worker }: Life,
  slots: ReadonlyArray<Slot>,
  keys: ReadonlyArray<string>,
  { orphan }: Listener,
  tell: (happening: Happening) => Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const at = Date.now()
    const inUse = [...new Set([...calls].map(({ session }) => session))]
    yield* worker.signal("SIGKILL")
    yield* worker.ended
    yield* tell({ what: "killed", at, process })
    const witness = slots.find((slot) => slot.process !== process && slot.life !== undefined)?.life?.worker
    const held = witness === undefined ? [] : yield* Effect.filter(
      inUse,
      (session) => Effect.map(witness.ask("stored", { key: keys[session]! }), (stored) => stored?.state === "Redeeming")
    )
    for (const session of held) orphan(session, { process, at })
    if (held.length > 0) yield* tell({ what: "left", at: Date.now(), process, holding: held.length })
  }).pipe(Effect.uninterruptible)

/** Whether the session goes on: by what a caller is told, and by what the server says of the stored refresh token. */
const judge = (
  server: Child.Server,
  worker: Child.Worker,
  key: string
): Effect.Effect<{ readonly lost?: string; readonly renewals: number }> =>
  Effect.gen(function*() {
    const latest = Date.now() + 20_000
    const look = Effect.gen(function*() {
      const failure = House.failureOf(yield* worker.ask("token", { key }))
      if (failure !== undefined) return failure
      return (yield* House.isIntact(server, worker, key)) ? undefined : "what is stored is not what the server takes"
    })
    // One that is being taken over, or renewed just now, gets the time for it
    const isPassing = (lost: string | undefined) =>
      lost !== undefined && !lost.startsWith("ReauthorizationRequired") && Date.now() < latest
    let lost = yield* look
    while (isPassing(lost)) lost = yield* Effect.zipRight(Effect.sleep(200), look)
    if (lost !== undefined) return { lost, renewals: 0 }
    const stored = yield* worker.ask("stored", { key })
    return { renewals: (stored?.generation ?? 1) - 1 }
  })

/** How a loss is told that no client can prevent: the server had rotated, and its answer died with a process. */
export const isTyped = (lost: string): boolean => lost === "ReauthorizationRequired RotationOutcomeUnknown"
