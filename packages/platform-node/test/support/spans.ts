/** Every span that an effect makes, as text. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"

export const withSpans = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<readonly [A, ReadonlyArray<string>], E, R> =>
  Effect.suspend(() => {
    const spans: Array<{ readonly name: string; readonly parts: Array<unknown> }> = []
    const tracer = Tracer.make({
      context: (f) => f(),
      span: (name, parent, context, links, startTime, kind, options) => {
        const attributes = new Map(Object.entries(options?.attributes ?? {}))
        const parts: Array<unknown> = [attributes]
        spans.push({ name, parts })
        return {
          _tag: "Span",
          name,
          spanId: String(spans.length),
          traceId: "trace",
          parent,
          context,
          status: { _tag: "Started", startTime },
          attributes,
          links,
          sampled: true,
          kind,
          end: (_, exit) => parts.push(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "success"),
          attribute: (key, value) => attributes.set(key, value),
          event: (...event) => parts.push(event),
          addLinks: (links) => parts.push(links)
        }
      }
    })
    return Effect.map(
      Effect.withTracer(effect, tracer),
      (value) => [value, spans.map((span) => inspect(span, { depth: 20 }))] as const
    )
  })
