import * as Redacted from "effect/Redacted"
import type * as Parameters from "../../Parameters.js"
import type { ServerRequest } from "../ServerReply.js"

const decoder = new TextDecoder()

export const isForm = (request: ServerRequest): boolean =>
  /^application\/x-www-form-urlencoded[ \t]*(;|$)/i.test(request.headers["content-type"] ?? "")

/** The text of a form; of any other body, none. */
export const text = (request: ServerRequest): string => isForm(request) ? decoder.decode(request.body) : ""

/** A parameter without a value is as one that was not sent (RFC 6749 §3.2). */
export const get = (params: URLSearchParams, name: string): string | undefined => params.get(name) || undefined

/** Whatever is not known to be harmless may be secret. */
export const redact = (params: URLSearchParams): Parameters.Parameters =>
  Array.from(params, ([name, value]) => [name, harmless.has(name) ? value : Redacted.make(value)] as const)

const harmless = new Set([
  "grant_type",
  "response_type",
  "client_id",
  "redirect_uri",
  "scope",
  "resource",
  "audience",
  "code_challenge_method",
  "token_type_hint",
  "client_assertion_type",
  "subject_token_type",
  "requested_token_type"
])
