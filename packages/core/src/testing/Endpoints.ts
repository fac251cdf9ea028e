/**
 * Where the endpoints of the authorization server in memory are.
 *
 * @since 0.1.0
 */

/**
 * The endpoints' URLs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Endpoints {
  readonly metadata: string
  readonly openidConfiguration: string
  readonly jwks: string
  readonly authorization: string
  readonly token: string
  readonly revocation: string
  readonly introspection: string
  readonly deviceAuthorization: string
}

/**
 * The endpoints of an issuer, which has no slash at its end. A path of the issuer is kept, and inserted into the
 * well-known URL (RFC 8414 §3.1).
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (issuer: string): Endpoints => {
  const { origin, pathname } = new URL(issuer)
  return {
    metadata: `${origin}/.well-known/oauth-authorization-server${pathname === "/" ? "" : pathname}`,
    openidConfiguration: `${issuer}/.well-known/openid-configuration`,
    jwks: `${issuer}/jwks`,
    authorization: `${issuer}/authorize`,
    token: `${issuer}/token`,
    revocation: `${issuer}/revoke`,
    introspection: `${issuer}/introspect`,
    deviceAuthorization: `${issuer}/device_authorization`
  }
}
