/**
 * Challenges: what a resource says in `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3).
 *
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 * @category models
 */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string
  /** By name in lower case; the first of a repeated name. */
  readonly parameters: ReadonlyMap<string, string>
}

const maxLength = 8_192

// One pass: a parameter, a scheme with its token68, a scheme, or what stands between them.
const item =
  /([!#$%&'*+.^_`|~\w-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\[^])*)"|([!#$%&'*+.^_`|~\w-]+)(?=[ \t]*(?:,|$)))|([!#$%&'*+.^_`|~\w-]+)(?:[ \t]+[\w.~+/-]+=*(?=[ \t]*(?:,|$)))?|[^]/gy

/**
 * The challenges of a header value, in order. What the grammar does not know is passed over; only the first 8 KiB are
 * read. Never throws.
 *
 * @example
 * import * as assert from "node:assert"
 * import { BearerChallenge } from "@effect-oauth2/core"
 *
 * const [challenge] = BearerChallenge.parse(`Bearer realm="a, b", error="invalid_token"`)
 * assert.strictEqual(challenge?.parameters.get("error"), "invalid_token")
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (header: string): ReadonlyArray<Challenge> => {
  const challenges: Array<{ scheme: string; parameters: Map<string, string> }> = []
  for (const [, name, quoted, token, scheme] of header.slice(0, maxLength).matchAll(item)) {
    if (scheme !== undefined) {
      challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() })
    } else if (name !== undefined) {
      const parameters = challenges.at(-1)?.parameters
      const key = name.toLowerCase()
      if (parameters !== undefined && !parameters.has(key)) {
        parameters.set(key, token ?? quoted!.replace(/\\([^])/g, "$1"))
      }
    }
  }
  return challenges
}

/**
 * The first Bearer challenge.
 *
 * @since 0.1.0
 * @category accessors
 */
export const bearer = (header: string): Challenge | undefined =>
  parse(header).find((challenge) => challenge.scheme === "bearer")

/**
 * Whether a 401 means that another token would do: the challenge says `invalid_token`, or it says nothing, as where
 * the header is missing or a page may not read it. Any other `error` is not mended by a refresh (RFC 6750 §3.1).
 *
 * @since 0.1.0
 * @category predicates
 */
export const isTokenRejected = (header: string | undefined): boolean => {
  const error = header === undefined ? undefined : bearer(header)?.parameters.get("error")
  return error === undefined || error === "invalid_token"
}
