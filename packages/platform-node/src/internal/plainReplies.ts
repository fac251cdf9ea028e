/**
 * Replies that are what they seem: undici does not decompress, so nobody is asked to compress, and a reply that is
 * compressed all the same is refused before its body is read.
 */
import type * as Undici from "@effect/platform-node/Undici"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"

/** A client that asks for plain replies, unless a request says what it can read. */
export const ask = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.mapRequest(
    client,
    (request) =>
      request.headers["accept-encoding"] === undefined
        ? HttpClientRequest.setHeader(request, "accept-encoding", plain)
        : request
  )

/** What becomes of a request on its way: the time limits that it has, and a reply that is as it was asked for. */
export const insist =
  (limits: Limits): Undici.Dispatcher.DispatcherComposeInterceptor => (dispatch) => (options, handler) =>
    dispatch({ ...options, ...limits }, asksForPlain(options.headers) ? plainOnly(handler) : handler)

interface Limits {
  /** Milliseconds. */
  readonly headersTimeout: number
  /** Milliseconds; 0 for none. */
  readonly bodyTimeout: number
}

const plain = "identity"

const asksForPlain = (headers: Undici.Dispatcher.DispatchOptions["headers"]): boolean =>
  typeof headers === "object" && headers !== null && "accept-encoding" in headers &&
  headers["accept-encoding"] === plain

const plainOnly = (handler: Undici.Dispatcher.DispatchHandler): Undici.Dispatcher.DispatchHandler => ({
  onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
  onRequestUpgrade: (controller, status, headers, socket) =>
    handler.onRequestUpgrade?.(controller, status, headers, socket),
  onResponseStart: (controller, status, headers, message) => {
    const encoding = headers["content-encoding"]
    if (encoding === undefined || encoding === plain) handler.onResponseStart?.(controller, status, headers, message)
    else controller.abort(new CompressedReply())
  },
  onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
  onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
  onResponseError: (controller, error) => handler.onResponseError?.(controller, error)
})

class CompressedReply extends Error {
  readonly code = "COMPRESSED_REPLY"

  constructor() {
    super("The reply is compressed, although that was not asked for")
  }
}
