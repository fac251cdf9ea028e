import { type HttpClientError, ResponseError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { type HttpClientResponse, TypeId } from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Stream from "effect/Stream"

/** A response as the caller may see it: it belongs to the caller's own request, which has no token. */
export const forCaller = (
  response: HttpClientResponse,
  request: HttpClientRequest.HttpClientRequest
): HttpClientResponse => new CallersResponse(response, request)

/** The same failure as one of this response: the one it came with would show the request that was sent. */
export const withResponse = (error: ResponseError, response: HttpClientResponse): ResponseError =>
  new ResponseError({ request: response.request, response, reason: error.reason, ...details(error) })

export const details = ({ cause, description }: HttpClientError) => ({
  ...(cause === undefined ? undefined : { cause }),
  ...(description === undefined ? undefined : { description })
})

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
    return this.#own(this.#response.json)
  }
  get text() {
    return this.#own(this.#response.text)
  }
  get urlParamsBody() {
    return this.#own(this.#response.urlParamsBody)
  }
  get formData() {
    return this.#own(this.#response.formData)
  }
  get arrayBuffer() {
    return this.#own(this.#response.arrayBuffer)
  }
  get stream(): Stream.Stream<Uint8Array, ResponseError> {
    return Stream.mapError(this.#response.stream, (error) => withResponse(error, this))
  }

  #own<A>(body: Effect.Effect<A, ResponseError>): Effect.Effect<A, ResponseError> {
    return Effect.mapError(body, (error) => withResponse(error, this))
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
