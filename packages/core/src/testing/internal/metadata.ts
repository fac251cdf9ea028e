import * as Endpoints from "../Endpoints.js"
import { json } from "../ServerReply.js"
import type { Answer } from "./answer.js"
import type { State } from "./state.js"
import { grantTypes } from "./tokenEndpoint.js"

/** Server metadata (RFC 8414 §2), which serves as OpenID configuration too. */
export const metadata = (state: State): Answer => {
  const endpoints = Endpoints.make(state.issuer)
  const methods = [...new Set(Array.from(state.clients.values(), (client) => client.authentication))]
  return json(200, {
    issuer: state.issuer,
    authorization_endpoint: endpoints.authorization,
    token_endpoint: endpoints.token,
    revocation_endpoint: endpoints.revocation,
    introspection_endpoint: endpoints.introspection,
    device_authorization_endpoint: endpoints.deviceAuthorization,
    jwks_uri: endpoints.jwks,
    ...(state.scopes === undefined ? undefined : { scopes_supported: [...state.scopes] }),
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: grantTypes(state),
    token_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== "none"),
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: state.settings.sendIssuer,
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"]
  })
}
