/** A tracer that keeps what it is told. */
import { type Exit, Layer, Tracer } from "effect"

export interface Recorded {
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly parent: string | undefined
  readonly attributes: ReadonlyMap<string, unknown>
  readonly events: ReadonlyArray<readonly [name: string, attributes: unknown]>
  readonly links: ReadonlyArray<Tracer.SpanLink>
  /** How it ended, once it has. */
  readonly exit: Exit.Exit<unknown, unknown> | undefined
}

export interface Recorder {
  readonly tracer: Tracer.Tracer
  readonly layer: Layer.Layer<never>
  readonly spans: ReadonlyArray<Recorded>
  readonly named: (name: string) => ReadonlyArray<Recorded>
}

export const recorder = (): Recorder => {
  const spans: Array<Recorded> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const recorded = {
        name,
        kind,
        parent: parent._tag === "Some" && parent.value._tag === "Span" ? parent.value.name : undefined,
        attributes: new Map<string, unknown>(),
        events: [] as Array<readonly [string, unknown]>,
        links: [...links],
        exit: undefined as Exit.Exit<unknown, unknown> | undefined
      }
      spans.push(recorded)
      let status: Tracer.SpanStatus = { _tag: "Started", startTime }
      return {
        _tag: "Span",
        name,
        kind,
        parent,
        context,
        links,
        sampled: true,
        spanId: spans.length.toString(16).padStart(16, "0"),
        traceId: "1".padStart(32, "0"),
        attributes: recorded.attributes,
        get status() {
          return status
        },
        end: (endTime, exit) => {
          status = { _tag: "Ended", startTime, endTime, exit }
          recorded.exit = exit
        },
        attribute: (key, value) => void recorded.attributes.set(key, value),
        event: (name, _, attributes) => void recorded.events.push([name, attributes]),
        addLinks: (more) => void recorded.links.push(...more)
      }
    },
    context: (f) => f()
  })
  return {
    tracer,
    layer: Layer.setTracer(tracer),
    spans,
    named: (name) => spans.filter((span) => span.name === name)
  }
}
