/**
 * A grant: what a token request is made of (RFC 6749 §4 and §6).
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { AttemptError } from "./OAuth2Error.js"
import * as Parameters from "./Parameters.js"
import * as Scope from "./Scope.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Grant {
  readonly grantType: string
  /** The grant's own parameters. */
  readonly parameters: Parameters.Parameters
  /** What is asked for, so that an answer without `scope` can be read (RFC 6749 §5.1). */
  readonly scope: Scope.Scope | undefined
  /** Whether the same grant can be run again when the session has no refresh token. */
  readonly renewable: boolean
}

/**
 * A source of grants, as a service: for a grant that has to be made anew each time, such as one that signs an
 * assertion.
 *
 * @since 0.1.0
 * @category tags
 */
export class GrantSource extends Context.Tag("@effect-oauth2/core/Grant/GrantSource")<GrantSource, {
  readonly grant: Effect.Effect<Grant, AttemptError>
}>() {}

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (grant: Effect.Effect<Grant, AttemptError>): Layer.Layer<GrantSource> =>
  Layer.succeed(GrantSource, { grant })

/**
 * The authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.5). `redirectUri` is the very text of the request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const authorizationCode = (options: {
  readonly code: Redacted.Redacted<string>
  readonly redirectUri: string
  readonly codeVerifier?: Redacted.Redacted<string> | undefined
  readonly scope?: Scope.ScopeInput | undefined
  readonly resource?: string | ReadonlyArray<string> | undefined
}): Grant => ({
  grantType: "authorization_code",
  parameters: [
    ["code", options.code],
    ["redirect_uri", options.redirectUri],
    ...(options.codeVerifier === undefined ? [] : [["code_verifier", options.codeVerifier] as const]),
    ...resources(options.resource)
  ],
  scope: options.scope === undefined ? undefined : Scope.make(options.scope),
  renewable: false
})

/**
 * The client credentials grant (RFC 6749 §4.4). It can be run again.
 *
 * @example
 * import { Grant } from "@effect-oauth2/core"
 *
 * export const grant = Grant.clientCredentials({ scope: "read write", resource: "https://api.example.com" })
 *
 * @since 0.1.0
 * @category constructors
 */
export const clientCredentials = (options: {
  readonly scope?: Scope.ScopeInput | undefined
  /** Where the token is for (RFC 8707). */
  readonly resource?: string | ReadonlyArray<string> | undefined
  /** What else this server wants. */
  readonly parameters?: Parameters.ParametersInput | undefined
} = {}): Grant =>
  extension(
    "client_credentials",
    { ...options.parameters, ...(options.resource === undefined ? undefined : { resource: options.resource }) },
    { scope: options.scope, renewable: true }
  )

/**
 * The refresh token grant (RFC 6749 §6). Without `scope` the granted one is kept; with it, it can only be narrowed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const refreshToken = (options: {
  readonly refreshToken: Redacted.Redacted<string>
  readonly scope?: Scope.ScopeInput | undefined
}): Grant => ({
  grantType: "refresh_token",
  parameters: [["refresh_token", options.refreshToken], ...scopes(options.scope)],
  scope: options.scope === undefined ? undefined : Scope.make(options.scope),
  renewable: false
})

/**
 * Any other grant by its name: an absolute URI (RFC 6749 §4.5), or a word that a server made up.
 *
 * `renewable` says that it can be run again with the same parameters.
 *
 * @example
 * import { Grant } from "@effect-oauth2/core"
 * import { Redacted } from "effect"
 *
 * export const grant = Grant.extension("urn:ietf:params:oauth:grant-type:token-exchange", {
 *   subject_token: Redacted.make("subject"),
 *   subject_token_type: "urn:ietf:params:oauth:token-type:access_token"
 * }, { renewable: true })
 *
 * @since 0.1.0
 * @category constructors
 */
export const extension = (
  grantType: string,
  parameters: Parameters.ParametersInput,
  options: {
    readonly scope?: Scope.ScopeInput | undefined
    readonly renewable?: boolean | undefined
  } = {}
): Grant => ({
  grantType,
  parameters: [...Parameters.make(parameters), ...scopes(options.scope)],
  scope: options.scope === undefined ? undefined : Scope.make(options.scope),
  renewable: options.renewable ?? false
})

/**
 * The grant with the client's scope and resource, where it is of a kind that takes them and does not say its own. What
 * a code or a refresh token is for was said when it was asked for.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withDefaults = (
  self: Grant,
  client: { readonly scope: Scope.Scope | undefined; readonly resource: ReadonlyArray<string> }
): Grant => {
  if (self.grantType === "authorization_code" || self.grantType === "refresh_token") return self
  const says = (name: string) => self.parameters.some(([other]) => other === name)
  return {
    ...self,
    scope: self.scope ?? client.scope,
    parameters: [
      ...self.parameters,
      ...(says("scope") || self.scope !== undefined ? [] : scopes(client.scope)),
      ...(says("resource") ? [] : resources(client.resource))
    ]
  }
}

const scopes = (scope: Scope.ScopeInput | undefined): Parameters.Parameters => {
  const words = scope === undefined ? [] : Scope.make(scope)
  return words.length === 0 ? [] : [["scope", Scope.toText(words)]]
}

const resources = (resource: string | ReadonlyArray<string> | undefined): Parameters.Parameters =>
  Parameters.make({ resource })
