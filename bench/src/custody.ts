/**
 * What it costs to keep sessions in PostgreSQL: by how many are stored, and by how many clients share them.
 */
import {
  Custody,
  OAuth2Client,
  type OAuth2Session,
  type PendingAuthorizations,
  SessionRecord,
  type TokenStore
} from "@effect-oauth2/core"
import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { SqlCustody, SqlMigrations } from "@effect-oauth2/sql"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Database from "./database.js"
import { makeToken } from "./fixtures.js"
import { added, type Length, median, ratio, sideBySide, type Subject } from "./measure.js"
import type { Figure, Section } from "./report.js"

/** So many fibers of one client ask at once. */
const fibers = 16

/** So many times a client asks in a block. What is written to the disk takes its time. */
const sizes = { get: 64, cas: 32 }

/** So many clients share a database, each with a pool of its own. */
const crowds = [1, 2, 4]

export interface Options {
  /** Of each of five measurements. */
  readonly length: Length
  /** How many sessions are stored. */
  readonly populations: ReadonlyArray<number>
}

export const custody = (options: Options): Promise<Section> =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const server = yield* Database.postgres
    const connections = yield* Effect.replicateEffect(Database.connect(server), Math.max(...crowds))
    const populations = options.populations.map(populationOf)
    for (const population of populations) yield* Database.fill(connections[0]!, population)
    return {
      title: "Custody in PostgreSQL on this machine",
      figures: [
        ...(yield* byPopulation(connections[0]!, populations, options.length)),
        ...(yield* byCrowd(connections, populations.at(-1)!, options.length)),
        ...(yield* refreshes(connections, options.length))
      ],
      notes: [
        `A client has a pool of ${Database.poolSize}; ${fibers} of its fibers ask at once. Every commit is on the disk ` +
        "before it counts.",
        "All clients are in one process, as is the authorization server: they share one thread."
      ]
    }
  })))

type Connections = ReadonlyArray<Database.Connection>

// ---- by how many sessions are stored

