/**
 * Each group of figures in a process of its own, one after the other, so that none warms the engine up for another.
 *
 *   npm run bench -- [--quick] [--json FILE] [--check]
 */
import { fork } from "node:child_process"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { freshToken } from "./freshToken.js"
import { heap, section as heapSection } from "./heap.js"
import { report } from "./report.js"
import { requests } from "./requests.js"
import { signIn } from "./signIn.js"

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    check: { type: "boolean", default: false },
    group: { type: "string" }
  }
})

const length = (millis: number) =>
  options.quick ? { warmUpMillis: 500, millis: millis / 6 } : { warmUpMillis: 2_000, millis }
const sessions = options.quick ? 10_000 : 100_000

const groups = {
  requests: () => requests(length(15_000)),
  freshToken: () => freshToken(length(4_000)),
  signIn: () => signIn(length(8_000)),
  heapOurs: () => heap("ours", sessions),
  heapBadgateway: () => heap("badgateway", sessions),
  heapGoogle: () => heap("google", sessions)
}

type Groups = typeof groups

const isGroup = (name: string): name is keyof Groups => Object.hasOwn(groups, name)

/** Measures a group in a process of its own, with the flags of this one. */
const measured = <Name extends keyof Groups>(name: Name): Promise<Awaited<ReturnType<Groups[Name]>>> => {
  const child = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), "--group", name])
  return new Promise((resolve, reject) => {
    child.once("error", reject)
    child.once("exit", (code) => reject(new Error(`The group ${name} was not measured: exit code ${code}`)))
    child.once("message", (result) => resolve(result as Awaited<ReturnType<Groups[Name]>>))
  })
}

const main = async (): Promise<void> => {
  const sections = [
    await measured("requests"),
    await measured("freshToken"),
    await measured("signIn"),
    heapSection(sessions, {
      ours: await measured("heapOurs"),
      badgateway: await measured("heapBadgateway"),
      google: await measured("heapGoogle")
    })
  ]
  report(sections, {
    check: options.check,
    json: options.json && resolve(process.env["INIT_CWD"] ?? process.cwd(), options.json)
  })
}

if (options.group === undefined) await main()
else if (isGroup(options.group)) {
  const result = await groups[options.group]()
  process.send!(result, () => process.exit())
} else throw new Error(`There is no group ${options.group}`)
