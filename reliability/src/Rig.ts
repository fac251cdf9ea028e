/** What trials are run with, and what they end in. */
import type { Effect, Scope } from "effect"
import type { StoreSettings } from "../processes/messages.js"

/** A place where sessions are kept, new for each trial. */
export interface Storage {
  readonly name: string
  readonly open: Effect.Effect<StoreSettings, never, Scope.Scope>
}

/** Processes, fibers in each, and expiries that they live through. */
export interface Crowd {
  readonly processes: number
  readonly fibers: number
  readonly expiries: number
}

/** How much is done. */
export interface Profile {
  readonly name: "quick" | "standard" | "full"
  /** On files and SQLite, and on PostgreSQL, where the processes stand for machines. */
  readonly crowd: { readonly host: Crowd; readonly machines: Crowd }
  /** Whether every store meets every kind of server, or each store another kind. */
  readonly combinations: "all" | "some"
  /** Processes killed at each labelled point, and at random instants: over all combinations. */
  readonly kills: { readonly labelled: number; readonly random: number }
  /** Processes killed while they write, over files and SQLite: as many as fit the seconds, between least and most. */
  readonly writes: { readonly least: number; readonly most: number; readonly seconds: number }
  readonly freezes: number
  readonly shutdowns: number
  /** Seconds without an authorization server. */
  readonly outage: number
  /** Seconds without a database, and how many sessions there are then. */
  readonly database: { readonly seconds: number; readonly sessions: number }
  /** Renewals that other processes wait for. */
  readonly waits: number
  /** How long, in seconds, sessions are used after each jump of the clock. */
  readonly jump: number
  /** For how many seconds the tests of the requirements may run that are proved within one process; 0: not at all. */
  readonly suites: number
}

export const profiles: Readonly<Record<Profile["name"], Profile>> = {
  quick: {
    name: "quick",
    crowd: {
      host: { processes: 3, fibers: 16, expiries: 3 },
      machines: { processes: 3, fibers: 16, expiries: 3 }
    },
    combinations: "some",
    kills: { labelled: 1, random: 3 },
    writes: { least: 20, most: 40, seconds: 10 },
    freezes: 4,
    shutdowns: 2,
    outage: 10,
    database: { seconds: 3, sessions: 8 },
    waits: 4,
    jump: 1,
    suites: 0
  },
  standard: {
    name: "standard",
    crowd: {
      host: { processes: 8, fibers: 64, expiries: 50 },
      machines: { processes: 8, fibers: 64, expiries: 50 }
    },
    combinations: "all",
    kills: { labelled: 50, random: 500 },
    writes: { least: 100, most: 10_000, seconds: 60 },
    freezes: 20,
    shutdowns: 50,
    outage: 60,
    database: { seconds: 15, sessions: 50 },
    waits: 50,
    jump: 3,
    suites: 240
  },
  full: {
    name: "full",
    crowd: {
      host: { processes: 32, fibers: 64, expiries: 200 },
      machines: { processes: 8, fibers: 500, expiries: 200 }
    },
    combinations: "all",
    kills: { labelled: 200, random: 2_000 },
    writes: { least: 10_000, most: 10_000, seconds: 0 },
    freezes: 200,
    shutdowns: 1_000,
    outage: 300,
    database: { seconds: 300, sessions: 200 },
    waits: 1_000,
    jump: 60,
    suites: 3_600
  }
}

export interface Rig {
  readonly profile: Profile
  readonly seed: number
  /** From 0 to 1, out of the seed. */
  readonly random: () => number
  readonly storages: ReadonlyArray<Storage>
  readonly progress: (text: string) => Effect.Effect<void>
  readonly report: (result: Result) => Effect.Effect<void>
  /** So many processes that are killed run at a time, whoever starts them. */
  readonly inTurn: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export interface Result {
  readonly id: string
  readonly goal: string
  readonly runs: string
  readonly result: string
  readonly ok: boolean
  /** In what this was less than what the requirement asks for, as a sentence. */
  readonly less?: string | undefined
}

export interface Trial {
  /** The requirements that it is about. */
  readonly ids: ReadonlyArray<string>
  /** `only`: the one of them that is wanted. */
  readonly run: (rig: Rig, only?: string) => Effect.Effect<void>
}
