import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError, ResponseError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import { TypeId } from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Disconnected, ServerReply, ServerRequest } from "../ServerReply.js"

/** What answers a request. */
export type Handle = (request: ServerRequest) => Effect.Effect<ServerReply, Disconnected>

/** The client whose requests are answered by what is found for their URL. It follows no redirect and needs no socket. */
export const make = (find: (url: URL) => Handle): HttpClient.HttpClient =>
  HttpClient.make((request, url) =>
    Effect.flatMap(
      readBody(request),
      (body) =>
        Effect.mapBoth(find(url)({ method: request.method, url, headers: request.headers, body }), {
          onSuccess: (reply) => new ReplyResponse(request, reply),
          onFailure: (error) => new RequestError({ request, reason: "Transport", cause: connectionError(error) })
        })
    )
  )

const readBody = (request: HttpClientRequest): Effect.Effect<Uint8Array, RequestError> => {
  const { body } = request
  switch (body._tag) {
    case "Empty":
      return Effect.succeed(new Uint8Array(0))
    case "Uint8Array":
      return Effect.succeed(body.body)
    case "FormData":
      return webBody(request, body.formData)
    case "Raw":
      return webBody(request, body.body)
    case "Stream":
      return collect(body.stream).pipe(
        Effect.mapError((cause) => new RequestError({ request, reason: "Encode", cause }))
      )
  }
}

const webBody = (request: HttpClientRequest, body: unknown): Effect.Effect<Uint8Array, RequestError> =>
  Effect.tryPromise({
    try: async () => new Uint8Array(await new Response(body as BodyInit).arrayBuffer()),
    catch: (cause) => new RequestError({ request, reason: "Encode", cause })
  })

/** As Node's own connection errors are. */
const connectionError = (error: Disconnected): Error => Object.assign(new Error(error.message), { code: error.code })

const collect = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Effect.Effect<Uint8Array, E, R> =>
  Effect.map(
    Stream.runFold(stream, [] as Array<Uint8Array>, (chunks, chunk) => (chunks.push(chunk), chunks)),
    (chunks) => {
      const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
      chunks.reduce((offset, chunk) => (bytes.set(chunk, offset), offset + chunk.length), 0)
      return bytes
    }
  )

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/**
 * The response without a `Response`: its body is at hand, so that nothing waits for a promise and a test clock has
 * nothing to miss. Printed, it shows its body, as real ones do.
 */
class ReplyResponse extends Inspectable.Class implements HttpClientResponse {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly remoteAddress = Option.none()
  readonly cookies = Cookies.empty
  readonly request: HttpClientRequest
  readonly headers: Headers.Headers
  readonly status: number
  readonly #body: ServerReply["body"]

  constructor(request: HttpClientRequest, reply: ServerReply) {
    super()
    this.request = request
    this.headers = Headers.fromInput(reply.headers)
    this.status = reply.status
    this.#body = reply.body
  }

  get stream(): Stream.Stream<Uint8Array, ResponseError> {
    const body = this.#body
    if (typeof body === "string") return Stream.succeed(encoder.encode(body))
    if (body instanceof Uint8Array) return Stream.succeed(body)
    return Stream.mapError(body, (error) => this.#decodeError(connectionError(error)))
  }

  get text(): Effect.Effect<string, ResponseError> {
    return typeof this.#body === "string"
      ? Effect.succeed(this.#body)
      : Effect.map(collect(this.stream), (bytes) => decoder.decode(bytes))
  }

  get json(): Effect.Effect<unknown, ResponseError> {
    return this.#read((text): unknown => text === "" ? null : JSON.parse(text))
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, ResponseError> {
    return this.#read((text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, ResponseError> {
    return Effect.map(collect(this.stream), (bytes) => new Uint8Array(bytes).buffer)
  }

  get formData(): Effect.Effect<FormData, ResponseError> {
    return Effect.flatMap(this.arrayBuffer, (bytes) =>
      Effect.tryPromise({
        try: () => new Response(bytes, { headers: this.headers }).formData(),
        catch: (cause) => this.#decodeError(cause)
      }))
  }

  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "@effect/platform/HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  #read<A>(f: (text: string) => A): Effect.Effect<A, ResponseError> {
    return Effect.flatMap(
      this.text,
      (text) => Effect.try({ try: () => f(text), catch: (cause) => this.#decodeError(cause) })
    )
  }

  #decodeError(cause: unknown): ResponseError {
    return new ResponseError({ request: this.request, response: this, reason: "Decode", cause })
  }
}
