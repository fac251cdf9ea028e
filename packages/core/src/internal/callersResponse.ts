import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { type HttpClientResponse, TypeId } from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as Inspectable from "effect/Inspectable"

/** A response as the caller may see it: it belongs to the caller's own request, which has no token. */
export const forCaller = (
  response: HttpClientResponse,
  request: HttpClientRequest.HttpClientRequest
): HttpClientResponse => new CallersResponse(response, request)

class CallersResponse extends Inspectable.Class implements HttpClientResponse {
  readonly #response: HttpClientResponse
  readonly request: HttpClientRequest.HttpClientRequest
  readonly [TypeId]: TypeId = TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId

  constructor(response: HttpClientResponse, request: HttpClientRequest.HttpClientRequest) {
    super()
    this.#response = response
    this.request = request
  }

  get status() {
    return this.#response.status
  }
  get headers() {
    return this.#response.headers
  }
  get cookies() {
    return this.#response.cookies
  }
  get remoteAddress() {
    return this.#response.remoteAddress
  }
  get json() {
    return this.#response.json
  }
  get text() {
    return this.#response.text
  }
  get urlParamsBody() {
    return this.#response.urlParamsBody
  }
  get formData() {
    return this.#response.formData
  }
  get arrayBuffer() {
    return this.#response.arrayBuffer
  }
  get stream() {
    return this.#response.stream
  }

  toJSON(): unknown {
    return {
      _id: "@effect/platform/HttpClientResponse",
      request: Inspectable.toJSON(this.request),
      status: this.status,
      headers: Inspectable.redact(this.headers)
    }
  }
}
