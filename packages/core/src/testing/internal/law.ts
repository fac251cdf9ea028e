import * as Arr from "effect/Array"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { YieldWrap } from "effect/Utils"

/** What a law is checked in: one storage, open once, and the means to open it again and to damage it. */
export interface World<Service> {
  readonly service: Service
  readonly another: Effect.Effect<Service, unknown, Scope.Scope>
  readonly hold: Duration.Duration
  /** Lets so many holds pass. */
  readonly pass: (holds: number) => Effect.Effect<void>
  readonly corrupt: (key: string) => Effect.Effect<void, unknown>
  readonly newer: (key: string) => Effect.Effect<void, unknown>
}

export interface LawOf<Service> {
  readonly title: string
  readonly check: (world: World<Service>) => Effect.Effect<void, unknown, Scope.Scope>
}

export const law = <Service>(
  title: string,
  check: (world: World<Service>) => Generator<YieldWrap<Effect.Effect<unknown, unknown, Scope.Scope>>, void, never>
): LawOf<Service> => ({ title, check: (world) => Effect.gen(() => check(world)) })

/** A law is broken: what was looked at, what was expected of it, and what was seen. */
export class LawBroken extends Data.TaggedError("LawBroken")<{
  readonly what: string
  readonly expected: string
  readonly seen: string
}> {
  override get message(): string {
    return `${this.what}: expected ${this.expected}, saw ${this.seen}`
  }
}

/** What is seen is the same value, secrets and all, whatever the order of its members. */
export const same = (what: string, seen: unknown, expected: unknown): Effect.Effect<void, LawBroken> =>
  shown(seen) === shown(expected)
    ? Effect.void
    : new LawBroken({ what, expected: brief(shown(expected)), seen: brief(shown(seen)) })

export const holds = (what: string, isSo: boolean, seen?: unknown): Effect.Effect<void, LawBroken> =>
  isSo ? Effect.void : new LawBroken({ what, expected: "this to hold", seen: brief(shown(seen)) })

/** Fails with that error: its tag, or its reason. */
export const refused = (
  what: string,
  effect: Effect.Effect<unknown, unknown>,
  reason: string
): Effect.Effect<void, LawBroken> =>
  Effect.flatMap(Effect.either(effect), (result) =>
    Either.isLeft(result)
      ? same(what, reasonOf(result.left), reason)
      : new LawBroken({ what, expected: `the failure ${reason}`, seen: brief(shown(result.right)) }))

/** What was asked of it, and what came of each. */
export const reasons = <A>(effect: Effect.Effect<A, unknown>): Effect.Effect<string> =>
  Effect.match(effect, { onFailure: reasonOf, onSuccess: () => "done" })

const reasonOf = (error: unknown): string => {
  if (Predicate.hasProperty(error, "reason") && typeof error.reason === "string") return error.reason
  return Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" ? error._tag : shown(error)
}

export const atOnce = <A, E, R>(
  count: number,
  act: (index: number) => Effect.Effect<A, E, R>
): Effect.Effect<Array<A>, E, R> =>
  Effect.forEach(Array.from({ length: count }, (_, index) => index), act, { concurrency: "unbounded" })

/** How many of each there are. */
export const tally = (words: ReadonlyArray<string>): Readonly<Record<string, number>> => {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return Object.fromEntries(counts)
}

/** A value as text, in which equal values are equal: the values of a law are nobody's secrets. */
const shown = (value: unknown): string => JSON.stringify(plain(value)) ?? "undefined"

const plain = (value: unknown): unknown => {
  if (Redacted.isRedacted(value)) return { redacted: plain(Redacted.value(value)) }
  if (Option.isOption(value)) return Option.isNone(value) ? { none: true } : { some: plain(value.value) }
  if (value instanceof Map) return { map: plain(Array.from<unknown>(value)) }
  if (value instanceof Error) return { error: String(value) }
  if (Arr.isArray(value)) return value.map((member) => plain(member))
  if (typeof value !== "object" || value === null) return value
  const members: ReadonlyArray<readonly [string, unknown]> = Object.entries(value)
  return members.filter(([, member]) => member !== undefined)
    .map(([name, member]) => [name, plain(member)] as const)
    .sort(([a], [b]) => a < b ? -1 : 1)
}

const brief = (text: string): string => text.length <= 600 ? text : `${text.slice(0, 600)}… (${text.length} characters)`
