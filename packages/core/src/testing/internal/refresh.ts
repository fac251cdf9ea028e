import { type Answer, oauthError } from "./answer.js"
import * as Form from "./form.js"
import { answer } from "./issue.js"
import * as Ledger from "./ledger.js"
import type { TokenRequest } from "./tokenRequest.js"

/** The refresh token grant (RFC 6749 §6) with rotation and reuse detection (RFC 9700 §4.14.2). */
export const redeemRefreshToken = (request: TokenRequest): Answer => {
  const { client, now, params, state } = request
  const text = Form.get(params, "refresh_token")
  if (text === undefined) return oauthError("invalid_request", "refresh_token is missing")
  const token = state.ledger.refreshTokens.get(text)
  if (token === undefined || token.family.clientId !== client.id) return refuse("The refresh token is unknown")
  const isReuse = token.replacedAt !== undefined
  if (isReuse && !Ledger.isWithinGrace(token, now, state.settings)) {
    Ledger.revokeFamily(token.family, "refresh_token_reuse", now)
  }
  return { ...redeem(request, token), family: token.family.id, isReuse }
}

const refuse = (description: string): Answer => oauthError("invalid_grant", description)

/** The scope and the resources of the new access token can be narrowed; those of the family stay as they are. */
const redeem = (request: TokenRequest, { expiresAt, family }: Ledger.RefreshToken): Answer => {
  const { now, resource, scope, state } = request
  if (family.revoked !== undefined) return refuse("The refresh token was revoked")
  if (now > expiresAt) return refuse("The refresh token has expired")
  if (scope?.some((word) => !family.scope.includes(word))) {
    return oauthError("invalid_scope", "The scope is wider than what was granted")
  }
  if (family.resource.length > 0 && resource.some((text) => !family.resource.includes(text))) {
    return oauthError("invalid_target", "The resource was not granted")
  }
  return answer(state, {
    family,
    scope,
    resource: resource.length === 0 ? undefined : resource,
    refreshToken: state.settings.rotation !== "none",
    now
  })
}
