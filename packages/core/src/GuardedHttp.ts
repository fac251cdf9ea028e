/**
 * One POST to an endpoint of the authorization server, under guard: no redirect followed, a body held to a size, a
 * deadline over the whole, no tracing header sent, and nothing of request or response left in an error.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import type * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { type EndpointRequest, form } from "./EndpointRequest.js"
import { withoutRedirects } from "./FetchTransport.js"
import { removeSecrets } from "./internal/errorText.js"
import { type EndpointName, ErrorResponse, InputError, InvalidResponse, TransportError } from "./OAuth2Error.js"
import * as Parameters from "./Parameters.js"
import type { Reply } from "./TokenResponse.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Limits {
  /** From the first byte sent to the last byte read. Default: 8 seconds. */
  readonly requestDeadline: Duration.Duration
  /** The largest body that is read, in bytes after decompression. Default: 262,144; at most 1,048,576. */
  readonly maxResponseBytes: number
}

/**
 * @since 0.1.0
 * @category constants
 */
export const defaultLimits: Limits = { requestDeadline: Duration.seconds(8), maxResponseBytes: 262_144 }

/**
 * The hard limit of {@link Limits.maxResponseBytes}.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxResponseBytesLimit = 1_048_576

/**
 * A transport made fit for endpoint requests: no redirects, no spans of its own (they would hold URLs), and with them
 * no tracing headers.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.withTracerDisabledWhen(withoutRedirects(client), () => true)

/**
 * Sends the request and reads the reply, of any status but a redirect's.
 *
 * Fails with `TransportError` (`Unreachable` when nothing was sent; `Timeout` and `ConnectionLost` when nobody knows),
 * with `InvalidResponse` (`Redirect`, `TooLarge`) and, before anything is sent, with `InputError` when a credential
 * cannot be put into a header.
 *
 * @since 0.1.0
 * @category combinators
 */
export const send = (
  client: HttpClient.HttpClient,
  request: EndpointRequest,
  limits: Limits
): Effect.Effect<Reply, TransportError | InvalidResponse | InputError> => {
  const illegal = headersOf(request).find(([, value]) => !headerText.test(Parameters.reveal(value)))
  if (illegal !== undefined) {
    return new InputError({ field: illegal[0], problem: "has characters that no header can carry. Leave them out" })
  }
  return client.execute(toHttpRequest(request)).pipe(
    Effect.mapError(transportError(request.name)),
    Effect.flatMap((response) => read(request.name, response, limits.maxResponseBytes)),
    Effect.timeoutFail({
      duration: limits.requestDeadline,
      onTimeout: () => new TransportError({ endpoint: request.name, reason: "Timeout" })
    })
  )
}

/**
 * The error without any secret of the request, should the server have repeated one in its texts.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withoutSecrets = <E extends { readonly _tag: string }>(
  error: E | ErrorResponse,
  request: EndpointRequest
): E | ErrorResponse => {
  if (!(error instanceof ErrorResponse)) return error
  const { credentials } = request
  const secrets = [
    ...[...request.parameters, ...credentials.parameters, ...headersOf(request)].map(([, value]) => value),
    ...(credentials.secrets ?? [])
  ].flatMap((value) => typeof value === "string" ? [] : [Redacted.value(value)])
  const clean = <A extends string | undefined>(text: A) => text && removeSecrets(text, secrets)
  const { code, description, endpoint, retryAfter, state, status, uri } = error
  return new ErrorResponse({
    endpoint,
    retryAfter,
    status,
    code: removeSecrets(code, secrets),
    description: clean(description),
    uri: clean(uri),
    state: clean(state)
  })
}

const headerText = /^[\x20-\x7e]*$/

const headersOf = ({ credentials, headers }: EndpointRequest) =>
  Object.entries<Parameters.Value>({ accept: "application/json", ...headers, ...credentials.headers })

const toHttpRequest = (request: EndpointRequest): HttpClientRequest.HttpClientRequest => {
  const { credentials, encoding = form, endpoint, parameters } = request
  return headersOf(request).reduce(
    (request, [name, value]) => HttpClientRequest.setHeader(request, name, Parameters.reveal(value)),
    encoding(endpoint, [...parameters, ...credentials.parameters])
  )
}

const read = (
  endpoint: EndpointName,
  response: HttpClientResponse,
  limit: number
): Effect.Effect<Reply, TransportError | InvalidResponse> => {
  const { headers, status } = response
  const contentType = headers["content-type"]
  if (status < 200 || (status >= 300 && status < 400)) {
    return new InvalidResponse({ endpoint, reason: "Redirect", status })
  }
  return Effect.flatMap(readBody(endpoint, response, limit), (body) =>
    body === undefined
      ? new InvalidResponse({ endpoint, reason: "TooLarge", status, contentLength: limit })
      : Effect.map(
        Clock.currentTimeMillis,
        (now) => ({ endpoint, status, contentType, headers, retryAfter: retryAfter(headers["retry-after"], now), body })
      ))
}

/**
 * The body, or `undefined` when it is larger than the limit: the rest is not read, and the connection closed.
 *
 * `Content-Length` tells nothing of it: a page sees that of another origin's answer, and not that it was compressed (S08).
 */
