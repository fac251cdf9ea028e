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
          onSuccess: (reply) => toResponse(request, reply),
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

/**
 * The response without a `Response`: its body is at hand, so that nothing waits for a promise and a test clock has
 * nothing to miss. Printed, it shows its body, as real ones do.
 */
const toResponse = (request: HttpClientRequest, reply: ServerReply): HttpClientResponse => {
  const headers = Headers.fromInput(reply.headers)
  const fail = (cause: unknown) => new ResponseError({ request, response: self, reason: "Decode", cause })
  const bytes = Effect.suspend(() => {
    const { body } = reply
    if (typeof body === "string") return Effect.succeed(new TextEncoder().encode(body))
    if (body instanceof Uint8Array) return Effect.succeed(body)
    return Effect.mapError(collect(body), (error) => fail(connectionError(error)))
  })
  const text = Effect.suspend(() =>
    typeof reply.body === "string"
      ? Effect.succeed(reply.body)
      : Effect.map(bytes, (bytes) => new TextDecoder().decode(bytes))
  )
  const read = <A>(f: (text: string) => A) =>
    Effect.flatMap(text, (text) => Effect.try({ try: () => f(text), catch: fail }))
  const self: HttpClientResponse = {
    [TypeId]: TypeId,
    [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId,
    request,
    status: reply.status,
    headers,
    cookies: Cookies.empty,
    remoteAddress: Option.none(),
    text,
    json: read((text): unknown => text === "" ? null : JSON.parse(text)),
    urlParamsBody: read((text) => UrlParams.fromInput(new URLSearchParams(text))),
    arrayBuffer: Effect.map(bytes, (bytes) => new Uint8Array(bytes).buffer),
    formData: Effect.flatMap(bytes, (bytes) =>
      Effect.tryPromise({
        try: () => new Response(new Uint8Array(bytes), { headers }).formData(),
        catch: fail
      })),
    get stream() {
      const { body } = reply
      return typeof body === "string" || body instanceof Uint8Array
        ? Stream.fromEffect(bytes)
        : Stream.mapError(body, (error) => fail(connectionError(error)))
    },
    toString: () => Inspectable.format(self.toJSON()),
    toJSON: () =>
      HttpIncomingMessage.inspect(self, {
        _id: "@effect/platform/HttpClientResponse",
        request: request.toJSON(),
        status: reply.status
      }),
    [Inspectable.NodeInspectSymbol]: () => self.toJSON()
  }
  return self
}
