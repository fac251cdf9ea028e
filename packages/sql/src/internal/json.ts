import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

/** Whatever goes wrong with JSON is told by nobody: the error would quote it. */
class JsonError {
  readonly _tag = "JsonError"
}

/** The text as a JSON object. */
export const parseObject = (text: string): Effect.Effect<Readonly<Record<string, unknown>>, JsonError> =>
  Effect.flatMap(
    Effect.try({ try: (): unknown => JSON.parse(text), catch: () => new JsonError() }),
    (value) => Predicate.isReadonlyRecord(value) ? Effect.succeed(value) : Effect.fail(new JsonError())
  )

export const stringify = (value: object): Effect.Effect<string, JsonError> =>
  Effect.try({ try: () => JSON.stringify(value), catch: () => new JsonError() })
