/** What the run comes to: what the processes told, held against what the store and the server say. */
import { type Account, isTyped } from "../../../reliability/src/Fleet.js"
import { type Board, number } from "./Board.js"
import type { Options } from "./Options.js"

export interface Verdict {
  readonly text: string
  readonly isGood: boolean
}

export const make = ({ strict }: Options, board: Board, account: Account): Verdict => {
  const { kills, logins, takeovers } = board.counts()
  const { calls, lost, redemptions, reuses } = account
  const untyped = lost.filter((told) => !isTyped(told))
  const isGood = strict ? untyped.length === 0 : lost.length === 0
  const failures = Object.entries(account.failures).map(([error, count]) => `${error} ${count}`).join(", ")
  return {
    isGood,
    text: [
      "",
      `  ${number(calls, "use")} of a session${failures === "" ? ", none of which failed" : `; failed: ${failures}`}.`,
      `  The server took ${number(redemptions, "refresh token")}.`,
      `  ${reuses} came a second time, since the answer to the first was lost with a process, or on the way.`,
      ...(takeovers === 0
        ? []
        : [`  ${number(takeovers, "session")} went on in another process than the one that was killed.`]),
      ...(lost.length === 0 ? [] : [`  ${losses(lost, untyped)}`]),
      "",
      `  ${isGood ? "✔" : "✘"} ${number(logins, "login")}, ${number(redemptions, "refresh", "es")}, ${
        number(kills, "kill")
      }, ${number(lost.length, "session")} lost${lost.length > 0 && isGood ? ", each told so" : ""}`
    ].join("\n")
  }
}

const losses = (lost: ReadonlyArray<string>, untyped: ReadonlyArray<string>): string =>
  untyped.length === 0
    ? `Who uses a lost session is told so: ${[...new Set(lost)].join(", ")}.`
    : `Lost, and not as it should be: ${[...new Set(untyped)].join(", ")}.`
