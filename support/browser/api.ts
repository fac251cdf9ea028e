/**
 * An API on an origin of its own, for pages of other origins. It looks up every token at the authorization server.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Provider } from "oidc-provider"
import { listen } from "./listen.js"

export interface Api {
  readonly origin: string
  /** What it saw, from the beginning. The array grows. */
  readonly seen: { readonly calls: ReadonlyArray<Call> }
}

export interface Call {
  readonly method: string
  readonly path: string
  readonly authorization: string
  readonly status: number
}

export const make = (provider: Provider): Effect.Effect<Api, never, Scope.Scope> => {
  const calls: Array<Call> = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { headers: { authorization = "", origin }, method = "", url = "/" } = request
    const chunks: Array<Uint8Array> = []
    for await (const chunk of request) chunks.push(chunk as Uint8Array)
    response.setHeader("access-control-allow-origin", origin ?? "*")
    response.setHeader("vary", "origin")
    const answerWith = (status: number, body: unknown, headers: Record<string, string> = {}) => {
      calls.push({ method, path: url, authorization, status })
      response.writeHead(status, { "content-type": "application/json", ...headers })
        .end(body === undefined ? "" : JSON.stringify(body))
    }
    if (method === "OPTIONS") {
      return answerWith(204, undefined, {
        "access-control-allow-methods": "GET, POST, PUT, DELETE",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-max-age": "600"
      })
    }
    const accessToken = /^Bearer (\S+)$/.exec(authorization)?.[1]
    const known = accessToken === undefined ? undefined : await provider.AccessToken.find(accessToken)
    if (known === undefined) {
      const challenge = accessToken === undefined ? "Bearer" : "Bearer error=\"invalid_token\""
      return answerWith(401, { error: "invalid_token" }, {
        "www-authenticate": challenge,
        "access-control-expose-headers": "www-authenticate"
      })
    }
    answerWith(200, { hello: known.accountId, method, path: url, body: Buffer.concat(chunks).toString() })
  }
  return Effect.map(
    listen((request, response) => {
      answer(request, response).catch((error: unknown) => {
        console.error("The API failed:", error)
        response.destroy()
      })
    }),
    ({ origin }) => ({ origin, seen: { calls } })
  )
}
