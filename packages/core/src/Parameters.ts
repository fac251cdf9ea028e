/**
 * Form parameters: an ordered, multi-valued list of names and values (RFC 6749 appendix B, RFC 8707 §2).
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import { InputError } from "./OAuth2Error.js"

/**
 * A value that may be secret until it is sent.
 *
 * @since 0.1.0
 * @category models
 */
export type Value = string | Redacted.Redacted<string>

/**
 * @since 0.1.0
 * @category models
 */
export type Parameters = ReadonlyArray<readonly [name: string, value: Value]>

/**
 * What a program may write: a list repeats the name, `undefined` leaves it out; empty text, `0` and `false` are sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface ParametersInput {
  readonly [name: string]:
    | Value
    | number
    | boolean
    | ReadonlyArray<string>
    | undefined
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (input: ParametersInput): Parameters =>
  Object.entries(input).flatMap(([name, value]): Parameters => {
    if (value === undefined) return []
    if (Array.isArray(value)) return value.map((item: string) => [name, item] as const)
    return [[name, Redacted.isRedacted(value) ? value : String(value)]]
  })

/**
 * The name of the first of `extra` that is among `reserved`, as an error: what the protocol sets, no extra parameter
 * may set again.
 *
 * @since 0.1.0
 * @category combinators
 */
export const reservedError = (extra: Parameters, reserved: ReadonlyArray<string>): InputError | undefined => {
  const clash = extra.find(([name]) => reserved.includes(name))
  return clash === undefined
    ? undefined
    : new InputError({ field: clash[0], problem: "is set by the protocol. Leave it out of the extra parameters" })
}

/**
 * The parameters, after those of `defaults` whose names they do not set themselves.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDefaults = (self: Parameters, defaults: Parameters): Parameters => [
  ...defaults.filter(([name]) => !self.some(([own]) => own === name)),
  ...self
]

/**
 * `application/x-www-form-urlencoded`, secrets in clear: for the wire alone.
 *
 * @since 0.1.0
 * @category conversions
 */
export const encode = (self: Parameters): URLSearchParams =>
  new URLSearchParams(self.map(([name, value]) => [name, reveal(value)]))

/**
 * The URL with the parameters after those of its own query, which are kept.
 *
 * @since 0.1.0
 * @category conversions
 */
export const appendTo = (url: URL, self: Parameters): URL => {
  const result = new URL(url)
  for (const [name, value] of self) result.searchParams.append(name, reveal(value))
  return result
}

/**
 * The first name that occurs more than once.
 *
 * @since 0.1.0
 * @category accessors
 */
export const repeated = (params: URLSearchParams): string | undefined => {
  const seen = new Set<string>()
  for (const name of params.keys()) {
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

/**
 * A value in clear: for the wire alone.
 *
 * @since 0.1.0
 * @category conversions
 */
export const reveal = (value: Value): string => typeof value === "string" ? value : Redacted.value(value)