const readBody = (
  endpoint: EndpointName,
  response: HttpClientResponse,
  limit: number
): Effect.Effect<Uint8Array | undefined, TransportError> =>
  Effect.scoped(Effect.flatMap(Stream.toPull(response.stream), (pull) => readUpTo(pull, limit))).pipe(
    Effect.catchAll((error) =>
      error.reason === "EmptyBody" ? Effect.succeed(new Uint8Array(0)) : transportError(endpoint)(error)
    )
  )

const readUpTo = <E>(
  pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<E>>,
  limit: number
): Effect.Effect<Uint8Array | undefined, E> => {
  const pieces: Array<Uint8Array> = []
  let size = 0
  const next: Effect.Effect<Uint8Array | undefined, E> = Effect.matchEffect(pull, {
    onFailure: Option.match({ onNone: () => Effect.succeed(concat(pieces, size)), onSome: Effect.fail }),
    onSuccess: (chunk) => {
      for (const piece of chunk) {
        pieces.push(piece)
        size += piece.length
      }
      return size > limit ? Effect.succeed(undefined) : next
    }
  })
  return next
}

const concat = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  if (chunks.length === 1) return chunks[0]!
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

/** Seconds or a date (RFC 9110 §10.2.3), as milliseconds from now; at most a day. */
const retryAfter = (value: string | undefined, now: number): number | undefined => {
  if (value === undefined) return undefined
  const delay = /^\d+$/.test(value)
    ? Number(value) * 1000
    : /^[A-Z][a-z]+, .+ GMT$/.test(value)
    ? Date.parse(value) - now
    : NaN
  return Number.isNaN(delay) ? undefined : Math.min(Math.max(delay, 0), 86_400_000)
}

/** How the codes begin after which it is certain that no request left: name resolution, connection, TLS. */
const neverSent =
  /^(E(NOTFOUND|AI_|CONNREFUSED|HOSTUNREACH|NETUNREACH|ADDRNOTAVAIL|PROTO)|UND_ERR_CONNECT_|CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_|INVALID_(CA|PURPOSE)|PATH_LENGTH_|ERROR_IN_|CRL_)/

const transportError = (endpoint: EndpointName) => (error: HttpClientError): TransportError => {
  const codes = causeCodes(error)
  const sentNothing = codes.find((code) => neverSent.test(code))
  return new TransportError({
    endpoint,
    reason: sentNothing === undefined ? "ConnectionLost" : "Unreachable",
    code: sentNothing ?? codes[0]
  })
}

/** The `code`s along the chain of causes, those of an `AggregateError` included. Texts are left: they may quote. */
const causeCodes = (error: unknown, depth = 0): ReadonlyArray<string> => {
  if (typeof error !== "object" || error === null || depth > 4) return []
  const { cause, code, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown }
  const own = typeof code === "string" && /^[A-Z_0-9]{1,64}$/.test(code) ? [code] : []
  const inner = [cause, ...(Array.isArray(errors) ? (errors as ReadonlyArray<unknown>).slice(0, 4) : [])]
  return [...own, ...inner.flatMap((error) => causeCodes(error, depth + 1))]
}
