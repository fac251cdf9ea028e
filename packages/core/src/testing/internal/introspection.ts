import * as Either from "effect/Either"
import * as Scope from "../../Scope.js"
import { json, type ServerRequest } from "../ServerReply.js"
import { type Answer, oauthError } from "./answer.js"
import { checkForm } from "./clientRequest.js"
import * as Form from "./form.js"
import * as Ledger from "./ledger.js"
import type { State } from "./state.js"

/** The introspection endpoint (RFC 7662 §2): only for who can prove itself. */
export const introspect = (state: State, request: ServerRequest, params: URLSearchParams, now: number): Answer => {
  const checked = checkForm(state, request, params)
  if (Either.isLeft(checked)) return checked.left
  if (checked.right.secret === undefined) {
    return oauthError("invalid_client", "A client without a secret cannot introspect", { status: 401 })
  }
  const text = Form.get(params, "token")
  if (text === undefined) return oauthError("invalid_request", "token is missing")
  return json(200, accessToken(state, text, now) ?? refreshToken(state, text, now) ?? { active: false })
}

const accessToken = (state: State, text: string, now: number): object | undefined => {
  const token = state.ledger.accessTokens.get(text)
  if (token === undefined || !Ledger.isActive(state.ledger, token, now)) return undefined
  return {
    ...described(state, token.family, token.scope, token.expiresAt),
    token_type: "Bearer",
    iat: Math.floor(token.issuedAt / 1000),
    ...(token.resource.length === 0 ? undefined : { aud: token.resource })
  }
}

const refreshToken = (state: State, text: string, now: number): object | undefined => {
  const token = state.ledger.refreshTokens.get(text)
  const isLive = token !== undefined && token.family.live === token && token.family.revoked === undefined
  return isLive && now <= token.expiresAt
    ? described(state, token.family, token.family.scope, token.expiresAt)
    : undefined
}

const described = (state: State, family: Ledger.FamilyRecord, scope: ReadonlyArray<string>, expiresAt: number) => ({
  active: true,
  iss: state.issuer,
  sub: family.subject,
  client_id: family.clientId,
  ...(scope.length === 0 ? undefined : { scope: Scope.toText(scope) }),
  ...(Number.isFinite(expiresAt) ? { exp: Math.floor(expiresAt / 1000) } : undefined)
})
