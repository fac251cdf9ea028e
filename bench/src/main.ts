/**
 * Each group of figures in a process of its own, one after the other, so that none warms the engine up for another; by
 * plain Node and with the built packages, since what runs TypeScript directly has its price.
 *
 *   npm run bench -- [--quick | --full] [--only GROUP] [--json FILE] [--check]
 *
 * `--full` stores a million sessions as well.
 */
import { build } from "esbuild"
import { fork } from "node:child_process"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import type { Groups } from "./groups.js"
import { heapSection } from "./heapSection.js"
import { report, type Section } from "./report.js"

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    only: { type: "string" },
    json: { type: "string" },
    check: { type: "boolean", default: false }
  }
})

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const built = here("../.cache")
const program = here("../.cache/groups.mjs")

const flags = (["quick", "full"] as const).filter((flag) => options[flag]).map((flag) => `--${flag}`)

const measured = <Name extends keyof Groups>(name: Name): Promise<Awaited<ReturnType<Groups[Name]>>> => {
  const child = fork(program, [name, ...flags], { execArgv: ["--expose-gc"] })
  return new Promise((resolve, reject) => {
    child.once("error", reject)
    child.once("exit", (code) => reject(new Error(`The group ${name} was not measured: exit code ${code}`)))
    child.once("message", (result) => resolve(result as Awaited<ReturnType<Groups[Name]>>))
  })
}

/** Memory is not in a hurry: these three run at once. */
const heaps = async () => {
  const [ours, badgateway, google] = await Promise.all([
    measured("heapOurs"),
    measured("heapBadgateway"),
    measured("heapGoogle")
  ])
  return heapSection({ ours, badgateway, google })
}

await build({
  entryPoints: [here("groups.ts"), here("custodyProcess.ts")],
  outdir: built,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  // No `paths`: the packages are what they are for their users, the built ones.
  tsconfigRaw: {}
})

const groups: Readonly<Record<string, () => Promise<Section>>> = {
  requests: () => measured("requests"),
  freshToken: () => measured("freshToken"),
  signIn: () => measured("signIn"),
  heaps,
  custody: () => measured("custody")
}
const names = options.only === undefined ? Object.keys(groups) : [options.only]
const sections: Array<Section> = []
for (const name of names) {
  const group = groups[name]
  if (group === undefined) throw new Error(`There is no group ${name}: there are ${Object.keys(groups).join(", ")}`)
  sections.push(await group())
}
report(sections, {
  check: options.check,
  json: options.json && resolve(process.env["INIT_CWD"] ?? process.cwd(), options.json)
})
