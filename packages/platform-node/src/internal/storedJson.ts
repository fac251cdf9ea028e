import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/** Why a file cannot be read: it is damaged, or a later version of this library wrote it. */
export type Unreadable = "Corrupt" | "NewerVersion"

const parse = Option.liftThrowable((text: string): unknown => JSON.parse(text))

/** Reads JSON by a schema. The value, and the member that holds what core stores, each have a version. */
export const decodeWith = <A, I>(schema: Schema.Schema<A, I>, member: string) => {
  const decode = Schema.decodeUnknownEither(schema)
  return (text: string | undefined): Either.Either<A, Unreadable> => {
    const value = text === undefined ? undefined : Option.getOrUndefined(parse(text))
    if (isNewer(value) || (Predicate.hasProperty(value, member) && isNewer(value[member]))) {
      return Either.left("NewerVersion")
    }
    return Either.mapLeft(decode(value), () => "Corrupt")
  }
}

const isNewer = (value: unknown): boolean =>
  Predicate.hasProperty(value, "version") && typeof value.version === "number" && value.version > 1
