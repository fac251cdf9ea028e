/**
 * Figures, as a table for people and as JSON for machines.
 */
import { writeFileSync } from "node:fs"
import { styleText } from "node:util"

export interface Figure {
  /** Does not change: what is compared from one version to the next. */
  readonly name: string
  readonly title: string
  readonly value: number
  readonly unit: "ratio" | "us" | "ms" | "B" | "count" | "per second"
  /** The target, where there is one: more is too much. */
  readonly most?: number
}

export interface Section {
  readonly title: string
  readonly figures: ReadonlyArray<Figure>
  /** What the reader has to know of how it was measured. */
  readonly notes?: ReadonlyArray<string>
}

export interface Options {
  readonly json: string | undefined
  /** Whether a target that is missed makes the program fail. */
  readonly check: boolean
}

/** Prints the sections, writes the JSON file if one is asked for, and sets the exit code if that is asked for. */
export const report = (sections: ReadonlyArray<Section>, options: Options): void => {
  for (const section of sections) print(section)
  const figures = sections.flatMap((section) => section.figures)
  const missed = figures.filter((figure) => verdict(figure) === "over")
  const targets = figures.filter((figure) => figure.most !== undefined).length
  print_(`${targets - missed.length} of ${targets} targets met.`, missed.length === 0 ? "green" : "yellow")
  if (options.json !== undefined) {
    const values = figures.map(({ name, unit, value }) => ({ name, value: rounded(value), unit }))
    writeFileSync(options.json, `${JSON.stringify(values, undefined, 2)}\n`)
    print_(`Written to ${options.json}.`, "dim")
  }
  if (options.check && missed.length > 0) process.exitCode = 1
}

const print = ({ figures, notes = [], title }: Section): void => {
  print_(`\n${title}`, "bold")
  const width = Math.max(0, ...figures.map((figure) => figure.title.length))
  for (const figure of figures) {
    const target = figure.most === undefined ? "" : `  target <= ${shown(figure.most, figure.unit)}`
    const row = `  ${figure.title.padEnd(width)}  ${shown(figure.value, figure.unit).padStart(12)}${target}`
    const judged = verdict(figure)
    console.log(judged === undefined ? row : `${row}  ${coloured(judged, judged === "ok" ? "green" : "red")}`)
  }
  for (const note of notes) print_(`  ${note}`, "dim")
}

const verdict = ({ most, value }: Figure): "ok" | "over" | undefined =>
  most === undefined ? undefined : rounded(value) <= most ? "ok" : "over"

const shown = (value: number, unit: Figure["unit"]): string => {
  switch (unit) {
    case "ratio":
      return `${value.toFixed(2)} x`
    case "us":
      return `${value.toFixed(value < 10 ? 2 : 1)} µs`
    case "ms":
      return `${value.toFixed(2)} ms`
    case "per second":
      return `${Math.round(value).toLocaleString("en-US")} /s`
    case "B":
      return `${Math.round(value).toLocaleString("en-US")} B`
    case "count":
      return Math.round(value).toLocaleString("en-US")
  }
}

const rounded = (value: number): number => Number(value.toPrecision(5))

const isColoured = process.env["FORCE_COLOR"] !== undefined ||
  (process.stdout.isTTY && process.env["NO_COLOR"] === undefined)

const coloured = (text: string, style: Parameters<typeof styleText>[0]): string =>
  isColoured ? styleText(style, text) : text

const print_ = (text: string, style: Parameters<typeof styleText>[0]): void => console.log(coloured(text, style))
