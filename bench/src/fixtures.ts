/**
 * A client over a stubbed transport, and tokens as servers issue them.
 */
import { Custody, OAuth2Client, OAuth2Crypto, type Token } from "@effect-oauth2/core"
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { randomBytes } from "node:crypto"

export const api = "https://api.example.com"

/** 54 characters that occur once. */
export const opaque = (): string => randomBytes(40).toString("base64url")

export const makeToken = (now: number): Token.Token => ({
  accessToken: Redacted.make(opaque()),
  tokenType: "Bearer",
  issuedAt: now,
  expiresAt: now + 3_600_000,
  refreshToken: Redacted.make(opaque())
})

export type Respond = (request: HttpClientRequest.HttpClientRequest) => HttpClientResponse.HttpClientResponse

/** A transport as platform's own are made. */
export const made = (respond: Respond): HttpClient.HttpClient =>
  HttpClient.make((request) => Effect.succeed(respond(request)))

/** As little as a client can be: no URL is parsed, no span opened, nothing can be aborted. */
export const bare = (respond: Respond): HttpClient.HttpClient =>
  HttpClient.makeWith(
    (preprocessed: Effect.Effect<HttpClientRequest.HttpClientRequest>) => Effect.map(preprocessed, respond),
    Effect.succeed
  )

/**
 * A response whose body is there: it costs next to nothing, so that what a client adds shows. Like those of real servers
 * it says how long its body is.
 */
export const ready = (body: string): Respond => {
  const text = Effect.succeed(body)
  const json = Effect.succeed(JSON.parse(body) as unknown)
  const bytes = new TextEncoder().encode(body)
  const headers = headersOf(bytes.length)
  return (request) => new ReadyResponse(request, headers, text, json, bytes)
}

/** A response as `fetch` gives it. */
export const web = (body: string): Respond => (request) =>
  HttpClientResponse.fromWeb(request, new Response(body, { headers: headersOf(body.length) }))

const headersOf = (length: number): Headers.Headers =>
  Headers.fromInput({
    "content-type": "application/json",
    "content-length": `${length}`,
    date: "Wed, 21 Oct 2026 07:28:00 GMT"
  })

class ReadyResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly headers: Headers.Headers
  readonly text: Effect.Effect<string>
  readonly json: Effect.Effect<unknown>
  readonly #bytes: Uint8Array

  constructor(
    request: HttpClientRequest.HttpClientRequest,
    headers: Headers.Headers,
    text: Effect.Effect<string>,
    json: Effect.Effect<unknown>,
    bytes: Uint8Array
  ) {
    super()
    this.request = request
    this.headers = headers
    this.text = text
    this.json = json
    this.#bytes = bytes
  }

  get status() {
    return 200
  }
  get cookies() {
    return Cookies.empty
  }
  get remoteAddress() {
    return Option.none<string>()
  }
  get stream() {
    return Stream.succeed(this.#bytes)
  }
  get arrayBuffer() {
    return Effect.sync(() => this.#bytes.slice().buffer)
  }
  get formData() {
    return Effect.sync(() => new FormData())
  }
  get urlParamsBody() {
    return Effect.succeed(UrlParams.empty)
  }

  toJSON(): unknown {
    return { status: this.status }
  }
}

/** One client with its authorized `HttpClient`, its sessions in memory. */
export const layer = (transport: HttpClient.HttpClient, crypto = OAuth2Crypto.webCrypto) =>
  OAuth2Client.layerHttpClient({ origins: [api] }).pipe(
    Layer.provideMerge(OAuth2Client.layer({
      clientId: "bench",
      authorizationEndpoint: "https://as.example.com/authorize",
      tokenEndpoint: "https://as.example.com/token",
      redirectUri: "https://app.example.com/callback",
      scope: "profile email"
    })),
    Layer.provide([
      Custody.layerMemory,
      Layer.succeed(HttpClient.HttpClient, transport),
      Layer.succeed(OAuth2Crypto.OAuth2Crypto, crypto)
    ])
  )
