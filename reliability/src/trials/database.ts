/** R11, R13, R20: the database is taken away and comes back, and a renewal does not keep a connection. */
import { Effect } from "effect"
import type { Scope } from "effect"
import * as Gate from "../../../support/gate.js"
import type { Outcome } from "../../processes/messages.js"
import type * as Child from "../Child.js"
import * as House from "../house.js"
import type { Result, Rig, Storage, Trial } from "../Rig.js"

/** Refused: the database is not there. Silent: nobody answers any more, as when a line is cut. */
type Away = "refused" | "silent"

interface Setting {
  readonly server: Child.Server
  readonly gate: Gate.Gate
  /** Whose way to the database goes through the gate. */
  readonly worker: Child.Worker
  /** Who has a way of its own. */
  readonly other: Child.Worker
}

const settingOf = (
  storage: Storage,
  rig: Rig,
  deadlines = House.deadlines
): Effect.Effect<Setting, never, Scope.Scope> =>
  Effect.gen(function*() {
    const server = yield* House.server("strict", rig.seed)
    const store = yield* storage.open
    if (store.kind !== "postgres") return yield* Effect.dieMessage("Only a database can be taken away")
    const gate = yield* Gate.make(store.port)
    const worker = yield* House.worker(server, { ...store, port: gate.port }, "strict", deadlines)
    return { server, gate, worker, other: yield* House.worker(server, store, "strict", deadlines) }
  })

const take = (gate: Gate.Gate, away: Away): Effect.Effect<void> => away === "refused" ? gate.close : gate.silence

const requestsAt = (server: Child.Server): Effect.Effect<number> =>
  Effect.map(server.ask("report", {}), ({ requests }) => requests.length)

const tookAtMost = (outcomes: ReadonlyArray<Outcome>): number =>
  Math.max(...outcomes.map(({ answered, asked }) => answered - asked))

const namesOf = (failures: ReadonlyArray<string | undefined>): string =>
  [...new Set(failures.filter((failure) => failure !== undefined))].join(", ") || "none"

const intact = (server: Child.Server, worker: Child.Worker, sessions: ReadonlyArray<{ readonly key: string }>) =>
  Effect.map(
    Effect.filter(sessions, ({ key }) => House.isIntact(server, worker, key), { concurrency: 8 }),
    ({ length }) => length
  )

/** For as long as it is away some sessions are valid, and others have expired. */
const unavailable = (storage: Storage, away: Away, rig: Rig): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const { seconds, sessions } = rig.profile.database
    yield* rig.progress(`${storage.name}: ${sessions} sessions, ${seconds} s without a database (${away})`)
    // With time for the requests: one that is given up at a strict server is in doubt, which is another trial's matter
    const { gate, other, server, worker } = yield* settingOf(storage, rig, House.defaultDeadlines)
    const valid = yield* House.freshSessions(server, worker, sessions)
    const expired = yield* House.expiredSessions(server, worker, sessions)
    yield* take(gate, away)
    const until = Date.now() + seconds * 1_000
    const used = Effect.forEach(valid, ({ key }) =>
      worker.ask("drive", { key, fibers: 2, every: 100, duration: seconds * 1_000 }), { concurrency: "unbounded" })
    const asked: Array<Outcome> = []
    const ask = ({ key }: { readonly key: string }) =>
      Effect.tap(Effect.delay(worker.ask("token", { key }), 100), (outcome) =>
        Effect.sync(() =>
          asked.push(outcome)
        ))
    const refused = Effect.forEach(expired, (session) =>
      Effect.repeat(ask(session), { while: () => Date.now() < until }), { concurrency: "unbounded", discard: true })
    const [driven] = yield* Effect.all([used, refused], { concurrency: 2 })
    const meanwhile = yield* requestsAt(server)
    yield* gate.open
    const back = Date.now()
    const after = yield* Effect.forEach(expired, ({ key }) =>
      House.tokenInTheEnd(worker, key), {
      concurrency: "unbounded"
    })
    const took = ((Date.now() - back) / 1_000).toFixed(1)
    const calls = driven.reduce((sum, { calls }) =>
      sum + calls, 0)
    const validFailures = driven.flatMap(({ failures }) => Object.keys(failures))
    const expiredFailures = asked.map(House.failureOf)
    const renewed = (yield* requestsAt(server)) - meanwhile
    const { reuses } = yield* server.ask("report", {})
    const kept = yield* intact(server, other, [...valid, ...expired])
    const isTyped = expiredFailures.every((failure) => failure !== undefined && /^StoreError /.test(failure))
    return {
      id: "R11",
      goal:
        "what is valid is served, what has expired fails closed and typed, with no request; all go on when it is back",
      runs: `${storage.name}, ${away} for ${seconds} s: ${sessions} valid and ${sessions} expired sessions`,
      result: `valid: ${House.count(calls)} calls, failures: ${namesOf(validFailures)}; expired: ` +
        `${House.count(asked.length)} calls, failures: ${namesOf(expiredFailures)}, each within ` +
        `${tookAtMost(asked)} ms, ${meanwhile} requests; when it was back ${renewed} renewals within ${took} s, ` +
        `failures: ${namesOf(after.map(House.failureOf))}; ${kept} of ${sessions * 2} sessions kept`,
      ok: validFailures.length === 0 && calls > 0 && isTyped && asked.length > 0 && meanwhile === 0 && reuses === 0 &&
        after.every((outcome) => House.failureOf(outcome) === undefined) && kept === sessions * 2
    }
  }).pipe(Effect.scoped)

