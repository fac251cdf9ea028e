import * as Either from "effect/Either"
import * as Scope from "../../Scope.js"
import type { ServerRequest } from "../ServerReply.js"
import { type Answer, oauthError } from "./answer.js"
import { redeemCode } from "./authorizationCode.js"
import { checkForm } from "./clientRequest.js"
import { deviceGrantType, pollDevice } from "./device.js"
import * as Form from "./form.js"
import { grantedScope, invalidTarget } from "./grantedScope.js"
import { answer } from "./issue.js"
import * as Ledger from "./ledger.js"
import { redeemRefreshToken } from "./refresh.js"
import type { State } from "./state.js"
import type { TokenRequest } from "./tokenRequest.js"

/** The grant types that the server knows. */
export const grantTypes = (state: State): ReadonlyArray<string> => [...grants.keys(), ...state.extensionGrants.keys()]

/** The token endpoint (RFC 6749 §3.2): all in one go, from the check to the issue. */
export const token = (
  state: State,
  request: ServerRequest,
  params: URLSearchParams,
  codeChallenge: string | undefined,
  now: number
): Answer => {
  const checked = checkForm(state, request, params)
  if (Either.isLeft(checked)) return checked.left
  const client = checked.right
  const grantType = Form.get(params, "grant_type")
  if (grantType === undefined) return oauthError("invalid_request", "grant_type is missing")
  const grant = grants.get(grantType) ?? extension(state, grantType)
  if (grant === undefined) return oauthError("unsupported_grant_type", "The grant type is unknown")
  if (client.grants?.has(grantType) === false) {
    return oauthError("unauthorized_client", "The client may not use this grant type")
  }
  const resource = params.getAll("resource")
  if (invalidTarget(state, resource)) return oauthError("invalid_target", "A resource is unknown")
  const scopeText = Form.get(params, "scope")
  const scope = scopeText === undefined ? undefined : Scope.make(scopeText)
  if (scope !== undefined && grantedScope(state, scope) === undefined) {
    return oauthError("invalid_scope", "A scope is unknown")
  }
  return grant({ state, client, params, scope, resource, codeChallenge, now })
}

/** RFC 6749 §4.4: for a client that can prove itself; there is no refresh token. */
const clientCredentials = ({ client, now, resource, scope = [], state }: TokenRequest): Answer => {
  if (client.secret === undefined) {
    return oauthError("unauthorized_client", "A client without a secret cannot use client credentials")
  }
  const grant = { clientId: client.id, subject: client.id, scope, resource, grantType: "client_credentials" }
  return answer(state, { family: Ledger.openFamily(state.ledger, grant), refreshToken: false, now })
}

const extension = (state: State, grantType: string) => {
  const grant = state.extensionGrants.get(grantType)
  return grant === undefined ? undefined : ({ client, now, params, resource, scope = [] }: TokenRequest): Answer => {
    const granted = grant(params)
    if ("error" in granted) return oauthError(granted.error, granted.description ?? "The grant is refused")
    const family = Ledger.openFamily(state.ledger, {
      clientId: client.id,
      subject: granted.subject,
      scope: granted.scope ?? scope,
      resource,
      grantType
    })
    return answer(state, { family, refreshToken: granted.refreshToken ?? false, now })
  }
}

const grants: ReadonlyMap<string, (request: TokenRequest) => Answer> = new Map([
  ["authorization_code", redeemCode],
  ["refresh_token", redeemRefreshToken],
  ["client_credentials", clientCredentials],
  [deviceGrantType, pollDevice]
])
