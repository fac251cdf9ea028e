/**
 * What can be said on the command line.
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Acts from "./Acts.js"

export interface Options {
  /** How many tokens the run uses up. */
  readonly expiries: number
  /** The shortest run that shows everything. */
  readonly quick: boolean
  /** A real browser and a real user, instead of a script. */
  readonly browser: boolean
  /** Where the diagram goes. */
  readonly out: string
  readonly help: boolean
}

export class WrongOption extends Data.TaggedError("WrongOption")<{ readonly problem: string }> {
  override get message(): string {
    return this.problem
  }
}

export const help = `
  npm run demo -- [options]

    --expiries N   how many tokens the run uses up. Default: 12, about 20 seconds
    --quick        3 of them, about 8 seconds: the shortest run that shows everything
    --browser      sign in yourself, in your own browser, instead of a script
    --out FILE     where the sequence diagram goes. Default: demo/out/run.md
    --help         this text
`

export const parse = (args: ReadonlyArray<string>): Either.Either<Options, WrongOption> =>
  Either.try({
    try: () =>
      parseArgs({
        args: [...args],
        options: {
          expiries: { type: "string" },
          quick: { type: "boolean" },
          browser: { type: "boolean" },
          out: { type: "string" },
          help: { type: "boolean" }
        }
      }).values,
    catch: (error) => new WrongOption({ problem: String(error instanceof Error ? error.message : error) })
  }).pipe(Either.flatMap(({ browser, expiries, help, out, quick }) => {
    const count = Number(expiries ?? Acts.defaultExpiries(quick === true))
    return Number.isInteger(count) && count >= 1 && count <= 1_000
      ? Either.right({
        expiries: count,
        quick: quick ?? false,
        browser: browser ?? false,
        out: out ?? fileURLToPath(new URL("../out/run.md", import.meta.url)),
        help: help ?? false
      })
      : Either.left(new WrongOption({ problem: "--expiries takes a whole number from 1 to 1000" }))
  }))