/** It goes when the server has rotated, and nothing is written yet. */
const rotatedMeanwhile = (storage: Storage, away: Away, rig: Rig): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const { seconds, sessions } = rig.profile.database
    yield* rig.progress(`${storage.name}: ${sessions} successors are issued while the database is ${away}`)
    const { gate, other, server, worker } = yield* settingOf(storage, rig, House.defaultDeadlines)
    const expired = yield* House.expiredSessions(server, worker, sessions)
    yield* server.ask("delay", { millis: 3_000, acted: true, times: sessions })
    const asking = yield* Effect.forkScoped(
      Effect.forEach(expired, ({ key }) => House.begun(worker, key), { concurrency: "unbounded" })
    )
    yield* House.rotated(server, expired.map(({ refreshToken }) => refreshToken))
    yield* take(gate, away)
    const outcomes = yield* asking
    yield* Effect.sleep(seconds * 1_000)
    const unwritten = yield* Effect.filter(expired, ({ key }) =>
      Effect.map(House.isIntact(server, other, key, 0), (is) => !is))
    const again = yield* Effect.forEach(expired, ({ key }) =>
      worker.ask("token", { key }), {
      concurrency: "unbounded"
    })
    yield* gate.open
    const back = Date.now()
    const kept = yield* Effect.filter(expired, ({ key }) => House.isIntact(server, other, key, Date.now() + 90_000), {
      concurrency: "unbounded"
    })
    const took = ((Date.now() - back) / 1_000).toFixed(1)
    const after = yield* Effect.forEach(kept, ({ key }) => other.ask("refresh", { key }), { concurrency: 8 })
    const failures = [...outcomes, ...again, ...after].map(House.failureOf)
    const { reuses } = yield* server.ask("report", {})
    return {
      id: "R20",
      goal: "successors that are issued while nothing can be written are served meanwhile, and written when it can be",
      runs: `${storage.name}, ${away} for ${seconds} s: ${sessions} sessions, rotated at a strict server`,
      result:
        `${unwritten.length} not written when it came back; ${kept.length} of ${sessions} written within ${took} s, ` +
        `and renewed by another process; failures: ${namesOf(failures)}; ${reuses} reuses`,
      ok: unwritten.length > 0 && kept.length === sessions && reuses === 0 &&
        failures.every((failure) => failure === undefined)
    }
  }).pipe(Effect.scoped)

/** How long, in milliseconds, each request takes. */
const latency = 500

/** How many of the requests were in the air at a time. */
const together = (requests: ReadonlyArray<{ readonly at: number }>): number =>
  Math.max(0, ...requests.map(({ at }) => requests.filter((other) => other.at >= at && other.at < at + latency).length))

const poolOfOne = (storage: Storage, rig: Rig): Effect.Effect<Result> =>
  Effect.gen(function*() {
    const { sessions } = rig.profile.database
    const server = yield* House.server("strict", rig.seed)
    const store = yield* storage.open
    const pool = store.kind === "postgres" ? { pool: 1 } : {}
    const worker = yield* House.worker(server, { ...store, ...pool }, "strict", House.defaultDeadlines)
    const expired = yield* House.expiredSessions(server, worker, sessions)
    yield* server.ask("delay", { millis: latency, acted: true, times: sessions })
    const began = Date.now()
    const outcomes = yield* Effect.forEach(expired, ({ key }) => House.tokenInTheEnd(worker, key), {
      concurrency: "unbounded"
    })
    const took = Date.now() - began
    const { requests } = yield* server.ask("report", {})
    const failures = outcomes.map(House.failureOf)
    return {
      id: "R13",
      goal: "with a pool of one connection, renewals do not wait for each other's requests",
      runs: `${storage.name}: ${sessions} sessions at once, each request takes ${latency} ms`,
      result: `${requests.length} requests, ${together(requests)} of them in the air at a time; all done in ` +
        `${House.count(took)} ms, one after the other they take ${House.count(sessions * latency)} ms at least; ` +
        `failures: ${namesOf(failures)}`,
      ok: together(requests) > 1 && requests.length === sessions && failures.every((failure) => failure === undefined)
    }
  }).pipe(Effect.scoped)

export const trial: Trial = {
  ids: ["R11", "R13", "R20"],
  run: (rig) =>
    Effect.gen(function*() {
      const databases = rig.storages.filter(({ name }) => name === "PostgreSQL")
      const on = (storage: Storage) => [
        poolOfOne(storage, rig),
        ...(["refused", "silent"] as const).flatMap((away) => [
          unavailable(storage, away, rig),
          rotatedMeanwhile(storage, away, rig)
        ])
      ]
      yield* Effect.forEach(databases.flatMap(on), Effect.flatMap(rig.report), {
        concurrency: "unbounded",
        discard: true
      })
    })
}
