/**
 * The authorization request of the code flow (RFC 6749 §4.1.1) with PKCE (RFC 7636 §4.3).
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type { Endpoint } from "./Endpoint.js"
import { InputError } from "./OAuth2Error.js"
import * as Parameters from "./Parameters.js"
import { codeChallengeMethod } from "./Pkce.js"
import * as Scope from "./Scope.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface AuthorizationRequest {
  readonly clientId: string
  readonly redirectUri: string
  readonly state: string
  readonly codeChallenge: string | undefined
  /** Default: S256. */
  readonly codeChallengeMethod?: string | undefined
  readonly scope: Scope.Scope | undefined
  readonly resource: ReadonlyArray<string> | undefined
  /** What else the server wants, such as `prompt`, `login_hint` or `access_type`. */
  readonly parameters: Parameters.Parameters
}

/**
 * The parameters that no extra parameter may set, and those that would put a secret or a token into a URL.
 *
 * @since 0.1.0
 * @category constants
 */
export const reserved: ReadonlyArray<string> = [
  "response_type",
  "client_id",
  "redirect_uri",
  "scope",
  "state",
  "code_challenge",
  "code_challenge_method",
  "resource",
  "client_secret",
  "code_verifier",
  "client_assertion",
  "client_assertion_type",
  "code",
  "access_token",
  "refresh_token",
  "assertion",
  "password"
]

/**
 * The URL to send the user agent to. The endpoint's own query is kept.
 *
 * Fails with `InputError` when an extra parameter is reserved or `Redacted`, or when the endpoint's own query sets one
 * that is reserved.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toUrl = (self: AuthorizationRequest, endpoint: Endpoint): Either.Either<URL, InputError> => {
  const clash = Parameters.reservedError(self.parameters, reserved) ??
    Parameters.reservedError([...endpoint.searchParams], reserved)
  if (clash !== undefined) return Either.left(clash)
  const secret = self.parameters.find(([, value]) => typeof value !== "string")
  if (secret !== undefined) return invalid(secret[0], "is Redacted, and a URL keeps no secret. Leave it out")
  return Either.right(Parameters.appendTo(endpoint, [
    ["response_type", "code"],
    ["client_id", self.clientId],
    ["redirect_uri", self.redirectUri],
    ...(self.scope === undefined || self.scope.length === 0
      ? []
      : [["scope", Scope.toText(self.scope)] as const]),
    ["state", self.state],
    ...(self.codeChallenge === undefined ? [] : [
      ["code_challenge", self.codeChallenge] as const,
      ["code_challenge_method", self.codeChallengeMethod ?? codeChallengeMethod] as const
    ]),
    ...(self.resource ?? []).map((resource) => ["resource", resource] as const),
    ...self.parameters
  ]))
}

/**
 * The request that a URL makes: the authorization server's side.
 *
 * Fails with `InputError` naming the parameter that is missing, repeated or of another flow.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromUrl = (
  url: URL
): Either.Either<AuthorizationRequest & { readonly codeChallenge: string }, InputError> => {
  const params = url.searchParams
  const repeated = Parameters.repeated(withoutResource(params))
  if (repeated !== undefined) return invalid(repeated, "is repeated")
  if (params.get("response_type") !== "code") return invalid("response_type", "is not code")
  if (params.get("code_challenge_method") !== codeChallengeMethod) {
    return invalid("code_challenge_method", "is not S256")
  }
  const missing = ["client_id", "redirect_uri", "state", "code_challenge"].find((name) => !params.get(name))
  if (missing !== undefined) return invalid(missing, "is missing")
  const scope = params.get("scope")
  const resource = params.getAll("resource")
  return Either.right({
    clientId: params.get("client_id")!,
    redirectUri: params.get("redirect_uri")!,
    state: params.get("state")!,
    codeChallenge: params.get("code_challenge")!,
    scope: scope === null ? undefined : Scope.make(scope),
    resource: resource.length === 0 ? undefined : resource,
    parameters: [...params].filter(([name]) => !reserved.includes(name))
  })
}

const invalid = (field: string, problem: string) => Either.left(new InputError({ field, problem }))

const withoutResource = (params: URLSearchParams): URLSearchParams => {
  const rest = new URLSearchParams(params)
  rest.delete("resource")
  return rest
}
