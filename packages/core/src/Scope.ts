/**
 * Scope: a set of case-sensitive words, order and repetition without meaning (RFC 6749 §3.3).
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 * @category models
 */
export type Scope = ReadonlyArray<string>

/**
 * What a scope may be written as: words, or one text of words with spaces between.
 *
 * @since 0.1.0
 * @category models
 */
export type ScopeInput = string | Iterable<string>

/**
 * What was granted beside what was asked for, as data.
 *
 * @since 0.1.0
 * @category models
 */
export interface Comparison {
  readonly granted: Scope
  /** Asked for and not granted. */
  readonly missing: Scope
  /** Granted and not asked for. */
  readonly additional: Scope
}

/**
 * @since 0.1.0
 * @category combinators
 */
export const compare = (requested: Scope, granted: Scope): Comparison => ({
  granted,
  missing: difference(requested, granted),
  additional: difference(granted, requested)
})

/**
 * The words of a scope. Text is split on runs of white space; the members of a list are taken as they are.
 *
 * @example
 * import * as assert from "node:assert"
 * import { Scope } from "@effect-oauth2/core"
 *
 * assert.deepStrictEqual(Scope.make(" read  write "), ["read", "write"])
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (input: ScopeInput): Scope =>
  typeof input === "string" ? input.split(/\s+/).filter((word) => word !== "") : Array.from(input, String)

/**
 * The text that is sent: the words with one space between.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toText = (self: Scope): string => self.join(" ")

/**
 * What `self` has and `that` has not.
 *
 * @since 0.1.0
 * @category combinators
 */
export const difference = (self: Scope, that: Scope): Scope => {
  const words = new Set(that)
  return self.filter((word) => !words.has(word))
}

/**
 * Whether two scopes are the same set.
 *
 * @since 0.1.0
 * @category predicates
 */
export const equals = (self: Scope, that: Scope): boolean =>
  difference(self, that).length === 0 && difference(that, self).length === 0
