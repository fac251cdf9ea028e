/**
 * A tracer that keeps what it is told, in memory and in order. What the demo prints and draws comes from here.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/**
 * A span. `began` and `ended` are its places in the order of all beginnings and ends: two of them tell which came
 * first, even within one tick of the clock.
 */
export class Recorded implements Tracer.Span {
  readonly _tag = "Span"
  readonly sampled = true
  readonly traceId = `${"0".repeat(31)}1`
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly startTime: bigint
  readonly began: number
  readonly parent: Option.Option<Tracer.AnySpan>
  /** The span that the program was in when a span without parent began: who caused it. */
  readonly cause: Recorded | undefined
  readonly context = Context.empty()
  readonly attributes = new Map<string, unknown>()
  readonly links: Array<Tracer.SpanLink> = []
  readonly children: Array<Recorded> = []
  status: Tracer.SpanStatus
  ended: number | undefined
  outcome: "succeeded" | "failed" | "interrupted" | undefined
  readonly #tick: () => number
  readonly #open: Set<Recorded>

  constructor(
    options: Pick<Recorded, "name" | "kind" | "startTime" | "parent" | "cause"> & {
      readonly tick: () => number
      readonly open: Set<Recorded>
    }
  ) {
    this.name = options.name
    this.kind = options.kind
    this.startTime = options.startTime
    this.parent = options.parent
    this.cause = options.cause
    this.#tick = options.tick
    this.#open = options.open.add(this)
    this.began = this.#tick()
    this.status = { _tag: "Started", startTime: options.startTime }
  }

  get spanId(): string {
    return this.began.toString(16).padStart(16, "0")
  }

  /** From beginning to end, in milliseconds. */
  get millis(): number {
    return this.status._tag === "Ended" ? Number(this.status.endTime - this.startTime) / 1e6 : 0
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    this.status = { _tag: "Ended", startTime: this.startTime, endTime, exit }
    this.ended = this.#tick()
    this.#open.delete(this)
    this.outcome = Exit.isSuccess(exit)
      ? "succeeded"
      : Cause.isInterruptedOnly(exit.cause)
      ? "interrupted"
      : "failed"
  }

  attribute(key: string, value: unknown): void {
    this.attributes.set(key, value)
  }

  event(): void {}

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    this.links.push(...links)
  }
}

export interface Recorder {
  /** Every span that began, in order. */
  readonly spans: ReadonlyArray<Recorded>
  /** Those that have not ended. */
  readonly open: ReadonlySet<Recorded>
  /** Must be there before what is to be recorded is built. */
  readonly layer: Layer.Layer<never>
}

export const make = (): Recorder => {
  const spans: Array<Recorded> = []
  const open = new Set<Recorded>()
  /** The fibers that are running: one, and those that it started and that have not waited yet. */
  const running: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
  let ticks = 0
  const tick = () => ++ticks

  const tracer = Tracer.make({
    span: (name, parent, _context, _links, startTime, kind) => {
      const starter = Option.isNone(parent) ? running.at(-2)?.currentSpan : undefined
      const cause = starter instanceof Recorded ? starter : undefined
      const span = new Recorded({ name, kind, startTime, parent, cause, tick, open })
      if (Option.isSome(parent) && parent.value instanceof Recorded) parent.value.children.push(span)
      spans.push(span)
      return span
    },
    context: (execute, fiber) => {
      running.push(fiber)
      try {
        return execute()
      } finally {
        running.pop()
      }
    }
  })
  return { spans, open, layer: Layer.setTracer(tracer) }
}
