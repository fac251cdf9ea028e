/**
 * The requirements that are proved by tests within one process: the tests run, and what comes of them stands beside what
 * the processes do.
 */
import { Effect, Option, Schema } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as House from "../house.js"
import type { Result, Rig, Trial } from "../Rig.js"

const ids = [
  "R04",
  "R07",
  "R09",
  "R11",
  "R13",
  "R17",
  "R20",
  "R25",
  "R27",
  "R28",
  "R29",
  "R38",
  "R39",
  "R40"
] as const

/** Where the titles of the tests say how much they do: the figure, and the one that is asked for. */
const figures: Partial<Record<string, { readonly goal: number; readonly what: string; readonly title: RegExp }>> = {
  R27: { goal: 10_000, what: "races", title: /in (\d+) races/ },
  R28: { goal: 100_000, what: "faults", title: /^(\d+) faults/ }
}

/** What the tests leave open, whatever they do. */
const unmeasured: Partial<Record<string, string>> = {
  R17: "that it takes 2 ms at most is not measured; the tests hold that nothing but decoding stands there"
}

/** For a night. The tests read these figures, and say them in their titles. */
const atNight = { INJECTED_FAULTS: "100000", SHARED_RACES: "10000" }

const root = fileURLToPath(new URL("../../../", import.meta.url))

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-oauth2-suites-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Runs a script, and whatever it starts, to its end or to the end of the scope. `undefined`: it did not end in time. */
const run = (
  args: ReadonlyArray<string>,
  seconds: number,
  env: Readonly<Record<string, string>> = {}
): Effect.Effect<number | undefined, never, Scope.Scope> =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [...args], {
          cwd: root,
          env: { ...process.env, ...env },
          stdio: "ignore",
          // With the processes that it starts it is a group of its own, and ends as one
          detached: true
        })
      ),
      (child) =>
        Effect.sync(() => {
          if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
            process.kill(-child.pid, "SIGKILL")
          }
        })
    )
    const ended = Effect.async<number>((resume) => {
      child.once("exit", (code) => resume(Effect.succeed(code ?? -1)))
    })
    return Option.getOrUndefined(yield* Effect.timeoutOption(ended, seconds * 1_000))
  })

const Trace = Schema.parseJson(Schema.Struct({
  requirements: Schema.Array(Schema.Struct({
    id: Schema.String,
    text: Schema.String,
    tests: Schema.Array(Schema.Struct({ file: Schema.String, title: Schema.String }))
  }))
}))

const Ran = Schema.parseJson(Schema.Struct({
  testResults: Schema.Array(Schema.Struct({
    name: Schema.String,
    assertionResults: Schema.Array(Schema.Struct({
      ancestorTitles: Schema.Array(Schema.String),
      title: Schema.String,
      status: Schema.String,
      duration: Schema.optional(Schema.NullOr(Schema.Number))
    }))
  }))
}))

interface Test {
  readonly ids: ReadonlyArray<string>
  /** Without the ids that it begins with. */
  readonly title: string
  readonly file: string
  readonly passed: boolean
  readonly millis: number
}

const opening = /^(?:[BSR]\d+(?:–[BSR]?\d+)? )+/

const idsOf = (title: string): ReadonlyArray<string> => (opening.exec(title)?.[0] ?? "").trim().split(" ")

const testsOf = ({ testResults }: typeof Ran.Type): ReadonlyArray<Test> =>
  testResults.flatMap(({ assertionResults, name }) =>
    assertionResults
      .filter(({ status }) => status === "passed" || status === "failed")
      .map(({ ancestorTitles, duration, status, title }) => ({
        ids: [...ancestorTitles, title].flatMap(idsOf),
        title: title.replace(opening, ""),
        file: name,
        passed: status === "passed",
        millis: duration ?? 0
      }))
  )

