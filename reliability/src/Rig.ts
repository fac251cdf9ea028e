/** What trials are run with, and what they end in. */
import type { Effect, Scope } from "effect"
import type { StoreSettings } from "../processes/messages.js"

/** A place where sessions are kept, new for each trial. */
export interface Storage {
  readonly name: string
  readonly open: Effect.Effect<StoreSettings, never, Scope.Scope>
}

/** How much is done. */
export interface Profile {
  readonly name: "quick" | "standard" | "full"
  /** Processes, fibers in each, and expiries that they live through. */
  readonly crowd: { readonly processes: number; readonly fibers: number; readonly expiries: number }
  /** Whether every store meets every kind of server, or each store another kind. */
  readonly combinations: "all" | "some"
  /** Processes killed at each labelled point, and at random instants: over all combinations. */
  readonly kills: { readonly labelled: number; readonly random: number }
  readonly freezes: number
  readonly shutdowns: number
  /** Seconds without an authorization server. */
  readonly outage: number
}

export const profiles: Readonly<Record<Profile["name"], Profile>> = {
  quick: {
    name: "quick",
    crowd: { processes: 3, fibers: 16, expiries: 3 },
    combinations: "some",
    kills: { labelled: 1, random: 3 },
    freezes: 4,
    shutdowns: 2,
    outage: 10
  },
  standard: {
    name: "standard",
    crowd: { processes: 8, fibers: 64, expiries: 50 },
    combinations: "all",
    kills: { labelled: 50, random: 500 },
    freezes: 20,
    shutdowns: 50,
    outage: 60
  },
  full: {
    name: "full",
    crowd: { processes: 32, fibers: 64, expiries: 200 },
    combinations: "all",
    kills: { labelled: 100, random: 2_000 },
    freezes: 200,
    shutdowns: 1_000,
    outage: 300
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
}

export interface Trial {
  /** The requirements that it is about. */
  readonly ids: ReadonlyArray<string>
  readonly run: (rig: Rig) => Effect.Effect<void>
}
