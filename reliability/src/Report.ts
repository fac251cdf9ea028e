/** The report: for people, and the same for programs. */
import { mkdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Result } from "./Rig.js"
import * as Timeline from "./Timeline.js"

export interface Report {
  readonly profile: string
  readonly seed: number
  readonly seconds: number
  readonly results: ReadonlyArray<Result>
  /** Of the fleet, where it ran. */
  readonly timeline: Timeline.Timeline | undefined
}

const folder = fileURLToPath(new URL("../../reports/", import.meta.url))

export const write = (report: Report): void => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}reliability.md`, markdown(report))
  const rows = report.results.map(({ goal, id, ok, result, runs }) => ({ id, goal, runs, result, ok }))
  writeFileSync(`${folder}reliability.json`, `${JSON.stringify(rows, undefined, 2)}\n`)
  if (report.timeline !== undefined) writeFileSync(`${folder}fleet.svg`, Timeline.svg(report.timeline))
}

const markdown = ({ profile, results, seconds, seed, timeline }: Report): string =>
  [
    "# Reliability",
    "",
    `What real processes on real stores did, in the ${profile} profile, with seed ${seed}, in ${seconds.toFixed(0)} s` +
    `${profile === "quick" ? "" : ", and what tests within one process did beside them"}.`,
    `\`npm run reliability -- --seed ${seed}\` does the same again, as far as a seed decides it: when a process is`,
    "killed by the clock, another machine is somewhere else by then.",
    "",
    "| id | goal | runs | result | |",
    "| --- | --- | --- | --- | --- |",
    ...results.map(({ goal, id, ok, result, runs }) =>
      `| ${id} | ${cell(goal)} | ${cell(runs)} | ${cell(result)} | ${ok ? "met" : "**missed**"} |`
    ),
    "",
    ...(timeline === undefined
      ? []
      : ["![The fleet: who renewed what, who was killed, and who took over](fleet.svg)", ""]),
    ...shortOf(profile, results),
    "What is not claimed: that a refresh happens exactly once while machines cannot reach each other or the store, or that",
    "nothing is lost when a process is killed between the rotation at a strict server and the write. No client can.",
    ""
  ].join("\n")

/** What this profile did less than what is asked for, and what it left out. */
const shortOf = (profile: string, results: ReadonlyArray<Result>): ReadonlyArray<string> => {
  const lines = results.flatMap(({ id, less }) => less === undefined ? [] : [`- ${id}: ${less}.`])
  const isFull = profile === "full"
  return [
    ...(lines.length === 0
      ? []
      : [
        `Less than what is asked for${isFull ? "" : "; `npm run reliability -- --full` does more, and takes a night"}:`,
        "",
        ...new Set(lines),
        ""
      ]),
    ...(profile === "quick"
      ? ["What is proved by tests within one process is not in this profile: `npm test` runs them anyway.", ""]
      : [])
  ]
}

const cell = (text: string): string => text.replaceAll("|", "\\|")
