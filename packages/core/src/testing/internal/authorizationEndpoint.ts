import * as Duration from "effect/Duration"
import * as AuthorizationRequest from "../../AuthorizationRequest.js"
import * as AuthorizationResponse from "../../AuthorizationResponse.js"
import { isLoopback } from "../../Endpoint.js"
import type * as Parameters from "../../Parameters.js"
import type { Approval } from "../ServerOptions.js"
import { empty, type ServerRequest, text } from "../ServerReply.js"
import type { Answer } from "./answer.js"
import { grantedScope, invalidTarget } from "./grantedScope.js"
import type { Client, State } from "./state.js"

/** The authorization endpoint (RFC 6749 §3.1 and §4.1, RFC 7636 §4.4, RFC 9207), the user's answer included. */
export const authorize = (state: State, request: ServerRequest, approval: Approval, now: number): Answer => {
  if (request.method !== "GET") return empty(405, { allow: "GET" })
  const params = request.url.searchParams
  const client = state.clients.get(params.get("client_id") ?? "")
  const redirectUri = params.get("redirect_uri") ?? ""
  // RFC 6749 §4.1.2.1: without a client and a redirect URI that are known, nobody is redirected
  if (client === undefined || state.disabledClients.has(client.id)) return refusePage("The client is unknown")
  if (params.getAll("redirect_uri").length !== 1 || !client.redirectUris.some(isSameRedirect(redirectUri))) {
    return refusePage("The redirect URI is not registered")
  }
  const outcome = decide(state, client, request.url, approval, now)
  const error = outcome.find(([name]) => name === "error")?.[1]
  const location = AuthorizationResponse.toUrl(redirectUri, [
    ...outcome,
    ...(params.getAll("state").length === 1 ? [["state", params.get("state") ?? ""] as const] : []),
    ...(state.settings.sendIssuer ? [["iss", state.issuer] as const] : [])
  ])
  return {
    ...empty(302, { location: location.href, "cache-control": "no-store" }),
    ...(typeof error === "string" ? { error } : undefined)
  }
}

const decide = (state: State, client: Client, url: URL, approval: Approval, now: number): Parameters.Parameters => {
  const parsed = AuthorizationRequest.fromUrl(url)
  if (parsed._tag === "Left") {
    return parsed.left.field === "response_type" && url.searchParams.has("response_type")
      ? refuse("unsupported_response_type", "Only code is supported")
      : refuse("invalid_request", parsed.left.message)
  }
  const request = parsed.right
  if (client.grants?.has("authorization_code") === false) {
    return refuse("unauthorized_client", "The client may not use the authorization code grant")
  }
  if (!/^[A-Za-z0-9_-]{43}$/.test(request.codeChallenge)) return refuse("invalid_request", "The challenge is no digest")
  const requested = grantedScope(state, request.scope ?? [])
  if (requested === undefined) return refuse("invalid_scope", "A scope is unknown")
  if (invalidTarget(state, request.resource ?? [])) return refuse("invalid_target", "A resource is unknown")
  if ("error" in approval) return refuse(approval.error, approval.description)
  const code = state.ledger.text("code")
  state.codes.set(code, {
    clientId: client.id,
    redirectUri: request.redirectUri,
    codeChallenge: request.codeChallenge,
    subject: approval.subject,
    scope: approval.scope ?? requested,
    resource: request.resource ?? [],
    expiresAt: now + Duration.toMillis(state.settings.codeLifetime),
    spent: false,
    family: undefined
  })
  return [["code", code]]
}

const refuse = (error: string, description: string | undefined): Parameters.Parameters => [
  ["error", error],
  ...(description === undefined ? [] : [["error_description", description] as const])
]

const refusePage = (problem: string): Answer => ({
  ...text(400, "text/plain; charset=utf-8", problem),
  error: "invalid_request"
})

/** The text itself; of a loopback address, any port (RFC 8252 §7.3). */
const isSameRedirect = (uri: string) => (registered: string): boolean => {
  if (uri === registered) return true
  if (!URL.canParse(uri) || !URL.canParse(registered)) return false
  const [given, known] = [new URL(uri), new URL(registered)]
  if (known.protocol !== "http:" || !isLoopback(known.hostname)) return false
  given.port = known.port
  return given.href === known.href
}
