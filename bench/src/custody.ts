/**
 * What it costs to keep sessions in PostgreSQL: by how many are stored, and by how many processes share them.
 */
import * as Effect from "effect/Effect"
import type { PostgresAddress } from "../../support/postgres.js"
import * as CustodyProcesses from "./CustodyProcesses.js"
import * as Database from "./database.js"
import { added, type Length, median, ratio, sideBySide, type Subject } from "./measure.js"
import type { Figure, Section } from "./report.js"
import * as StoreWork from "./StoreWork.js"

/** So many processes share a database, each with a pool of its own. */
const crowds = [1, 2, 4]

export interface Options {
  /** Of each of five measurements. */
  readonly length: Length
  /** How many sessions are stored. */
  readonly populations: ReadonlyArray<number>
}

export const custody = ({ length, populations }: Options): Promise<Section> =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const server = yield* Database.postgres
    const connection = yield* Database.connect(server)
    return {
      title: "Custody in PostgreSQL on this machine",
      figures: [
        ...(yield* byPopulation(connection, populations, length)),
        ...(yield* byCrowd(server, connection, length))
      ],
      notes: [
        `A process has a pool of ${Database.poolSize}; ${StoreWork.fibers} of its fibers ask at once. Every commit is on ` +
        "the disk before it counts.",
        "The database, and the processes, each with an authorization server of its own, share the processors."
      ]
    }
  })))

const measure = <Name extends string>(subjects: Readonly<Record<Name, Subject>>, length: Length) =>
  Effect.promise(() => sideBySide(subjects, length))

const titles = { get: "lookups", cas: "begin and commit" }

const perSecond = (micros: ReadonlyArray<number>): number => 1_000_000 / median(micros)

// ---- by how many sessions are stored

const byPopulation = (connection: Database.Connection, populations: ReadonlyArray<number>, length: Length) =>
  Effect.gen(function*() {
    const tables = populations.map((sessions) => ({ sessions, tablePrefix: `s${sessions}_` }))
    for (const table of tables) yield* Database.fill(connection, table)
    const work = yield* Effect.forEach(tables, (table) => StoreWork.make(connection, table))
    const figures = (kind: StoreWork.Kind) =>
      Effect.gen(function*() {
        const subjects = tables.map((table, index): [string, Subject] => [powerOf(table), {
          size: StoreWork.sizes[kind],
          waits: true,
          run: () => Effect.runPromise(work[index]![kind])
        }])
        const samples = yield* measure(Object.fromEntries(subjects), length)
        const micros = tables.map((table) => samples[powerOf(table)]!)
        return [
          ...tables.map((table, index) => ({
            name: `custody-${kind}-per-second-${powerOf(table)}`,
            title: `${titles[kind]}, ${table.sessions.toLocaleString("en-US")} stored`,
            value: perSecond(micros[index]!),
            unit: "per second"
          } as const)),
          {
            name: `custody-${kind}-flatness`,
            title: "  the slowest, over the fastest",
            value: Math.max(...micros.flatMap((one) => micros.map((other) => ratio(one, other)))),
            unit: "ratio",
            most: 1.25
          }
        ] satisfies ReadonlyArray<Figure>
      })
    return [...(yield* figures("get")), ...(yield* figures("cas"))]
  })

const powerOf = ({ sessions }: Database.Table): string => `1e${Math.round(Math.log10(sessions))}`

// ---- by how many processes there are

const byCrowd = (server: PostgresAddress, connection: Database.Connection, length: Length) =>
  Effect.gen(function*() {
    const table = { sessions: 100_000, tablePrefix: "crowd_" }
    yield* Database.fill(connection, table)
    yield* Database.prepare(connection)
    const processes = yield* CustodyProcesses.start(server, table, Math.max(...crowds))
    const byAll = (kind: CustodyProcesses.Kind, count: number): Subject => ({
      size: CustodyProcesses.sizes[kind] * count,
      waits: true,
      run: () => Promise.all(processes.slice(0, count).map((process) => process.run(kind)))
    })
    const measured = (kind: CustodyProcesses.Kind) =>
      measure<string>(Object.fromEntries(crowds.map((count) => [`${count}`, byAll(kind, count)])), length)
    const throughput = (kind: StoreWork.Kind) =>
      Effect.map(measured(kind), (samples) =>
        crowds.map((count) => ({
          name: `custody-${kind}-per-second-processes-${count}`,
          title: `  ${titles[kind]}, by ${counted(count)}`,
          value: perSecond(samples[count]!),
          unit: "per second"
        } as const)))
    return [
      ...(yield* throughput("get")),
      ...(yield* throughput("cas")),
      ...(yield* refreshes(byAll, length))
    ]
  })

/** How long a renewal takes, asked for without end by each of so many processes, each with a session of its own. */
const refreshes = (byAll: (kind: "refresh" | "refreshInMemory", count: number) => Subject, length: Length) =>
  Effect.gen(function*() {
    const samples = yield* measure<string>({
      memory: byAll("refreshInMemory", 1),
      ...Object.fromEntries(crowds.map((count) => [`${count}`, byAll("refresh", count)]))
    }, length)
    // What many do at once takes each as long as all
    const millis = (micros: ReadonlyArray<number>, count = 1): number => median(micros) * count / 1_000
    return [
      {
        name: "custody-refresh-added-ms",
        title: "session.refresh, over one in memory",
        value: added(samples["1"]!, samples["memory"]!) / 1_000,
        unit: "ms"
      },
      {
        name: "custody-refresh-memory-ms",
        title: "  in memory",
        value: millis(samples["memory"]!),
        unit: "ms"
      },
      ...crowds.map((count) => ({
        name: `custody-refresh-ms-processes-${count}`,
        title: `  in PostgreSQL, by ${counted(count)} at once`,
        value: millis(samples[count]!, count),
        unit: "ms"
      } as const))
    ] satisfies ReadonlyArray<Figure>
  })

const counted = (processes: number): string => processes === 1 ? "1 process" : `${processes} processes`
