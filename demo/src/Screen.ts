/**
 * What the demo shows: a table that grows a line with every event, and below it, on a terminal, one line that lives.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import picocolors from "picocolors"

export interface Row {
  readonly token: number
  readonly what: string
  readonly waited?: number | undefined
  readonly fetchedBy?: string | undefined
  readonly requests: number
  readonly tone: "good" | "trouble"
}

/** What the living line tells. */
export interface Progress {
  readonly token: number
  /** What is left of its time, from 1 down to 0. */
  readonly left: number
  readonly secondsLeft: number
  readonly calls: number
  readonly failed: number
  readonly waiting: number
}

export interface Line {
  readonly label: string
  readonly value: string
  readonly note: string
  readonly good: boolean
}

export interface Screen {
  readonly text: (text: string) => Effect.Effect<void>
  /** Seconds since the screen was made, and what goes on. */
  readonly say: (text: string) => Effect.Effect<void>
  readonly heading: Effect.Effect<void>
  readonly row: (row: Row) => Effect.Effect<void>
  readonly progress: (progress: Progress) => Effect.Effect<void>
  readonly summary: (
    lines: ReadonlyArray<Line>,
    verdict: { readonly isGood: boolean; readonly sentence: string }
  ) => Effect.Effect<void>
  readonly isLive: boolean
}

type Output = Pick<NodeJS.WriteStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number }

/** Colours only on a terminal, and not where `NO_COLOR` is set. */
export const make = (output: Output): Effect.Effect<Screen, never, Scope.Scope> =>
  Effect.gen(function*() {
    const isLive = output.isTTY === true
    const paint = picocolors.createColors(isLive && picocolors.isColorSupported)
    const began = performance.now()
    let living = ""
    const erase = () => {
      if (living !== "") output.write("\r\u001b[2K")
    }
    const print = (text: string) =>
      Effect.sync(() => {
        erase()
        output.write(`${text}\n${living}`)
      })
    const time = () => `${((performance.now() - began) / 1000).toFixed(1)} s`.padStart(8)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        erase()
        living = ""
      })
    )

    return {
      isLive,
      text: print,
      say: (text) => Effect.suspend(() => print(paint.dim(`${time()}   ${" ".repeat(5)}   ${text}`))),
      heading: print(paint.bold(columns("time", "token", "what happened", "waited", "fetched by", "requests"))),
      row: ({ fetchedBy, requests, token, tone, waited, what }) =>
        Effect.suspend(() => {
          const cells = columns(
            time(),
            String(token),
            what,
            waited === undefined ? "" : number(waited),
            fetchedBy ?? "",
            number(requests)
          )
          return print(tone === "good" ? paint.cyan(cells) : paint.yellow(cells))
        }),
      progress: ({ calls, failed, left, secondsLeft, token, waiting }) =>
        Effect.sync(() => {
          if (!isLive) return
          const width = 20
          const full = Math.round(Math.min(Math.max(left, 0), 1) * width)
          const isWide = (output.columns ?? 80) >= 96
          const bar = paint.cyan("█".repeat(full)) + paint.dim("░".repeat(width - full))
          const failures = failed === 0 ? paint.green("0 failed") : paint.red(`${number(failed)} failed`)
          erase()
          living =
            `${time()}   ${String(token).padStart(5)}   ${isWide ? `${bar} ` : ""}${secondsLeft.toFixed(1)} s   ` +
            `${number(calls)} calls   ${failures}   ${
              waiting === 0 ? "nobody waits" : paint.yellow(`${number(waiting)} wait`)
            }`
          output.write(living)
        }),
      summary: (lines, { isGood, sentence }) => {
        const painted = (isGood: boolean, text: string) => isGood ? paint.green(text) : paint.red(paint.bold(text))
        return Effect.zipRight(
          Effect.sync(() => {
            erase()
            living = ""
          }),
          print([
            "",
            paint.bold("  SUMMARY"),
            "",
            ...lines.map((line) =>
              `  ${line.label.padEnd(20)}${painted(line.good, line.value.padStart(8))}   ${paint.dim(line.note)}`
                .trimEnd()
            ),
            "",
            `  ${painted(isGood, isGood ? "✔" : "✘")} ${paint.bold(sentence)}`,
            ""
          ].join("\n"))
        )
      }
    }
  })

const columns = (time: string, token: string, what: string, waited: string, by: string, requests: string): string =>
  [time.padStart(8), token.padStart(5), what.padEnd(44), waited.padStart(6), by.padEnd(10), requests.padStart(8)].join(
    "   "
  )
    .trimEnd()

/** With thousands set apart. */
export const number = (value: number): string => value.toLocaleString("en-US")
