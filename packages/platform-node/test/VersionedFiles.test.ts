/** The protocol beneath the file store, in many thousands of schedules. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as VersionedFiles from "../src/internal/versionedFiles.js"
import * as ModelFolder from "./support/modelFolder.js"

/** How many schedules are tried. To look closer: `FILE_SCHEDULES=100000`. */
const schedules = Number(process.env["FILE_SCHEDULES"] ?? 200)

const none = "none"

/** A change that came about: from which state to which. */
interface Change {
  readonly before: string
  readonly after: string
}

const chain = "session.abc"

/** Makes changes one after the other. Each state has a name of its own, except the end, which is none. */
const changesOf = (
  files: VersionedFiles.VersionedFiles,
  name: string,
  ends: ReadonlyArray<boolean>,
  log: Array<Change>
) =>
  Effect.forEach(
    ends,
    (isEnd, index) =>
      files.change(chain, ({ text }) =>
        Effect.sync((): VersionedFiles.Decision<Change | undefined> => {
          const before = text ?? none
          if (isEnd && before === none) return { _tag: "Keep", answer: undefined }
          const after = isEnd ? none : `${name}-${index}`
          return { _tag: "Change", answer: { before, after }, text: after, isEnd }
        })).pipe(
          Effect.tap((change) => Effect.sync(() => change === undefined || log.push(change)))
        )
  )

/** Reads again and again. What was read is never read again after something else was. */
const readsOf = (files: VersionedFiles.VersionedFiles, seen: Array<string>) =>
  Effect.repeatN(
    Effect.map(files.current(chain), ({ text }) => {
      const state = text ?? none
      if (state === none || seen.at(-1) === state) return
      assert.notInclude(seen, state, "a reader went back")
      seen.push(state)
    }),
    30
  )

const schedule = (seed: number, options: { readonly dying: boolean; readonly seemsLeftBehind: number }) =>
  Effect.gen(function*() {
    const random = ModelFolder.randomly(seed)
    const model = ModelFolder.make(random, options.seemsLeftBehind)
    const log: Array<Change> = []
    const start = (name: string, diesAt?: number) => {
      const ends = Array.from({ length: 5 }, () => random() < 0.4)
      return Effect.forkDaemon(Effect.flatMap(
        VersionedFiles.over(model.process(diesAt), "session"),
        (files) => changesOf(files, name, ends, log)
      ))
    }
    const writers = yield* Effect.forEach(["a", "b", "c"], (name) => start(name))
    if (options.dying) yield* Effect.forEach(["x", "y"], (name) => start(name, 10 + Math.floor(random() * 40)))
    const reader = yield* Effect.forkDaemon(
      Effect.flatMap(VersionedFiles.over(model.process(), "session"), (files) => readsOf(files, []))
    )
    yield* Fiber.join(reader)
    yield* Fiber.joinAll(writers)
    const files = yield* VersionedFiles.over(model.process(), "session")
    const last = (yield* files.current(chain)).text ?? none
    return { log, last, names: model.names() }
  })

/** One line of changes, in which nobody's was lost: each state was changed once, and the last was not. */
const isOneLine = (log: ReadonlyArray<Change>, last: string, isComplete: boolean) => {
  const changed = log.map(({ before }) => before).filter((state) => state !== none)
  assert.strictEqual(new Set(changed).size, changed.length, "a state was changed twice")
  assert.notInclude(changed, last, "the last state was changed")
  if (!isComplete) return
  const made = log.map(({ after }) => after).filter((state) => state !== none)
  assert.sameMembers([...changed, ...(last === none ? [] : [last])], made, "a change was lost")
  const [begun, ended] = [log.filter(({ before }) => before === none), log.filter(({ after }) => after === none)]
  assert.strictEqual(begun.length - ended.length, last === none ? 0 : 1, "what ended began again by itself")
}

describe("VersionedFiles", () => {
  it.live(`R39 in ${schedules} schedules of three writers no change is lost, and nothing is left behind`, () =>
    Effect.gen(function*() {
      for (let seed = 0; seed < schedules; seed++) {
        const { last, log, names } = yield* schedule(seed, { dying: false, seemsLeftBehind: 0 })
        isOneLine(log, last, true)
        assert.deepStrictEqual(names.filter((name) => !/^session\.abc\.\d+$/.test(name)), [], `seed ${seed}`)
      }
    }))

  it.live(`R10 R39 nor where live drafts are taken for dead ones, in ${schedules} schedules`, () =>
    Effect.gen(function*() {
      for (let seed = 0; seed < schedules; seed++) {
        const { last, log } = yield* schedule(seed, { dying: false, seemsLeftBehind: 0.3 })
        isOneLine(log, last, true)
      }
    }))

  it.live(`R12 R15 nor where processes die between any two operations, in ${schedules} schedules, and all others end`, () =>
    Effect.gen(function*() {
      for (let seed = 0; seed < schedules; seed++) {
        const { last, log } = yield* schedule(seed, { dying: true, seemsLeftBehind: 0.05 })
        isOneLine(log, last, false)
      }
    }))
})
