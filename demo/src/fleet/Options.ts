/** What can be said on the command line. */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { parseArgs } from "node:util"

export interface Options {
  readonly seconds: number
  readonly workers: number
  readonly sessions: number
  /** A server that takes no refresh token twice, not even from one that was killed. */
  readonly strict: boolean
  readonly help: boolean
}

export class WrongOption extends Data.TaggedError("WrongOption")<{ readonly problem: string }> {
  override get message(): string {
    return this.problem
  }
}

export const help = `
  npm run demo:fleet -- [options]

    --seconds N    how long processes are killed. Default: 60
    --workers N    how many processes share the sessions. Default: 4
    --sessions N   how many users are signed in. Default: 200
    --strict       a server without any grace for a refresh token that comes twice: what dies with a process between
                   the server's answer and the write is lost then, and the user is told so
    --help         this text
`

const limits = { seconds: [5, 3_600, 60], workers: [2, 16, 4], sessions: [10, 1_000, 200] } as const

export const parse = (args: ReadonlyArray<string>): Either.Either<Options, WrongOption> =>
  Either.gen(function*() {
    const values = yield* Either.try({
      try: () =>
        parseArgs({
          args: [...args],
          options: {
            seconds: { type: "string" },
            workers: { type: "string" },
            sessions: { type: "string" },
            strict: { type: "boolean", default: false },
            help: { type: "boolean", default: false }
          }
        }).values,
      catch: (error) => new WrongOption({ problem: error instanceof Error ? error.message : String(error) })
    })
    return {
      seconds: yield* whole("seconds", values.seconds),
      workers: yield* whole("workers", values.workers),
      sessions: yield* whole("sessions", values.sessions),
      strict: values.strict,
      help: values.help
    }
  })

const whole = (name: keyof typeof limits, text: string | undefined): Either.Either<number, WrongOption> => {
  const [least, most, usual] = limits[name]
  const value = Number(text ?? usual)
  return Number.isInteger(value) && value >= least && value <= most
    ? Either.right(value)
    : Either.left(new WrongOption({ problem: `--${name} takes a whole number from ${least} to ${most}` }))
}
