import * as Redacted from "effect/Redacted"
import type { Parameters } from "../../Parameters.js"
import type { Counts, Endpoint, Exchange, Outcome } from "../RequestLog.js"
import type { ServerReply, ServerRequest } from "../ServerReply.js"
import type { Answer } from "./answer.js"
import * as Form from "./form.js"

export interface Log {
  readonly begin: (arrival: Arrival) => Entry
  readonly exchanges: (endpoint: Endpoint | undefined) => ReadonlyArray<Exchange>
  readonly counts: () => Counts
  readonly clear: () => void
}

export interface Arrival {
  readonly endpoint: Endpoint
  readonly request: ServerRequest
  readonly form: string
  readonly params: URLSearchParams
  readonly now: number
}

/** A request under way: what becomes of it is written in. */
export interface Entry {
  readonly exchange: Exchange
  readonly metFault: (name: string) => void
  readonly acted: (answer: Answer) => void
  readonly ended: (outcome: Outcome, reply: ServerReply | undefined) => void
}

/** Keeps the last `size` requests at least. */
export const make = (size: number): Log => {
  const presentations = new Map<string, number>()
  let exchanges: Array<Exchange> = []
  let tally = makeTally()
  let number = 0
  return {
    begin: (arrival) => {
      const exchange = new OpenExchange(++number, arrival)
      if (exchanges.length >= 2 * size) exchanges = exchanges.slice(exchanges.length - size)
      exchanges.push(exchange)
      tally.arrived(exchange)
      const presented = exchange.grantType === "refresh_token" ? Form.get(arrival.params, "refresh_token") : undefined
      if (presented !== undefined) tally.presented(change(presentations, presented, 1))
      return {
        exchange,
        metFault: (name) => exchange.fault = name,
        acted: (answer) => {
          exchange.acted = true
          exchange.error = answer.error
          exchange.family = answer.family
          exchange.tokenNumber = answer.tokenNumber
          tally.acted(exchange, answer)
        },
        ended: (outcome, reply) => {
          exchange.outcome = outcome
          exchange.status = reply?.status
          if (presented !== undefined) change(presentations, presented, -1)
        }
      }
    },
    exchanges: (endpoint) => exchanges.filter((exchange) => endpoint === undefined || exchange.endpoint === endpoint),
    counts: () => tally.counts(),
    clear: () => {
      exchanges = []
      tally = makeTally()
    }
  }
}

/** How many requests present the token just now. */
const change = (presentations: Map<string, number>, token: string, by: 1 | -1): number => {
  const count = (presentations.get(token) ?? 0) + by
  if (count === 0) presentations.delete(token)
  else presentations.set(token, count)
  return count
}

const makeTally = () => {
  const grantTypes: Record<string, number> = {}
  let concurrentPresentations = 0
  let issued = 0
  let reuses = 0
  const requests: Record<Endpoint, number> = {
    metadata: 0,
    jwks: 0,
    authorization: 0,
    token: 0,
    revocation: 0,
    introspection: 0,
    device_authorization: 0,
    resource: 0,
    elsewhere: 0
  }
  return {
    arrived: ({ endpoint, grantType }: Exchange): void => {
      requests[endpoint]++
      if (grantType !== undefined) grantTypes[grantType] = (grantTypes[grantType] ?? 0) + 1
    },
    presented: (atATime: number): void => {
      concurrentPresentations = Math.max(concurrentPresentations, atATime)
    },
    acted: ({ endpoint }: Exchange, { isReuse, tokenNumber }: Answer): void => {
      if (endpoint === "token" && tokenNumber !== undefined) issued++
      if (isReuse === true) reuses++
    },
    counts: (): Counts => ({
      requests: { ...requests },
      grantTypes: { ...grantTypes },
      issued,
      reuses,
      concurrentPresentations
    })
  }
}

/** What may be secret is kept as it came, out of sight, until it is asked for. */
class OpenExchange implements Exchange {
  readonly number: number
  readonly endpoint: Endpoint
  readonly at: number
  readonly method: string
  readonly url: string
  readonly bodyLength: number
  readonly grantType: string | undefined
  fault: string | undefined = undefined
  acted = false
  error: string | undefined = undefined
  family: string | undefined = undefined
  tokenNumber: number | undefined = undefined
  outcome: Outcome = "pending"
  status: number | undefined = undefined
  readonly #search: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #form: string

  constructor(number: number, { endpoint, form, now, params, request }: Arrival) {
    this.number = number
    this.endpoint = endpoint
    this.at = now
    this.method = request.method
    this.url = request.url.origin + request.url.pathname
    this.bodyLength = request.body.length
    this.grantType = endpoint === "token" ? Form.get(params, "grant_type") : undefined
    this.#search = request.url.search
    this.#headers = request.headers
    this.#form = form
  }

  get query(): Parameters {
    return Form.redact(new URLSearchParams(this.#search))
  }

  get headerNames(): ReadonlyArray<string> {
    return Object.keys(this.#headers)
  }

  get headers(): Exchange["headers"] {
    return Object.fromEntries(Object.entries(this.#headers).map(([name, value]) => [name, Redacted.make(value)]))
  }

  get form(): Parameters {
    return Form.redact(new URLSearchParams(this.#form))
  }
}
