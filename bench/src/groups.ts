/**
 * The groups of figures, each of which is measured in a process of its own: `groups.mjs NAME [--quick] [--full]`.
 */
import { parseArgs } from "node:util"
import { custody } from "./custody.js"
import { freshToken } from "./freshToken.js"
import { heap } from "./heap.js"
import type { Length } from "./measure.js"
import { requests } from "./requests.js"
import { signIn } from "./signIn.js"

const { positionals: [name = ""], values: { full, quick } } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, full: { type: "boolean", default: false } }
})

const length = (millis: number): Length =>
  quick ? { warmUpMillis: 500, millis: millis / 6 } : { warmUpMillis: 2_000, millis }

const sessions = quick ? 10_000 : 100_000

const groups = {
  requests: () => requests(length(18_000)),
  freshToken: () => freshToken(length(4_000)),
  signIn: () => signIn(length(5_000)),
  custody: () => custody({ length: length(4_000), populations: full ? [1_000, 100_000, 1_000_000] : [1_000, 100_000] }),
  heapOurs: () => heap("ours", sessions),
  heapBadgateway: () => heap("badgateway", sessions),
  heapGoogle: () => heap("google", sessions)
}

export type Groups = typeof groups

const isGroup = (name: string): name is keyof Groups => Object.hasOwn(groups, name)

if (!isGroup(name)) throw new Error(`There is no group ${name}`)
const result = await groups[name]()
process.send!(result, () => process.exit())
