/**
 * What the run comes to: what the program counted held against what the servers counted.
 */
import type { Tally } from "./Callers.js"
import * as Diagram from "./Diagram.js"
import { type Line, number } from "./Screen.js"
import type { Report } from "./servers/Messages.js"
import type { Story } from "./Story.js"

export interface Facts {
  readonly story: Story
  readonly tally: Tally
  /** The servers' own. */
  readonly report: Report
  /** Tokens that the run was to use up at least. */
  readonly expiries: number
  /** Callers that were told to give up. */
  readonly interruptions: number
  /** Whether anything made a new sign-in necessary. */
  readonly sessionsLost: number
}

export interface Verdict {
  readonly lines: ReadonlyArray<Line>
  readonly isGood: boolean
  /** The whole in one sentence. */
  readonly sentence: string
}

export const make = ({ expiries, interruptions, report, sessionsLost, story, tally }: Facts): Verdict => {
  const failures = Object.entries(tally.failed)
  const failed = failures.reduce((sum, [, count]) => sum + count, 0)
  const waits = story.renewals.flatMap(({ waited }) => waited).filter(({ outcome }) => outcome === "succeeded")
  const longest = Math.round(Math.max(0, ...waits.map(({ stoodStill }) => stoodStill)))
  const requests = report.tokenRequests
  const codes = requests.filter(({ grantType, status }) => grantType === "authorization_code" && status === 200).length
  const refreshes = requests.filter(({ grantType, status }) => grantType === "refresh_token" && status === 200).length
  const turnedAway = requests.filter(({ status }) => status === 503).length
  const answered = report.callsPerToken.reduce((sum, count) => sum + count, 0)
  const lines: ReadonlyArray<Line> = [
    {
      label: "calls answered",
      value: number(tally.answered),
      note: answered === tally.answered ? "the API counted as many" : `the API counted ${number(answered)}`,
      good: answered === tally.answered
    },
    {
      label: "calls failed",
      value: number(failed),
      note: failures.map(([name, count]) => `${name} ${count}`).join(", "),
      good: failed === 0
    },
    {
      label: "calls given up",
      value: number(tally.interrupted),
      note: interruptions === 0 ? "" : "on purpose, while it waited for the refresh that it had begun itself",
      good: tally.interrupted === interruptions
    },
    {
      label: "calls that waited",
      value: number(waits.length),
      note: waits.length === 0 ? "" : `the longest for ${number(longest)} ms`,
      good: true
    },
    {
      label: "tokens used up",
      value: number(report.accessTokens - 1),
      note: "each lived for a few seconds at most",
      good: report.accessTokens > expiries
    },
    {
      label: "refreshes",
      value: number(refreshes),
      note: "one for each token, however many calls were after it",
      good: refreshes === report.accessTokens - 1 &&
        refreshes === story.renewals.filter(({ renewed }) => renewed).length
    },
    {
      label: "token requests",
      value: number(requests.length),
      note: `seen by the server: ${Diagram.count(codes, "sign-in")}, ${
        number(refreshes)
      } refreshes, ${turnedAway} turned away`,
      good: requests.length === codes + refreshes + turnedAway
    },
    {
      label: "sign-ins",
      value: number(report.logins),
      note: "the user was asked once",
      good: report.logins === 1 && codes === 1
    },
    {
      label: "sign-outs",
      value: number(report.grantsRevoked),
      note: "at the end, and on purpose: the server has revoked what it had issued",
      good: report.grantsRevoked === 1
    },
    {
      label: "sessions lost",
      value: number(sessionsLost),
      note: "",
      good: sessionsLost === 0
    }
  ]
  const isGood = lines.every(({ good }) => good)
  return {
    lines,
    isGood,
    sentence: isGood ? "Nothing was lost." : "Something is not as it should be: see the lines in red."
  }
}
