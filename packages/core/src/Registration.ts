/**
 * The client as it is registered at the server: every setting checked once, when the layer is built.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { reserved as reservedAuthorizationParameters } from "./AuthorizationRequest.js"
import * as ClientAuthentication from "./ClientAuthentication.js"
import { type Intercept, Interceptor } from "./ComplianceHooks.js"
import * as Endpoint from "./Endpoint.js"
import { type Encoding, reservedTokenParameters } from "./EndpointRequest.js"
import * as GuardedHttp from "./GuardedHttp.js"
import { ConfigurationError } from "./OAuth2Error.js"
import * as Parameters from "./Parameters.js"
import * as Scope from "./Scope.js"

/**
 * What a program says of its client.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Endpoint.TransportPolicy {
  readonly clientId: string
  /** One method for all endpoints. Default: `ClientAuthentication.none`, a public client. */
  readonly clientAuthentication?: ClientAuthentication.ClientAuthentication | undefined
  readonly tokenEndpoint: string | URL
  /** Where refresh tokens are redeemed, for servers that have a place of its own for that. Default: `tokenEndpoint`. */
  readonly refreshEndpoint?: string | URL | undefined
  /** Needed to sign users in. */
  readonly authorizationEndpoint?: string | URL | undefined
  /** Where a sign-out revokes the token (RFC 7009). */
  readonly revocationEndpoint?: string | URL | undefined
  /** The issuer identifier, as the server writes it. An `iss` in a callback must be this very text. */
  readonly issuer?: string | undefined
  /** `true` when the server always sends `iss` (RFC 9207), so that its absence is refused. Default: `false`. */
  readonly authorizationResponseIssParameterSupported?: boolean | undefined
  /** Where the server sends the user back: https, http on loopback, or a private-use scheme (RFC 8252 §7). */
  readonly redirectUri?: string | undefined
  /** What a sign-in asks for, unless it says otherwise. */
  readonly scope?: Scope.ScopeInput | undefined
  /** Where the tokens are for (RFC 8707). */
  readonly resource?: string | ReadonlyArray<string> | undefined
  /** What else this server wants in an authorization request. */
  readonly authorizationParameters?: Parameters.ParametersInput | undefined
  /** What else this server wants in every token request, refreshes included. A grant's own of the same name wins. */
  readonly tokenParameters?: Parameters.ParametersInput | undefined
  /** What this server wants in a refresh request. Default: `tokenParameters`. */
  readonly refreshParameters?: Parameters.ParametersInput | undefined
  /** How token requests travel. Default: `EndpointRequest.form`, as the standards have it. */
  readonly tokenEncoding?: Encoding | undefined
  /** For one endpoint request in all. Default: 8 seconds. */
  readonly requestDeadline?: Duration.DurationInput | undefined
  /** The largest reply that is read, in bytes. Default: 262,144; at most 1,048,576. */
  readonly maxResponseBytes?: number | undefined
}

/**
 * The registration, checked, with the guarded transport to its endpoints.
 *
 * @since 0.1.0
 * @category models
 */
export interface Registration {
  readonly clientId: string
  readonly clientAuthentication: ClientAuthentication.ClientAuthentication
  readonly tokenEndpoint: Endpoint.Endpoint
  readonly refreshEndpoint: Endpoint.Endpoint
  readonly authorizationEndpoint: Endpoint.Endpoint | undefined
  readonly revocationEndpoint: Endpoint.Endpoint | undefined
  readonly issuer: string | undefined
  readonly requireIssuer: boolean
  readonly redirectUri: string | undefined
  readonly scope: Scope.Scope | undefined
  readonly resource: ReadonlyArray<string>
  readonly authorizationParameters: Parameters.Parameters
  readonly tokenParameters: Parameters.Parameters
  readonly refreshParameters: Parameters.Parameters
  readonly tokenEncoding: Encoding | undefined
  /** The client's compliance hooks, under guard. */
  readonly intercept: Intercept
  readonly transportPolicy: Endpoint.TransportPolicy
  readonly limits: GuardedHttp.Limits
  readonly http: HttpClient.HttpClient
}

/**
 * Which server a session belongs to: the issuer, or the token endpoint where no issuer is configured.
 *
 * @since 0.1.0
 * @category accessors
 */
export const server = (self: Registration): string => self.issuer ?? self.tokenEndpoint.href

