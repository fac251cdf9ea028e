import { type Answer, oauthError } from "./answer.js"
import * as Form from "./form.js"
import { answer } from "./issue.js"
import * as Ledger from "./ledger.js"
import type { AuthorizationCode } from "./state.js"
import { mayRefresh, type TokenRequest } from "./tokenRequest.js"

/**
 * The authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.6). A code is spent by the first request of its client,
 * even one that fails; a second request ends what came of the first (RFC 6749 §4.1.2).
 */
export const redeemCode = (request: TokenRequest): Answer => {
  const { client, now, params, state } = request
  const missing = ["code", "redirect_uri", "code_verifier"].find((name) => Form.get(params, name) === undefined)
  if (missing !== undefined) return oauthError("invalid_request", `${missing} is missing`)
  const code = state.codes.get(params.get("code") ?? "")
  if (code === undefined || code.clientId !== client.id) return oauthError("invalid_grant", "The code is unknown")
  if (code.spent) {
    if (code.family !== undefined) Ledger.revokeFamily(code.family, "code_reuse", now)
    return oauthError("invalid_grant", "The code was used before")
  }
  code.spent = true
  const fault = faultOf(code, request)
  if (fault !== undefined) return fault
  code.family = Ledger.openFamily(state.ledger, { ...code, grantType: "authorization_code" })
  return answer(state, {
    family: code.family,
    resource: request.resource.length === 0 ? code.resource : request.resource,
    refreshToken: mayRefresh(request),
    now
  })
}

const faultOf = (code: AuthorizationCode, request: TokenRequest): Answer | undefined => {
  if (request.now > code.expiresAt) return oauthError("invalid_grant", "The code has expired")
  if (request.params.get("redirect_uri") !== code.redirectUri) {
    return oauthError("invalid_grant", "The redirect URI is not that of the authorization request")
  }
  if (request.codeChallenge !== code.codeChallenge) {
    return oauthError("invalid_grant", "The code verifier does not match the challenge")
  }
  return isWithin(request.resource, code.resource)
    ? undefined
    : oauthError("invalid_target", "The resource was not asked for in the authorization request")
}

const isWithin = (resource: ReadonlyArray<string>, granted: ReadonlyArray<string>): boolean =>
  granted.length === 0 || resource.every((text) => granted.includes(text))
