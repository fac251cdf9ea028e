import type { Fault } from "../Fault.js"
import type { Endpoint, Exchange } from "../RequestLog.js"

/** A fault that waits for requests. */
export interface Injected {
  readonly endpoint: Endpoint
  readonly fault: Fault
  readonly where: (exchange: Exchange) => boolean
  /** How many requests it has still to meet; may be infinite. */
  left: number
}

export interface FaultQueue {
  readonly add: (injected: Injected) => void
  /** The fault that a request meets, if any: the first that waits for it, those with an end before those without. */
  readonly take: (exchange: Exchange) => Fault | undefined
  readonly clear: (endpoint: Endpoint | undefined) => void
}

export const make = (): FaultQueue => {
  let waiting: Array<Injected> = []
  return {
    add: (injected) => {
      if (injected.left > 0) waiting.push(injected)
    },
    take: (exchange) => {
      const fitting = waiting.filter((injected) => injected.endpoint === exchange.endpoint && injected.where(exchange))
      const taken = fitting.find(({ left }) => left !== Infinity) ?? fitting[0]
      if (taken !== undefined && --taken.left <= 0) waiting = waiting.filter((injected) => injected !== taken)
      return taken?.fault
    },
    clear: (endpoint) => {
      waiting = waiting.filter((injected) => endpoint !== undefined && injected.endpoint !== endpoint)
    }
  }
}
