// Says for each requirement of docs/requirements which tests prove it: those whose titles open with its id. It fails
// when one is neither proved nor excused in later.md, when an excuse is outdated, and when a title names an unknown id.
//
//   node scripts/trace.mjs                    a table for each file of requirements
//   node scripts/trace.mjs --id B123          one requirement, with all its tests
//   node scripts/trace.mjs --json FILE        the same, written for programs
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseArgs, styleText } from "node:util"
import { exemptionsOf, requirementsOf } from "./lib/requirements.mjs"
import { testsOf } from "./lib/testTitles.mjs"
import { problemsOf, summaryLine, summaryOf, traceOf } from "./lib/trace.mjs"
import { filesOf, root } from "./packages.mjs"

const folders = ["packages", "examples", "demo", "bench", "reliability", "scripts", "support", "test"]
const documents = ["behaviour.md", "security.md", "reliability.md"].map((name) => `docs/requirements/${name}`)
const later = "docs/requirements/later.md"

const terminal = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined
const colour = (style, text) => terminal ? styleText(style, text) : text
const read = (file) => readFileSync(join(root, file), "utf8")

const testFiles = folders.flatMap((folder) => filesOf(join(root, folder)).map((file) => `${folder}/${file}`))
  .filter((file) => /\.test\.(?:ts|mjs)$/.test(file) && !file.includes("/node_modules/"))

const found = {
  exempted: exemptionsOf(later, read(later)),
  requirements: documents.flatMap((file) => requirementsOf(file, read(file))),
  tests: testFiles.flatMap((file) => testsOf(file, read(file)))
}

/** The first titles of an entry, or why it has none, cut to what fits a line. */
const detailOf = ({ exemption, tests }, width) => {
  const text = tests.length > 0
    ? tests.map(({ title }) => title.replace(/^(?:[BSR]\d+(?:–[BSR]?\d+)? )+/, "")).join(" · ")
    : exemption === undefined
    ? "not proved"
    : `${exemption.kind}: ${exemption.reason}`
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}

const styleOf = ({ exemption, tests }) => tests.length > 0 ? "green" : exemption === undefined ? "red" : "dim"

const printTable = (file, entries) => {
  const width = (terminal ? process.stdout.columns ?? 120 : 120) - 12
  console.log(`\n${colour("bold", file)}`)
  for (const entry of entries) {
    const count = entry.tests.length === 0 ? "–" : String(entry.tests.length)
    console.log(`${colour(styleOf(entry), entry.id)} ${count.padStart(4)}  ${detailOf(entry, width)}`)
  }
}

const printOne = ({ exemption, file, heading, id, line, tests, text, verdict }) => {
  console.log(`${colour("bold", id)} ${verdict === undefined ? "" : `(${verdict}) `}${text}`)
  console.log(colour("dim", `${heading}, ${file}:${line}`))
  if (exemption !== undefined) console.log(`${exemption.kind}: ${exemption.reason}`)
  for (const test of tests) console.log(`  ${test.title}\n  ${colour("dim", `${test.file}:${test.line}`)}`)
}

const writeJson = (path, value) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`)
}

const { values } = parseArgs({ options: { id: { type: "string" }, json: { type: "string" } } })
const trace = traceOf(found)
const problems = problemsOf(found)
const summary = summaryOf(trace, found.tests)

if (values.json !== undefined) writeJson(values.json, { summary, problems, requirements: trace })
if (values.id !== undefined) {
  const entry = trace.find(({ id }) => id === values.id)
  if (entry === undefined) problems.push(`There is no requirement ${values.id}`)
  else printOne(entry)
} else {
  for (const file of documents) printTable(file, trace.filter((entry) => entry.file === file))
  console.log(`\n${summaryLine(summary)}`)
}

for (const problem of problems) console.error(colour("red", problem))
process.exitCode = problems.length === 0 ? 0 : 1
