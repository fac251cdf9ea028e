/**
 * What the authorization server in memory has seen: every request with what became of it, and counts.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import type * as Parameters from "../Parameters.js"

/**
 * Where a request went. `metadata` is both well-known documents, `resource` any path of the resource server,
 * `elsewhere` everything that is neither: an unknown path of the server (404), or an unknown host (`ENOTFOUND`).
 *
 * @since 0.1.0
 * @category models
 */
export type Endpoint =
  | "metadata"
  | "jwks"
  | "authorization"
  | "token"
  | "revocation"
  | "introspection"
  | "device_authorization"
  | "resource"
  | "elsewhere"

/**
 * What became of a request: still `pending`; `answered`; the connection `failed`; or the client hung up.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = "pending" | "answered" | "failed" | "interrupted"

/**
 * One request and what became of it. The values of headers, and those of parameters that may be secret, are redacted.
 *
 * @since 0.1.0
 * @category models
 */
export interface Exchange {
  /** From 1, over all endpoints, in the order of arrival. */
  readonly number: number
  readonly endpoint: Endpoint
  /** Epoch milliseconds, at arrival. */
  readonly at: number
  readonly method: string
  /** Origin and path. */
  readonly url: string
  readonly query: Parameters.Parameters
  /** In lower case. */
  readonly headerNames: ReadonlyArray<string>
  readonly headers: Readonly<Record<string, Redacted.Redacted<string>>>
  /** Of a form; else none. */
  readonly form: Parameters.Parameters
  /** In bytes. */
  readonly bodyLength: number
  readonly grantType: string | undefined
  /** The name of the fault that it met. */
  readonly fault: string | undefined
  /** Whether the server's own doing was run, whatever became of the answer. */
  readonly acted: boolean
  /** The OAuth error that the server itself answered with. */
  readonly error: string | undefined
  /** The family that a token was issued in or presented of, by its id. */
  readonly family: string | undefined
  /** The number of the access token that was issued or presented, from 1. */
  readonly tokenNumber: number | undefined
  readonly outcome: Outcome
  /** What the client was given. */
  readonly status: number | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Counts {
  readonly requests: Readonly<Record<Endpoint, number>>
  /** Token requests that arrived, whatever became of them, by `grant_type`. */
  readonly grantTypes: Readonly<Record<string, number>>
  /** Access tokens that token requests were answered with, whether or not the answer arrived. */
  readonly issued: number
  /** Presentations of refresh tokens that had been replaced, those within the grace included. */
  readonly reuses: number
  /** The most requests at a time that presented one and the same refresh token. More than 1 breaks S61. */
  readonly concurrentPresentations: number
}

/**
 * The value of a parameter of the form or, failing that, of the query, in clear: for a test's eyes alone.
 *
 * @since 0.1.0
 * @category accessors
 */
export const parameter = (self: Exchange, name: string): string | undefined => {
  const found = [...self.form, ...self.query].find(([key]) => key === name)?.[1]
  return Redacted.isRedacted(found) ? Redacted.value(found) : found
}

/**
 * The value of a header, in clear: for a test's eyes alone.
 *
 * @since 0.1.0
 * @category accessors
 */
export const header = (self: Exchange, name: string): string | undefined => {
  const found = self.headers[name.toLowerCase()]
  return found === undefined ? undefined : Redacted.value(found)
}