/** The greatest figure in a title. */
const greatest = (title: string): number => {
  const figures = title.match(/\d[\d,]*/g)?.map((figure) => Number(figure.replaceAll(",", ""))) ?? []
  return Math.max(/thousand/.test(title) ? 1_000 : /hundred/.test(title) ? 100 : 0, ...figures)
}

/** Those of the titles that say most. */
const excerpt = (tests: ReadonlyArray<Test>): string => {
  const titles = [...new Set(tests.map(({ title }) => title))].sort((one, other) => greatest(other) - greatest(one))
  const cut = (title: string) => title.length > 120 ? `${title.slice(0, 119)}…` : title
  return titles.slice(0, 2).map((title) => `“${cut(title)}”`).join(", ")
}

const lessOf = (id: string, tests: ReadonlyArray<Test>): string | undefined => {
  const figure = figures[id]
  if (figure === undefined) return unmeasured[id]
  const made = tests.map(({ title }) => Number(figure.title.exec(title)?.[1] ?? 0))
  return House.less(figure.goal, Math.max(0, ...made), figure.what)
}

const rowOf = (id: string, goal: string, all: ReadonlyArray<Test>): Result => {
  const tests = all.filter((test) => test.ids.includes(id))
  const failed = tests.filter(({ passed }) => !passed)
  const seconds = tests.reduce((sum, { millis }) => sum + millis, 0) / 1_000
  const files = new Set(tests.map(({ file }) => file)).size
  return {
    id,
    goal,
    runs: `tests within one process: ${tests.length} in ${files} file${files === 1 ? "" : "s"}` +
      (tests.length > 0 ? `, among them ${excerpt(tests)}` : ""),
    result: failed.length > 0
      ? `${failed.length} failed: ${excerpt(failed)}`
      : `${tests.length} passed, in ${seconds.toFixed(1)} s`,
    ok: tests.length > 0 && failed.length === 0,
    less: lessOf(id, tests)
  }
}

const read = <A>(schema: Schema.Schema<A, string>, path: string): Effect.Effect<A> =>
  Effect.orDie(Effect.suspend(() => Schema.decode(schema)(readFileSync(path, "utf8"))))

/** The tests of this rig would start it once more; those in a browser are no tests within one process. */
const isWithinOneProcess = (file: string): boolean =>
  !/^(?:reliability|packages\/platform-browser|examples)\//.test(file)

const suites = (rig: Rig, wanted: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { name, suites: seconds } = rig.profile
    const [traced, ran] = yield* Effect.map(
      folder,
      (path) => [join(path, "trace.json"), join(path, "ran.json")] as const
    )
    yield* run([join(root, "scripts/trace.mjs"), "--json", traced], seconds)
    const { requirements } = yield* read(Trace, traced)
    const asked = requirements.filter(({ id }) => wanted.includes(id))
    const files = [...new Set(asked.flatMap(({ tests }) => tests.map(({ file }) => file)))].filter(isWithinOneProcess)
    yield* rig.progress(`the tests of ${wanted.join(" ")}, in ${files.length} files`)
    const vitest = join(root, "node_modules/vitest/vitest.mjs")
    const only = `(?:^| )(?:${wanted.join("|")}) `
    const code = yield* run(
      [
        vitest,
        "run",
        "--minWorkers=2",
        "--maxWorkers=2",
        "--reporter=json",
        `--outputFile=${ran}`,
        "-t",
        only,
        ...files
      ],
      seconds,
      name === "full" ? atNight : {}
    )
    const tests = code === undefined ? undefined : testsOf(yield* read(Ran, ran))
    yield* Effect.forEach(asked, ({ id, text }) =>
      rig.report(
        tests === undefined
          ? {
            id,
            goal: text,
            runs: `tests within one process, in ${files.length} files`,
            result: `they did not end within ${seconds} s`,
            ok: false
          }
          : rowOf(id, text, tests)
      ))
  }).pipe(Effect.scoped)

export const trial: Trial = {
  ids,
  run: (rig, only) => rig.profile.suites === 0 ? Effect.void : suites(rig, only === undefined ? ids : [only])
}