/**
 * Checks the options. Fails with `ConfigurationError`, naming the field.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<Registration, ConfigurationError, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const http = yield* HttpClient.HttpClient
    const endpoint = (field: EndpointField, reserved: ReadonlyArray<string>) =>
      options[field] === undefined ? Either.right(undefined) : unreserved(field, options[field], reserved, options)
    const extra = (field: ParametersField, reserved: ReadonlyArray<string>) =>
      withoutReserved(field, options[field] ?? {}, reserved)
    const { clientId, clientAuthentication = ClientAuthentication.none, scope, tokenEncoding } = options
    if (clientId.trim() === "") return yield* invalid("clientId", "is empty. Give the id from the registration")
    if (clientAuthentication.problem !== undefined) {
      return yield* invalid("clientAuthentication", clientAuthentication.problem)
    }
    const tokenEndpoint = yield* unreserved("tokenEndpoint", options.tokenEndpoint, reservedTokenParameters, options)
    const tokenParameters = yield* extra("tokenParameters", reservedTokenParameters)
    return {
      clientId,
      clientAuthentication,
      tokenEndpoint,
      refreshEndpoint: (yield* endpoint("refreshEndpoint", reservedTokenParameters)) ?? tokenEndpoint,
      authorizationEndpoint: yield* endpoint("authorizationEndpoint", reservedAuthorizationParameters),
      revocationEndpoint: yield* endpoint("revocationEndpoint", reservedTokenParameters),
      issuer: yield* issuer(options),
      requireIssuer: options.authorizationResponseIssParameterSupported ?? false,
      redirectUri: options.redirectUri === undefined ? undefined : yield* redirectUri(options.redirectUri),
      scope: scope === undefined ? undefined : Scope.make(scope),
      resource: yield* resource(options.resource ?? []),
      authorizationParameters: yield* extra("authorizationParameters", reservedAuthorizationParameters),
      tokenParameters,
      refreshParameters: options.refreshParameters === undefined
        ? tokenParameters
        : yield* extra("refreshParameters", reservedTokenParameters),
      tokenEncoding,
      intercept: yield* Interceptor,
      transportPolicy: { allowInsecureLoopback: options.allowInsecureLoopback },
      limits: yield* limits(options),
      http: GuardedHttp.make(http)
    }
  })

/**
 * Reads a redirect URI: https, http on loopback, or a private-use scheme in reverse-domain form (RFC 8252 §7).
 *
 * Fails with `ConfigurationError`, field `redirectUri`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const redirectUri = (text: string): Either.Either<string, ConfigurationError> => {
  if (!isAbsolute(text)) return invalid("redirectUri", "is not an absolute URL without fragment")
  const url = new URL(text)
  const isWeb = url.protocol === "https:" || (url.protocol === "http:" && Endpoint.isLoopback(url.hostname))
  const isPrivateUse = !isBrowserScheme.test(url.protocol) && /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(url.protocol)
  return isWeb || isPrivateUse
    ? Either.right(text)
    : invalid(
      "redirectUri",
      "is neither https, http on loopback, nor a reverse-domain scheme such as com.example.app:/"
    )
}

/** Without fragment, and without what a URL parser silently drops. */
const isAbsolute = (text: string): boolean => URL.canParse(text) && !/[#\u0000-\u0020\u007f]/.test(text)

const isBrowserScheme = /^(http|file|data|javascript|blob|about):$/

const invalid = (field: string, problem: string): Either.Either<never, ConfigurationError> =>
  Either.left(new ConfigurationError({ field, problem }))

type EndpointField = "refreshEndpoint" | "authorizationEndpoint" | "revocationEndpoint"

type ParametersField = "authorizationParameters" | "tokenParameters" | "refreshParameters"

/** An endpoint whose own query sets nothing that the protocol sets. */
const unreserved = (
  field: string,
  input: string | URL,
  reserved: ReadonlyArray<string>,
  policy: Endpoint.TransportPolicy
): Either.Either<Endpoint.Endpoint, ConfigurationError> =>
  Either.flatMap(Endpoint.make(field, input, policy), (url) => {
    const clash = Parameters.reservedError([...url.searchParams], reserved)
    return clash === undefined
      ? Either.right(url)
      : invalid(field, `has ${clash.field} in its query, which the protocol sets. Leave it out`)
  })

const issuer = (options: Options): Either.Either<string | undefined, ConfigurationError> => {
  if (options.issuer === undefined) {
    return options.authorizationResponseIssParameterSupported === true
      ? invalid("issuer", "is missing. It is what the promised iss is compared with")
      : Either.right(undefined)
  }
  return Either.map(Endpoint.make("issuer", options.issuer, options), () => options.issuer)
}

const resource = (
  input: string | ReadonlyArray<string>
): Either.Either<ReadonlyArray<string>, ConfigurationError> => {
  const resources = typeof input === "string" ? [input] : input
  return resources.every(isAbsolute)
    ? Either.right(resources)
    : invalid("resource", "is not an absolute URI without fragment (RFC 8707 §2)")
}

const withoutReserved = (
  field: ParametersField,
  input: Parameters.ParametersInput,
  reserved: ReadonlyArray<string>
): Either.Either<Parameters.Parameters, ConfigurationError> => {
  const parameters = Parameters.make(input)
  const clash = Parameters.reservedError(parameters, reserved)
  return clash === undefined ? Either.right(parameters) : invalid(`${field}.${clash.field}`, clash.problem)
}

const limits = (options: Options): Either.Either<GuardedHttp.Limits, ConfigurationError> => {
  const requestDeadline = Duration.decode(options.requestDeadline ?? GuardedHttp.defaultLimits.requestDeadline)
  const maxResponseBytes = options.maxResponseBytes ?? GuardedHttp.defaultLimits.maxResponseBytes
  if (!Duration.isFinite(requestDeadline) || Duration.toMillis(requestDeadline) <= 0) {
    return invalid("requestDeadline", "is not a positive, finite duration")
  }
  if (!(maxResponseBytes > 0 && maxResponseBytes <= GuardedHttp.maxResponseBytesLimit)) {
    return invalid("maxResponseBytes", `is not between 1 and ${GuardedHttp.maxResponseBytesLimit}`)
  }
  return Either.right({ requestDeadline, maxResponseBytes })
}
