import * as Scope from "../../Scope.js"
import { json, type ServerRequest } from "../ServerReply.js"
import type { Answer } from "./answer.js"
import * as Ledger from "./ledger.js"
import type { State } from "./state.js"

/** The resource server (RFC 6750): every path is protected, but for `/echo`, which says what it was sent. */
export const resource = (state: State, request: ServerRequest, now: number): Answer => {
  if (request.url.pathname === "/echo") return echo(request)
  const text = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(request.headers["authorization"] ?? "")?.[1]
  // RFC 6750 §3.1: who presents no token is not told of an error
  if (text === undefined) return challenge(401, undefined)
  const token = state.ledger.accessTokens.get(text)
  if (token === undefined) return challenge(401, "invalid_token")
  const about = { family: token.family.id, tokenNumber: token.number }
  const isUsable = !state.settings.rejectTokens && Ledger.isActive(state.ledger, token, now) &&
    isFor(token.resource, request.url)
  if (!isUsable) return { ...challenge(401, "invalid_token"), ...about }
  const { requiredScope } = state.settings
  if (Scope.difference(requiredScope, token.scope).length > 0) {
    return { ...challenge(403, "insufficient_scope", Scope.toText(requiredScope)), ...about }
  }
  return {
    ...json(200, {
      ok: true,
      subject: token.family.subject,
      clientId: token.family.clientId,
      scope: token.scope,
      tokenNumber: token.number,
      method: request.method,
      path: request.url.pathname
    }),
    ...about
  }
}

const echo = (request: ServerRequest): Answer =>
  json(200, {
    method: request.method,
    path: request.url.pathname,
    query: [...request.url.searchParams.keys()],
    headers: Object.keys(request.headers),
    bodyLength: request.body.length
  })

const isFor = (resource: ReadonlyArray<string>, url: URL): boolean =>
  resource.length === 0 || resource.some((text) => new URL(text).origin === url.origin)

const challenge = (status: number, error: string | undefined, scope?: string): Answer => {
  const parameters = [
    `realm="resource server"`,
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(scope === undefined ? [] : [`scope="${scope}"`])
  ]
  return {
    ...json(status, error === undefined ? {} : { error }, { "www-authenticate": `Bearer ${parameters.join(", ")}` }),
    ...(error === undefined ? undefined : { error })
  }
}
