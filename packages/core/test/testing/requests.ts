import * as AuthorizationRequest from "@effect-oauth2/core/AuthorizationRequest"
import * as Endpoint from "@effect-oauth2/core/Endpoint"
import { webCrypto } from "@effect-oauth2/core/OAuth2Crypto"
import * as Pkce from "@effect-oauth2/core/Pkce"
import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { Effect, Either } from "effect"

export const Server = TestAuthorizationServer.TestAuthorizationServer

/** A POST of a form, and its answer as plain values. */
export const post = (
  url: string,
  form: Readonly<Record<string, string>> | ReadonlyArray<readonly [string, string]>,
  headers: Readonly<Record<string, string>> = {}
) =>
  HttpClientRequest.post(url).pipe(
    HttpClientRequest.bodyText(
      new URLSearchParams(Array.isArray(form) ? form : Object.entries(form)).toString(),
      "application/x-www-form-urlencoded"
    ),
    HttpClientRequest.setHeaders(headers),
    HttpClient.execute,
    Effect.flatMap((response) =>
      Effect.map(response.text, (text) => ({
        status: response.status,
        headers: response.headers,
        text,
        json: (text.startsWith("{") ? JSON.parse(text) : {}) as Record<string, unknown>
      }))
    )
  )

export const tokenRequest = (
  form: Readonly<Record<string, string>> | ReadonlyArray<readonly [string, string]>,
  headers?: Readonly<Record<string, string>>
) => Effect.flatMap(Server, (server) => post(server.endpoints.token, form, headers))

export const refresh = (refreshToken: string, more: Readonly<Record<string, string>> = {}) =>
  tokenRequest({ grant_type: "refresh_token", refresh_token: refreshToken, client_id: "app", ...more })

/** A GET of the resource, with a token or without. */
export const call = (token?: string, url = "https://api.test/things") =>
  HttpClientRequest.get(url).pipe(
    token === undefined ? (request) => request : HttpClientRequest.setHeader("authorization", `Bearer ${token}`),
    HttpClient.execute,
    Effect.flatMap((response) =>
      Effect.map(response.json, (json) => ({
        status: response.status,
        challenge: response.headers["www-authenticate"],
        json: json as Record<string, unknown>
      }))
    )
  )

export const redirectUri = "https://app.test/callback"

/** A code verifier with its authorization URL, as a client makes them. */
export const begin = (overrides: Partial<AuthorizationRequest.AuthorizationRequest> = {}) =>
  Effect.gen(function*() {
    const server = yield* Server
    const codeVerifier = Pkce.codeVerifier(yield* webCrypto.randomBytes(32))
    const digest = yield* webCrypto.sha256(new TextEncoder().encode(codeVerifier))
    const request: AuthorizationRequest.AuthorizationRequest = {
      clientId: "app",
      redirectUri,
      state: "state-1",
      codeChallenge: Pkce.codeChallenge(digest),
      scope: ["read"],
      resource: undefined,
      parameters: [],
      ...overrides
    }
    const endpoint = Either.getOrThrow(Endpoint.make("authorization", server.endpoints.authorization, {}))
    return { codeVerifier, url: Either.getOrThrow(AuthorizationRequest.toUrl(request, endpoint)) }
  })

/** Begins, lets the user approve, and returns what the token request needs. */
export const authorized = (overrides: Partial<AuthorizationRequest.AuthorizationRequest> = {}) =>
  Effect.gen(function*() {
    const server = yield* Server
    const { codeVerifier, url } = yield* begin(overrides)
    const callback = yield* server.authorize(url)
    return {
      grant_type: "authorization_code",
      client_id: overrides.clientId ?? "app",
      code: callback.searchParams.get("code") ?? "",
      redirect_uri: overrides.redirectUri ?? redirectUri,
      code_verifier: codeVerifier
    }
  })

export const text = (value: unknown): string => {
  if (typeof value !== "string") throw new Error("not a text")
  return value
}
