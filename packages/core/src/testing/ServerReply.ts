/**
 * What the authorization server in memory is asked and what it answers, as plain values apart from any transport.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Stream from "effect/Stream"

/**
 * A request as it arrives: its body read, the names of its headers in lower case.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/**
 * An answer. A stream may go on for ever, or break off.
 *
 * @since 0.1.0
 * @category models
 */
export interface ServerReply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | Stream.Stream<Uint8Array, Disconnected>
}

/**
 * There is no answer, or no more of it: the connection failed, with the code that Node would give, such as
 * `ECONNREFUSED`, `ECONNRESET` or `ENOTFOUND`.
 *
 * @since 0.1.0
 * @category errors
 */
export class Disconnected extends Data.TaggedError("Disconnected")<{ readonly code: string }> {
  override get message(): string {
    return `The connection failed: ${this.code}`
  }
}

/**
 * An answer of any text and content type.
 *
 * @since 0.1.0
 * @category constructors
 */
export const text = (
  status: number,
  contentType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {}
): ServerReply => ({ status, headers: { "content-type": contentType, ...headers }, body })

/**
 * An answer of JSON, which nobody may keep (RFC 6749 §5.1).
 *
 * @since 0.1.0
 * @category constructors
 */
export const json = (
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
): ServerReply => text(status, "application/json", JSON.stringify(body), { "cache-control": "no-store", ...headers })

/**
 * An answer without a body.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty = (status: number, headers: Readonly<Record<string, string>> = {}): ServerReply => ({
  status,
  headers,
  body: ""
})
