import * as Either from "effect/Either"
import { empty, type ServerRequest } from "../ServerReply.js"
import { type Answer, oauthError } from "./answer.js"
import { checkForm } from "./clientRequest.js"
import * as Form from "./form.js"
import * as Ledger from "./ledger.js"
import type { State } from "./state.js"

/** The revocation endpoint (RFC 7009 §2): 200 also for a token that nobody knows. */
export const revoke = (state: State, request: ServerRequest, params: URLSearchParams, now: number): Answer => {
  const checked = checkForm(state, request, params)
  if (Either.isLeft(checked)) return checked.left
  const text = Form.get(params, "token")
  if (text === undefined) return oauthError("invalid_request", "token is missing")
  const refresh = state.ledger.refreshTokens.get(text)
  const access = state.ledger.accessTokens.get(text)
  const family = refresh?.family ?? access?.family
  if (family === undefined) return empty(200)
  if (family.clientId !== checked.right.id) return oauthError("invalid_grant", "The token is another client's")
  if (refresh !== undefined) Ledger.revokeFamily(family, "revocation_request", now)
  if (access !== undefined) access.revoked = true
  return { ...empty(200), family: family.id }
}
