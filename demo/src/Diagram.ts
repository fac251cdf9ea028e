/**
 * The run as a sequence diagram in Mermaid, drawn from what was recorded. Equal things are drawn once, with their count.
 */
import type { Renewal, Story } from "./Story.js"

/** A page in Markdown with the diagram in it. */
export const page = (story: Story, options: { readonly callers: number; readonly tokenSeconds: number }): string =>
  [
    "# The run, as it was recorded",
    "",
    `Drawn from the spans of the library and of ${count(story.calls.length, "call")} by ${options.callers} callers.`,
    `A token works for ${options.tokenSeconds} seconds. One arrow with a count stands for that many calls.`,
    "",
    "```mermaid",
    ...lines(story),
    "```",
    ""
  ].join("\n")

/** The diagram alone, line by line. */
export const lines = (story: Story): ReadonlyArray<string> => [
  "sequenceDiagram",
  "  participant P as the program's callers",
  "  participant L as effect-oauth2",
  "  participant A as authorization server",
  "  participant R as API",
  ...[
    ...signIn,
    ...chapters(story).flatMap(drawn),
    ...signOut
  ].map((line) => `  ${line}`)
]

const signIn = [
  "P->>L: sign in with the callback of the browser",
  "L->>A: one token request, with the code",
  "A-->>L: 200, token 1"
]

const signOut = [
  "P->>L: sign out",
  "L->>A: one revocation request",
  "A-->>L: 200, nothing issued here works any more"
]

/** A token's life: the calls that went straight through with it, and the requests for the next one. */
interface Chapter {
  readonly token: number
  readonly calls: number
  readonly renewals: ReadonlyArray<Renewal>
}

const chapters = ({ calls, renewals }: Story): ReadonlyArray<Chapter> => {
  const waited = new Set(renewals.flatMap((renewal) => renewal.waited))
  const last = renewals.at(-1)?.token ?? 1
  return Array.from({ length: last }, (_, index) => index + 1).map((token) => ({
    token,
    calls: calls.filter((call) => call.token === token && !waited.has(call)).length,
    renewals: renewals.filter((renewal) => (renewal.renewed ? renewal.token - 1 : renewal.token) === token)
  }))
}

/** Chapters that differ in nothing but numbers are one loop. */
const drawn = (chapter: Chapter, index: number, all: ReadonlyArray<Chapter>): ReadonlyArray<string> => {
  if (!isPlain(chapter)) return [...callsOf(chapter), ...chapter.renewals.flatMap((renewal) => renewalOf(renewal))]
  if (index > 0 && isPlain(all[index - 1]!)) return []
  const run = [chapter]
  for (let next = all[index + run.length]; next !== undefined && isPlain(next); next = all[index + run.length]) {
    run.push(next)
  }
  if (run.length === 1) return [...callsOf(chapter), ...chapter.renewals.flatMap((renewal) => renewalOf(renewal))]
  const calls = run.map(({ calls }) => calls)
  const millis = run.flatMap(({ renewals }) => renewals.map(({ millis }) => millis))
  return [
    `loop ${run.length} times, from token ${chapter.token} on`,
    `  P->>R: ${range(calls)} calls`,
    `  R-->>P: as many answers`,
    `  L->>A: one refresh, while the old token still works`,
    `  A-->>L: 200, the next token, after ${range(millis)} ms`,
    "end"
  ]
}

const isPlain = ({ renewals }: Chapter): boolean => {
  const [renewal, ...others] = renewals
  return renewal !== undefined && others.length === 0 && renewal.why === "early" && renewal.renewed &&
    renewal.waited.length === 0
}

const callsOf = ({ calls, token }: Chapter): ReadonlyArray<string> =>
  calls === 0 ? [] : [`P->>R: ${count(calls, "call")} with token ${token}`, `R-->>P: ${count(calls, "answer")}`]

const renewalOf = ({ beganBy, millis, renewed, status, token, waited, why }: Renewal): ReadonlyArray<string> => {
  const old = renewed ? token - 1 : token
  const rejected = waited.filter(({ attempts }) => attempts[0]?.status === 401)
  const gaveUp = waited.filter(({ outcome }) => outcome === "interrupted")
  const served = waited.filter(({ outcome }) => outcome === "succeeded")
  return [
    ...(why === "expired" ? [`Note over P,R: token ${old} has run out`, `P->>L: ${count(waited.length, "call")}`] : []),
    ...(why === "refused"
      ? [`L->>R: ${count(rejected.length, "call")} with token ${old}`, `R-->>L: 401, token ${old} was withdrawn`]
      : []),
    `L->>A: one refresh${beganBy === undefined ? "" : `, begun by caller ${beganBy}`}`,
    ...gaveUp.map(({ caller }) => `P-xL: caller ${caller} gives up waiting`),
    ...(renewed
      ? [`A-->>L: 200, token ${token}, after ${rounded(millis)} ms`]
      : [`A--xL: ${status ?? "no answer"}`, `Note over L: the session is kept, and token ${token} serves on`]),
    ...(served.length === 0
      ? []
      : [
        `L->>R: ${
          renewed ? `these ${count(served.length, "call")} with token ${token}` : count(served.length, "call")
        }`,
        `R-->>P: ${count(served.length, "answer")}`
      ])
  ]
}

/** A number of things, in words. */
export const count = (number: number, noun: string): string =>
  `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`

const rounded = (number: number): string => Math.round(number).toLocaleString("en-US")

const range = (numbers: ReadonlyArray<number>): string => {
  const [least, most] = [rounded(Math.min(...numbers)), rounded(Math.max(...numbers))]
  return least === most ? least : `${least} to ${most}`
}
