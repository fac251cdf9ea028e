// The step of `npm test` that runs the tests. It counts each test by itself, and counts as failed what could hide a
// failure: a test that is skipped, a file that does not load, an error outside every test, and a run without tests.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { root } from "./packages.mjs"

const report = join(root, ".cache/vitest.json")

const command = (...projects) => [
  process.execPath,
  "node_modules/vitest/vitest.mjs",
  "run",
  // One core of two would be left idle by default.
  "--minWorkers=2",
  "--maxWorkers=2",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...projects.map((project) => `--project=${project}`)
]

/** The rig's own processes fill the machine, and what they do is timed: nothing else runs beside them. */
const rig = "effect-oauth2-reliability"
const commands = [command(`!${rig}`), command(rig)]

const suspicious = ({ numPassedTests, numPendingTests, numTodoTests, testResults }) => {
  const unloaded =
    testResults.filter(({ assertionResults, status }) => status === "failed" && assertionResults.length === 0).length
  const skipped = numPendingTests + numTodoTests
  return [
    ...(unloaded > 0 ? [{ count: unloaded, text: `${unloaded} test files did not load` }] : []),
    ...(skipped > 0 ? [{ count: skipped, text: `${skipped} tests were skipped, which proves nothing` }] : []),
    ...(numPassedTests === 0 ? [{ count: 1, text: "no test passed" }] : [])
  ]
}

/** The tests that failed, each with why: before all else that is printed, since whoever reads may see only its beginning. */
const failures = ({ testResults }) =>
  testResults.flatMap(({ assertionResults, message, name, status }) => {
    const file = relative(root, name)
    if (status === "failed" && assertionResults.length === 0) return [`FAILED ${file} did not load: ${message}`]
    return assertionResults.filter(({ status }) => status === "failed")
      .map(({ failureMessages, fullName }) =>
        `FAILED ${file} > ${fullName}\n${failureMessages.join("\n").slice(0, 2_000)}`
      )
  })

const judge = ({ output, status }) => {
  if (!existsSync(report)) {
    return { passed: 0, failed: 1, output: `${output}\nvitest wrote no report (exit code ${status})` }
  }
  const summary = JSON.parse(readFileSync(report, "utf8"))
  const doubts = suspicious(summary)
  const counted = summary.numFailedTests + doubts.reduce((sum, { count }) => sum + count, 0)
  const unexplained = counted === 0 && status !== 0
  const failed = unexplained ? 1 : counted
  const notes = doubts.map(({ text }) => text)
  if (unexplained) notes.push(`vitest ended with exit code ${status} although no test failed`)
  return { passed: summary.numPassedTests, failed, output: [...failures(summary), ...notes, output].join("\n\n") }
}

/** Runs the tests with what runs commands, which returns their output and exit code. */
export const vitest = async (execute) => {
  const results = []
  for (const command of commands) {
    mkdirSync(dirname(report), { recursive: true })
    rmSync(report, { force: true })
    results.push(judge(await execute(command)))
  }
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
    // What failed first: a long log is often cut
    output: results.toSorted((one, other) => other.failed - one.failed).map(({ output }) => output).join("\n\n")
  }
}
