/** What has become of each process and each session so far. */
import * as Effect from "effect/Effect"
import type { Happening } from "../../../reliability/src/Fleet.js"

export interface Worker {
  readonly name: string
  readonly isUp: boolean
  /** Since when it is up, or is not. */
  readonly since: number
  readonly refreshed: number
  readonly adopted: number
  readonly takenOver: number
  readonly kills: number
}

export type SessionState = "fresh" | "adopted" | "expired" | "lost"

export interface Counts {
  readonly logins: number
  readonly refreshes: number
  readonly adoptions: number
  readonly kills: number
  readonly takeovers: number
  readonly lost: number
}

export interface Board {
  readonly see: (happening: Happening) => Effect.Effect<void>
  /** When everybody was signed in. */
  readonly began: () => number
  readonly workers: () => ReadonlyArray<Worker>
  readonly sessions: (now: number) => ReadonlyArray<SessionState>
  readonly counts: () => Counts
  /** What is worth a line: `at` is in epoch milliseconds. */
  readonly news: ReadonlyArray<{ readonly at: number; readonly text: string }>
}

interface Session {
  /** When its token was issued. */
  readonly at: number
  readonly isAdopted: boolean
  readonly isLost: boolean
}

/** How long, in milliseconds, a session is shown as fresh, even when another process has heard of it. */
const fresh = 1_000

export const make = (
  { life, processes, sessions: count }: { readonly processes: number; readonly sessions: number; readonly life: number }
): Board => {
  let began = Date.now()
  const workers = Array.from({ length: processes }, (_, process): Worker => ({
    name: nameOf(process),
    isUp: false,
    since: began,
    refreshed: 0,
    adopted: 0,
    takenOver: 0,
    kills: 0
  }))
  const sessions = Array.from({ length: count }, (): Session => ({ at: began, isAdopted: false, isLost: false }))
  const news: Array<{ readonly at: number; readonly text: string }> = []
  let logins = 0

  const see = ({ at, holding = 0, process, session = 0, takenOver, what }: Happening): void => {
    const worker = workers[process]!
    const change = (changed: Partial<Worker>) => void (workers[process] = { ...worker, ...changed })
    const tell = (text: string) => void news.push({ at, text: `${worker.name} ${text}` })
    switch (what) {
      case "signed in":
        logins++
        began = at
        sessions[session] = { at, isAdopted: false, isLost: false }
        return
      case "started":
        if (worker.kills > 0) tell("has been started anew")
        return change({ isUp: true, since: at })
      case "killed":
        tell("was killed")
        return change({ isUp: false, since: at, kills: worker.kills + 1 })
      case "left":
        return tell(`has left ${number(holding, "session")} in the middle of a refresh`)
      case "refreshed":
        sessions[session] = { at, isAdopted: false, isLost: false }
        if (takenOver === undefined) return change({ refreshed: worker.refreshed + 1 })
        tell(`took session ${session + 1} over, and finished the refresh that ${nameOf(takenOver.process)} had begun`)
        return change({ refreshed: worker.refreshed + 1, takenOver: worker.takenOver + 1 })
      case "adopted":
        sessions[session] = { ...sessions[session]!, isAdopted: true }
        return change({ adopted: worker.adopted + 1 })
      case "lost":
        tell(`found session ${session + 1} lost: its user has to sign in again`)
        sessions[session] = { ...sessions[session]!, isLost: true }
    }
  }

  const sum = (of: (worker: Worker) => number) => workers.reduce((sum, worker) => sum + of(worker), 0)
  return {
    see: (happening) => Effect.sync(() => see(happening)),
    began: () => began,
    workers: () => workers,
    sessions: (now) =>
      sessions.map(({ at, isAdopted, isLost }) =>
        isLost ? "lost" : now - at > life * 1_000 ? "expired" : isAdopted && now - at > fresh ? "adopted" : "fresh"
      ),
    counts: () => ({
      logins,
      refreshes: sum(({ refreshed }) => refreshed),
      adoptions: sum(({ adopted }) => adopted),
      kills: sum(({ kills }) => kills),
      takeovers: sum(({ takenOver }) => takenOver),
      lost: sessions.filter(({ isLost }) => isLost).length
    }),
    news
  }
}

/** A, B, C … */
const nameOf = (process: number): string => String.fromCharCode(65 + process)

/** With thousands set apart. */
export const number = (count: number, what: string, plural = "s"): string =>
  `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : plural}`
