// `npm test`: runs the steps of scripts/steps.mjs, shows the whole output of those that fail, and ends with a line
// `N passed, N failed`, in which every test counts for one and so does every other step.
//
//   npm test -- --only types,lint     only these steps, and what they need
//   npm test -- --static              only the steps that run no test (npm run check)
//   npm test -- --list                what there is
import { spawn } from "node:child_process"
import { stripVTControlCharacters, styleText } from "node:util"
import { root } from "./packages.mjs"
import { steps } from "./steps.mjs"

const terminal = process.stdout.isTTY === true && process.env["NO_COLOR"] === undefined
const limit = 20 * 60_000

const colour = (style, text) => terminal ? styleText(style, text) : text
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`

const stop = (message) => {
  console.error(message)
  process.exit(1)
}

const selection = (arguments_) => {
  const names = steps.map(({ name }) => name)
  if (arguments_.length === 0) return steps
  if (arguments_[0] === "--static") return steps.filter((step) => step.static === true)
  if (arguments_[0] !== "--only" || arguments_.length !== 2) {
    stop("usage: npm test -- [--only name,name | --static | --list]")
  }
  const asked = arguments_[1].split(",")
  const unknown = asked.filter((name) => !names.includes(name))
  if (unknown.length > 0) stop(`There is no step ${unknown.join(", ")}. The steps: ${names.join(", ")}`)
  return steps.filter(({ name }) =>
    asked.includes(name) || steps.some((s) => asked.includes(s.name) && s.needs === name)
  )
}

const running = new Map()

/** On a terminal, one line that says what runs and since when; it is replaced by whatever is printed next. */
const showRunning = () => {
  if (!terminal || running.size === 0) return
  const parts = [...running].map(([name, { note, since }]) =>
    `${name} ${seconds(since)}${note === "" ? "" : ` ${note}`}`
  )
  const line = `     ${parts.join("  ")}`.slice(0, (process.stdout.columns ?? 80) - 1)
  process.stdout.write(`\r\u001b[K${colour("dim", line)}`)
}

const print = (text) => process.stdout.write(`${terminal ? "\r\u001b[K" : ""}${text}\n`)

/** Runs one command, and notes its last line as what the step is doing. */
const execute = (name) => (command) =>
  new Promise((resolve) => {
    const chunks = []
    const { FORCE_COLOR: _, ...environment } = process.env
    const child = spawn(command[0], command.slice(1), {
      cwd: root,
      env: { ...environment, ...(terminal ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }) },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limit
    })
    const take = (chunk) => {
      chunks.push(chunk)
      const line = stripVTControlCharacters(chunk.toString()).split("\n").findLast((text) => text.trim() !== "")
      if (line !== undefined && running.has(name)) running.get(name).note = line.trim()
    }
    child.stdout.on("data", take)
    child.stderr.on("data", take)
    const finish = (status, message = "") =>
      resolve({ status, output: `${Buffer.concat(chunks).toString().trimEnd()}${message}` })
    child.on("error", (error) => finish(-1, `\n${command.join(" ")} did not start: ${error.message}`))
    child.on("close", (status, signal) =>
      finish(status ?? -1, signal === null ? "" : `\n${command.join(" ")} was ended by ${signal}`))
  })

/** Runs the commands of a step one after the other, all of them, and keeps what the failing ones print. */
const runCommands = async ({ commands, name }) => {
  const outputs = []
  for (const command of commands) {
    const { output, status } = await execute(name)(command)
    if (status !== 0) outputs.push(output || `${command.join(" ")} ended with exit code ${status}`)
  }
  return { passed: outputs.length === 0 ? 1 : 0, failed: outputs.length === 0 ? 0 : 1, output: outputs.join("\n\n") }
}

const started = Date.now()
const results = new Map()

const runStep = async (step) => {
  const since = Date.now()
  running.set(step.name, { note: "", since })
  if (!terminal) print(`...  ${step.name}: ${step.title}`)
  const result = await (step.run === undefined ? runCommands(step) : step.run(execute(step.name))).catch((error) => ({
    passed: 0,
    failed: 1,
    output: `The step could not run: ${error.stack}`
  }))
  running.delete(step.name)
  results.set(step.name, result)
  const counts = step.run === undefined ? "" : `, ${result.passed} passed, ${result.failed} failed`
  const mark = result.failed === 0 ? colour("green", "ok  ") : colour("red", "FAIL")
  print(`${mark} ${step.name}: ${step.title} ${colour("dim", `(${seconds(since)}${counts})`)}`)
  if (result.failed > 0) print(`\n${result.output.trim()}\n`)
  showRunning()
}

/** Two workers; a step waits for what it needs, and is failed by its failure. */
const runStatic = async (waiting) => {
  const done = new Map()
  const start = async (step) => {
    const needed = waiting.find(({ name }) => name === step.needs)
    if (needed !== undefined) await done.get(needed.name)
    if (needed === undefined || results.get(needed.name).failed === 0) return runStep(step)
    results.set(step.name, { passed: 0, failed: 1 })
    print(`${colour("red", "FAIL")} ${step.name}: did not run, since ${needed.name} failed`)
  }
  const queue = [...waiting]
  const work = async () => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      done.set(step.name, start(step))
      await done.get(step.name)
    }
  }
  await Promise.all([work(), work()])
}

const arguments_ = process.argv.slice(2)
if (arguments_[0] === "--list") {
  for (const { name, title } of steps) console.log(`${name.padEnd(10)} ${title}`)
  process.exit(0)
}

const selected = selection(arguments_)
const ticking = setInterval(showRunning, 250)
await runStatic(selected.filter((step) => step.static === true))
for (const step of selected.filter((step) => step.static !== true)) await runStep(step)
clearInterval(ticking)

const total = (key) => [...results.values()].reduce((sum, result) => sum + result[key], 0)
print(`\nin ${seconds(started)}`)
console.log(`${total("passed")} passed, ${total("failed")} failed`)
process.exitCode = total("failed") === 0 ? 0 : 1
