/**
 * Real processes on real stores, killed, frozen and cut off.
 *
 *   npm run reliability -- [--quick | --full] [--seed N] [--only R15]
 *
 * Writes `reports/reliability.md`, `reports/reliability.json` and `reports/fleet.svg`.
 */
import { Effect } from "effect"
import { parseArgs } from "node:util"
import pc from "picocolors"
import * as Report from "./Report.js"
import { profiles } from "./Rig.js"
import { run } from "./run.js"
import type { Timeline } from "./Timeline.js"

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    seed: { type: "string" },
    only: { type: "string" }
  }
})

const profile = profiles[values.full ? "full" : values.quick ? "quick" : "standard"]
const seed = values.seed === undefined ? Math.floor(Date.now() / 1_000) % 1_000_000 : Number(values.seed)
const began = Date.now()
const since = () => `${((Date.now() - began) / 1_000).toFixed(0).padStart(4)} s`

console.log(`\n${pc.bold("Reliability")}, ${profile.name} profile, seed ${seed}\n`)

let timeline: Timeline | undefined

const results = await Effect.runPromise(run({
  profile,
  seed,
  only: values.only,
  progress: (text) => Effect.sync(() => console.log(`${pc.dim(since())}  ${pc.dim(text)}`)),
  onResult: (result) =>
    Effect.sync(() =>
      console.log(
        `${pc.dim(since())}  ${result.ok ? pc.green("✓") : pc.red("✗")} ${pc.bold(result.id)} ${result.runs}\n` +
          `          ${result.result}`
      )
    ),
  onTimeline: (drawn) => void (timeline = drawn)
}))

Report.write({ profile: profile.name, seed, seconds: (Date.now() - began) / 1_000, results, timeline })
const failed = results.filter(({ ok }) => !ok).length
console.log(
  `\n${
    failed === 0 ? pc.green(`All ${results.length} goals met`) : pc.red(`${failed} of ${results.length} goals missed`)
  }` +
    `, in ${since().trim()}. The report is in reports/reliability.md.\n`
)
// Outright: the package of the database ends a process that ends by itself, and always with 0
process.exit(failed === 0 ? 0 : 1)