const byPopulation = (connection: Database.Connection, populations: ReadonlyArray<Population>, length: Length) =>
  Effect.gen(function*() {
    const subjects = yield* Effect.forEach(populations, (population) => subjectsOf([connection], population))
    const figures = (kind: Kind) =>
      Effect.gen(function*() {
        const samples = yield* measure(
          Object.fromEntries(populations.map((one, index) => [powerOf(one), subjects[index]![kind]])),
          length
        )
        const micros = populations.map((one) => samples[powerOf(one)]!)
        return [
          ...populations.map((one, index) => ({
            name: `custody-${kind}-per-second-${powerOf(one)}`,
            title: `${titles[kind]}, ${one.sessions.toLocaleString("en-US")} stored`,
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

const titles = { get: "lookups", cas: "begin and commit" }

// ---- by how many clients there are

const byCrowd = (connections: Connections, population: Population, length: Length) =>
  Effect.gen(function*() {
    const subjects = yield* Effect.forEach(crowds, (count) => subjectsOf(connections.slice(0, count), population))
    const figures = (kind: Kind) =>
      Effect.map(
        measure(Object.fromEntries(crowds.map((count, index) => [`${count}`, subjects[index]![kind]])), length),
        (samples) =>
          crowds.map((count) => ({
            name: `custody-${kind}-per-second-clients-${count}`,
            title: `  ${titles[kind]}, by ${clients(count)}`,
            value: perSecond(samples[count]!),
            unit: "per second"
          } as const))
      )
    return [...(yield* figures("get")), ...(yield* figures("cas"))]
  })

const clients = (count: number): string => count === 1 ? "1 client" : `${count} clients`

// ---- what is asked

type Kind = "get" | "cas"

/** What clients of the same sessions do in a block, together. */
const subjectsOf = (
  connections: Connections,
  population: Population
): Effect.Effect<Readonly<Record<Kind, Subject>>, unknown> =>
  Effect.gen(function*() {
    const stores = yield* Effect.forEach(connections, (connection) => Database.storeOf(connection, population))
    const block = (
      size: number,
      act: (store: TokenStore.TokenStoreService) => Effect.Effect<unknown, unknown>
    ): Subject => {
      const byOne = (store: TokenStore.TokenStoreService) =>
        Effect.forEach(Array.from({ length: size }), () => act(store), { concurrency: fibers, discard: true })
      const byAll = Effect.forEach(stores, byOne, { concurrency: "unbounded", discard: true })
      return { size: stores.length * size, waits: true, run: () => Effect.runPromise(byAll) }
    }
    return {
      get: block(sizes.get, (store) => Effect.flatMap(store.get(population.next()), orMissing)),
      cas: block(sizes.cas, (store) => renew(population, store))
    }
  })

const orMissing = Option.match({ onNone: () => Effect.dieMessage("A session is not there"), onSome: Effect.succeed })

interface Population extends Database.Table {
  /** The keys are far apart, and one comes again when all others had their turn: nobody is in anybody's way. */
  readonly next: () => string
  /** Of sessions that were renewed. */
  readonly generations: Map<string, number>
}

const populationOf = (sessions: number): Population => {
  let index = 0
  return {
    sessions,
    tablePrefix: `s${sessions}_`,
    next: () => {
      index = (index + stride) % sessions
      return Database.keyOf(index)
    },
    generations: new Map()
  }
}

/** Has no divisor in common with a power of ten. */
const stride = 7_919

/** What a renewal asks of the store. The read before it is counted among the lookups. */
const renew = ({ generations, next }: Population, store: TokenStore.TokenStoreService) =>
  Effect.gen(function*() {
    const key = next()
    const claim = { generation: generations.get(key) ?? 1, attempt: "bench" }
    const begun = yield* store.begin(key, claim, Duration.minutes(1))
    const renewed = SessionRecord.authorized(claim.generation + 1, makeToken(Date.now()))
    const { _tag } = yield* store.commit(key, claim, renewed)
    if (begun._tag !== "Begun" || _tag !== "Committed") return yield* Effect.dieMessage("A session was not renewed")
    generations.set(key, renewed.generation)
  })

const perSecond = (micros: ReadonlyArray<number>): number => 1_000_000 / median(micros)

const measure = <Name extends string>(subjects: Readonly<Record<Name, Subject>>, length: Length) =>
  Effect.promise(() => sideBySide(subjects, length))

// ---- a whole renewal

/** How long a renewal takes, asked for without end by each of so many clients, each with a session of its own. */
const refreshes = (connections: Connections, length: Length) =>
  Effect.gen(function*() {
    const server = yield* TestAuthorizationServer.make({ logSize: 100 })
    const clientOf = (custody: Layer.Layer<Stores, unknown>, sessionKey: string) =>
      Effect.gen(function*() {
        const context = yield* Layer.build(Layer.fresh(layerOf(server.httpClient, custody)))
        const client = Context.get(context, OAuth2Client.OAuth2Client)
        return yield* client.restore(yield* server.issue(), { sessionKey })
      })
    const block = (sessions: ReadonlyArray<OAuth2Session.OAuth2Session>): Subject => ({
      size: refreshesOfOne,
      waits: true,
      run: () =>
        Effect.runPromise(
          Effect.forEach(sessions, ({ refresh }) => Effect.repeatN(refresh, refreshesOfOne - 1), {
            concurrency: "unbounded",
            discard: true
          })
        )
    })
    yield* Effect.provide(SqlMigrations.run(), connections[0]!)
    const inMemory = yield* clientOf(Custody.layerMemory, "alone")
    const shared = yield* Effect.forEach(connections, (connection, index) =>
      clientOf(Layer.provide(SqlCustody.layer(), Layer.succeedContext(connection)), `client-${index}`))
    const samples = yield* measure<string>({
      memory: block([inMemory]),
      ...Object.fromEntries(crowds.map((count) => [`${count}`, block(shared.slice(0, count))]))
    }, length)
    const millis = (micros: number): number =>
      micros / 1_000
    return [
      {
        name: "custody-refresh-added-ms",
        title: "session.refresh, over one in memory",
        value: millis(added(samples["1"]!, samples["memory"]!)),
        unit: "ms"
      },
      {
        name: "custody-refresh-memory-ms",
        title: "  in memory",
        value: millis(median(samples["memory"]!)),
        unit: "ms"
      },
      ...crowds.map((count) => ({
        name: `custody-refresh-ms-clients-${count}`,
        title: `  in PostgreSQL, by ${clients(count)} at once`,
        value: millis(median(samples[count]!)),
        unit: "ms"
      } as const))
    ] satisfies ReadonlyArray<Figure>
  })

type Stores = TokenStore.TokenStore | PendingAuthorizations.PendingAuthorizations

/** One client refreshes so many times in a block. */
const refreshesOfOne = 5

const layerOf = (transport: HttpClient.HttpClient, custody: Layer.Layer<Stores, unknown>) =>
  OAuth2Client.layer({ clientId: "app", tokenEndpoint: "https://as.test/token" }).pipe(
    Layer.provide([custody, Layer.succeed(HttpClient.HttpClient, transport)])
  )
