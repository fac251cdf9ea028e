/**
 * What happened, read off the recorded spans: which calls there were, which renewals, who began one and who waited.
 */
import type { Recorded } from "./Recorder.js"

/** One request to the API. `status` is absent when no answer came. */
export interface Attempt {
  readonly began: number
  readonly ended: number
  readonly status: number | undefined
}

export interface Call {
  readonly caller: number
  readonly began: number
  /** Infinite while the call is under way. */
  readonly ended: number
  readonly attempts: ReadonlyArray<Attempt>
  readonly outcome: "succeeded" | "failed" | "interrupted" | undefined
  /** The number of the token that the API answered to. */
  readonly token: number | undefined
  /** How long it stood still before its last request to the API, in milliseconds. */
  readonly stoodStill: number
}

/**
 * One request for a new token, and why it was made: `early`, while the old token still works; `expired`, when it has
 * ended; `refused`, when the API did not take it.
 */
export interface Renewal {
  readonly began: number
  readonly ended: number
  readonly why: "early" | "expired" | "refused"
  /** The caller whose call began it. */
  readonly beganBy: number | undefined
  /** Whether it brought a token. */
  readonly renewed: boolean
  /** The token that it brought, or the one that is kept. */
  readonly token: number
  readonly status: number | undefined
  /** How long it took, in milliseconds. */
  readonly millis: number
  /** Calls that waited for it. */
  readonly waited: ReadonlyArray<Call>
}

export interface Story {
  readonly calls: ReadonlyArray<Call>
  readonly renewals: ReadonlyArray<Renewal>
}

export const read = (spans: ReadonlyArray<Recorded>): Story => {
  const calls = spans.filter(({ name }) => name === "call").map(toCall)
  const renewals: Array<Renewal> = []
  let token = 0
  for (const span of spans) {
    if (span.name !== "oauth2.authorize" && span.name !== "oauth2.renew") continue
    const request = span.children.find(({ name }) => name === "oauth2.token_request")
    if (request === undefined || span.ended === undefined) continue
    const renewed = request.outcome === "succeeded"
    if (renewed) token++
    if (span.name === "oauth2.renew") renewals.push(toRenewal(span, request, token, calls))
  }
  return { calls, renewals }
}

const toRenewal = (span: Recorded, request: Recorded, token: number, calls: ReadonlyArray<Call>): Renewal => {
  const { began, cause, ended = Infinity, millis } = span
  return {
    began,
    ended,
    millis,
    token,
    why: whyOf(span),
    beganBy: numberAt(cause, "caller"),
    renewed: request.outcome === "succeeded",
    status: statusOf(request),
    waited: calls.filter((call) => hasWaited(call, began, ended))
  }
}

/** Told by what became of the call that began it: it was refused before, or went on at once, or had to wait. */
const whyOf = ({ began, cause, ended = Infinity }: Recorded): Renewal["why"] => {
  const requests = cause?.children ?? []
  if (requests.some((request) => statusOf(request) === 401 && (request.ended ?? Infinity) < began)) return "refused"
  return cause === undefined || requests.some((request) => request.began < ended) ? "early" : "expired"
}

const toCall = (span: Recorded): Call => ({
  caller: numberAt(span, "caller") ?? 0,
  began: span.began,
  ended: span.ended ?? Infinity,
  attempts: span.children.map((attempt) => ({
    began: attempt.began,
    ended: attempt.ended ?? Infinity,
    status: statusOf(attempt)
  })),
  outcome: span.outcome,
  token: numberAt(span, "token"),
  stoodStill: stoodStill(span)
})

const stoodStill = ({ children, startTime }: Recorded): number => {
  const [last, previous] = [...children].reverse()
  const since = previous?.status._tag === "Ended" ? previous.status.endTime : startTime
  return last === undefined ? 0 : Number(last.startTime - since) / 1e6
}

/** Whether the call had nothing under way when the renewal ended, and went on, or gave up, because of it. */
const hasWaited = (call: Call, began: number, ended: number): boolean => {
  if (call.ended < began || call.began > ended) return false
  const isIdle = call.attempts.every((attempt) => attempt.ended < ended || attempt.began > ended)
  if (call.ended < ended) return isIdle && call.outcome === "interrupted"
  return isIdle && (call.outcome !== "succeeded" || call.attempts.some((attempt) => attempt.began > ended))
}

const statusOf = (span: Recorded): number | undefined => numberAt(span, "http.response.status_code")

const numberAt = (span: Recorded | undefined, key: string): number | undefined => {
  const value = span?.attributes.get(key)
  return typeof value === "number" ? value : undefined
}
