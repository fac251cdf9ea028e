/**
 * A folder in memory in which everything that a file system allows does happen: operations of many processes in any
 * order, lists that miss what comes and goes meanwhile, processes that die between two operations, and drafts that seem
 * to have been left behind and were not.
 */
import * as Effect from "effect/Effect"
import { FileProblem, type PrivateFolder } from "../../src/internal/privateFolder.js"

export interface ModelFolder {
  /** The folder as one process sees it, which dies before the operation of that number, if at all. */
  readonly process: (diesAt?: number) => PrivateFolder
  readonly names: () => ReadonlyArray<string>
}

/** Numbers from 0 to below 1, the same for the same seed. */
export const randomly = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97)
    return ((word ^ (word >>> 15)) >>> 0) / 2 ** 32
  }
}

export const make = (random: () => number, seemsLeftBehind: number): ModelFolder => {
  /** What has two names is one object. */
  const files = new Map<string, { text: string }>()
  const fail = (code: string) => Effect.fail(new FileProblem({ code }))
  /** Now and then somebody sleeps while all others do several things. */
  const pause = Effect.suspend(() =>
    Effect.repeatN(Effect.yieldNow(), Math.floor(random() * (random() < 0.06 ? 120 : 4)))
  )

  const process = (diesAt = Infinity): PrivateFolder => {
    let operations = 0
    const after = <A>(operation: Effect.Effect<A, FileProblem>): Effect.Effect<A, FileProblem> =>
      Effect.zipRight(pause, Effect.suspend(() => operations++ >= diesAt ? Effect.never : operation))
    return {
      path: "/model",
      list: after(Effect.gen(function*() {
        const found: Array<string> = []
        // Those that are there from the beginning to the end are found; of the others, some are.
        for (const name of [...files.keys()]) {
          if (random() < 0.3) yield* Effect.yieldNow()
          if (files.has(name)) found.push(name)
        }
        const later = [...files.keys()].filter((name) => !found.includes(name) && random() < 0.5)
        return [...found, ...later]
      })),
      read: (name) => after(Effect.sync(() => files.get(name)?.text)),
      create: (name) =>
        after(
          Effect.suspend(() => files.has(name) ? fail("EEXIST") : Effect.sync(() => files.set(name, { text: "" })))
        ),
      write: (name, text) =>
        after(Effect.suspend(() => {
          const file = files.get(name)
          if (file === undefined) return fail("ENOENT")
          file.text = text
          return Effect.void
        })),
      link: (name, second) =>
        after(Effect.sync(() => {
          const file = files.get(name)
          if (file === undefined || files.has(second)) return false
          files.set(second, file)
          return true
        })),
      remove: (name) => after(Effect.sync(() => void files.delete(name))),
      removeWhile: (condition, name) =>
        after(Effect.sync(() => {
          if (files.has(condition)) files.delete(name)
        })),
      modifiedAt: (name) =>
        after(Effect.sync(() => !files.has(name) ? undefined : random() < seemsLeftBehind ? -1e6 : 0))
    }
  }
  return { process, names: () => [...files.keys()] }
}
