/**
 * Compliance hooks: ordered, typed transforms of what goes to an authorization server and what comes back, for servers
 * that differ from the standards. What a hook rewrites is checked again; what it breaks loses no token.
 *
 * @since 0.1.0
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { reserved as reservedAuthorizationParameters } from "./AuthorizationRequest.js"
import * as EndpointRequest from "./EndpointRequest.js"
import {
  type AttemptError,
  type ErrorResponse,
  HookError,
  type HookName,
  InputError,
  type InvalidResponse
} from "./OAuth2Error.js"
import type * as Parameters from "./Parameters.js"
import type { Token } from "./Token.js"
import type { Reply } from "./TokenResponse.js"

/**
 * A token or revocation request as a hook sees it, and gives it back: with the client's credentials, wherever they are.
 *
 * @since 0.1.0
 * @category models
 */
export interface Draft {
  /** Its origin stays that of the endpoint. */
  readonly url: URL
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, Parameters.Value>>
  readonly parameters: Parameters.Parameters
  /** How the parameters travel: `EndpointRequest.form`, or `EndpointRequest.json`. */
  readonly encoding: EndpointRequest.Encoding
}

/**
 * A transform. It fails with {@link HookError}, best made by {@link fail}; what it dies of becomes one as well.
 *
 * @since 0.1.0
 * @category models
 */
export type Hook<A, B extends ReadonlyArray<unknown> = []> = (value: A, ...context: B) => Effect.Effect<A, HookError>

/**
 * What a client does differently for one server. Each member is optional.
 *
 * A request hook may rename parameters, add others, rewrite `scope`, change headers and encoding. It may not set or
 * change what the protocol sets, or send the request to another origin: `InputError`, and nothing is sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface ComplianceHooks {
  /** The URL that the user agent is sent to. */
  readonly authorizationRequest?: Hook<URL> | undefined
  /** The request that exchanges a grant, other than a refresh token. */
  readonly accessTokenRequest?: Hook<Draft> | undefined
  /** The reply to that, before it is judged. See {@link mapJson}. */
  readonly accessTokenResponse?: Hook<Reply> | undefined
  readonly refreshTokenRequest?: Hook<Draft> | undefined
  readonly refreshTokenResponse?: Hook<Reply> | undefined
  /** Why there is no token: gives the standard's name to a server's own error code. Runs after both kinds of reply. */
  readonly tokenErrorResponse?: Hook<ErrorResponse | InvalidResponse, [reply: Reply]> | undefined
  readonly revocationRequest?: Hook<Draft> | undefined
  /** A request to a resource, before the token is put on it; run anew when it is sent again with another token. */
  readonly protectedRequest?: Hook<HttpClientRequest.HttpClientRequest, [token: Token]> | undefined
}

/**
 * No hooks.
 *
 * @since 0.1.0
 * @category constructors
 */
export const empty: ComplianceHooks = {}

/**
 * All of these hooks, in this order: each sees what the one before it made.
 *
 * @example
 * import { ComplianceHooks } from "@effect-oauth2/core"
 * import { Effect } from "effect"
 *
 * const version = ComplianceHooks.onTokenRequests((draft) =>
 *   Effect.succeed({ ...draft, headers: { ...draft.headers, "x-version": "2" } })
 * )
 *
 * export const hooks = ComplianceHooks.combine(version, { authorizationRequest: Effect.succeed })
 *
 * @since 0.1.0
 * @category combinators
 */
export const combine = (...all: ReadonlyArray<ComplianceHooks>): ComplianceHooks => all.reduce(andThen, empty)

/**
 * One hook on every request for a token, refreshes included.
 *
 * @since 0.1.0
 * @category constructors
 */
export const onTokenRequests = (hook: Hook<Draft>): ComplianceHooks => ({
  accessTokenRequest: hook,
  refreshTokenRequest: hook
})

/**
 * One hook on every reply to a request for a token, refreshes included.
 *
 * @since 0.1.0
 * @category constructors
 */
export const onTokenResponses = (hook: Hook<Reply>): ComplianceHooks => ({
  accessTokenResponse: hook,
  refreshTokenResponse: hook
})

/**
 * A hook's own failure, with what is wrong in words that hold no secret.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fail = (hook: HookName, problem: string): Effect.Effect<never, HookError> =>
  new HookError({ hook, problem })

/**
 * The reply with its JSON object changed. A body that is no JSON object is left as it is: to be judged by the rules.
 *
 * @since 0.1.0
 * @category combinators
 */
export const mapJson = (
  reply: Reply,
  f: (members: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
): Reply => {
  const members = parsed(reply.body)
  if (members === undefined) return reply
  const changed = f(members)
  return changed === members ? reply : withJson(reply, changed)
}

/**
 * The reply with this object as its body, as JSON.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withJson = (reply: Reply, members: Readonly<Record<string, unknown>>): Reply => ({
  ...reply,
  contentType: "application/json",
  body: new TextEncoder().encode(JSON.stringify(members))
})

/**
 * The hooks of the client that is built with this layer. Two clients have two: provide it to each client's layer.
 *
 * @example
 * import { ComplianceHooks, OAuth2Client } from "@effect-oauth2/core"
 * import { Effect, Layer } from "effect"
 *
 * export const Client = OAuth2Client.layer({ clientId: "app", tokenEndpoint: "https://as.example/token" }).pipe(
 *   Layer.provide(ComplianceHooks.layer({ revocationRequest: Effect.succeed }))
 * )
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (hooks: ComplianceHooks): Layer.Layer<never> => Layer.succeed(Interceptor, guarded(hooks))

/**
 * The same for hooks that are made by an effect, out of services.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEffect = <E, R>(hooks: Effect.Effect<ComplianceHooks, E, R>): Layer.Layer<never, E, R> =>
  Layer.effect(Interceptor, Effect.map(hooks, guarded))

/**
 * Which kind of token or revocation request it is.
 *
 * @since 0.1.0
 * @category models
 */
export type RequestKind = "accessToken" | "refreshToken" | "revocation"

/**
 * Hooks under guard, as the endpoints run them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Intercept {
  readonly authorizationRequest: (url: URL) => Effect.Effect<URL, InputError | HookError>
  readonly request: (
    kind: RequestKind,
    request: EndpointRequest.EndpointRequest
  ) => Effect.Effect<EndpointRequest.EndpointRequest, AttemptError>
  readonly response: (kind: RequestKind, reply: Reply) => Effect.Effect<Reply, HookError>
  readonly error: (
    error: ErrorResponse | InvalidResponse,
    reply: Reply
  ) => Effect.Effect<ErrorResponse | InvalidResponse, HookError>
  /** Absent where there is none, so that an authorized request costs no more. */
  readonly protectedRequest?: Hook<HttpClientRequest.HttpClientRequest, [token: Token]> | undefined
}

/**
 * The hooks of a client, taken from the context when its layer is built.
 *
 * @since 0.1.0
 * @category context
 */
export class Interceptor extends Context.Reference<Interceptor>()("@effect-oauth2/core/ComplianceHooks/Interceptor", {
  defaultValue: (): Intercept => none
}) {}

const none: Intercept = {
  authorizationRequest: Effect.succeed,
  request: (_, request) => Effect.succeed(request),
  response: (_, reply) => Effect.succeed(reply),
  error: Effect.succeed
}

// ---- composition

const andThen = (first: ComplianceHooks, second: ComplianceHooks): ComplianceHooks => {
  const both = <A, B extends ReadonlyArray<unknown>>(
    one: Hook<A, B> | undefined,
    other: Hook<A, B> | undefined
  ): Hook<A, B> | undefined =>
    one === undefined || other === undefined
      ? one ?? other
      : (value, ...context) => Effect.flatMap(one(value, ...context), (value) => other(value, ...context))
  return {
    authorizationRequest: both(first.authorizationRequest, second.authorizationRequest),
    accessTokenRequest: both(first.accessTokenRequest, second.accessTokenRequest),
    accessTokenResponse: both(first.accessTokenResponse, second.accessTokenResponse),
    refreshTokenRequest: both(first.refreshTokenRequest, second.refreshTokenRequest),
    refreshTokenResponse: both(first.refreshTokenResponse, second.refreshTokenResponse),
    tokenErrorResponse: both(first.tokenErrorResponse, second.tokenErrorResponse),
    revocationRequest: both(first.revocationRequest, second.revocationRequest),
    protectedRequest: both(first.protectedRequest, second.protectedRequest)
  }
}

// ---- guard

const guarded = (hooks: ComplianceHooks): Intercept => {
  const { accessTokenRequest, accessTokenResponse, refreshTokenRequest, refreshTokenResponse } = hooks
  const { authorizationRequest, protectedRequest, revocationRequest, tokenErrorResponse } = hooks
  const onRequest = {
    accessToken: { name: "accessTokenRequest", hook: accessTokenRequest },
    refreshToken: { name: "refreshTokenRequest", hook: refreshTokenRequest },
    revocation: { name: "revocationRequest", hook: revocationRequest }
  } as const
  const onResponse = {
    accessToken: { name: "accessTokenResponse", hook: accessTokenResponse },
    refreshToken: { name: "refreshTokenResponse", hook: refreshTokenResponse },
    revocation: undefined
  } as const
  return {
    authorizationRequest: authorizationRequest === undefined ?
      Effect.succeed :
      (url) =>
        Effect.flatMap(
          run("authorizationRequest", () => authorizationRequest(new URL(url))),
          (changed) =>
            faultOfUrl(url, changed) ??
              faultOf([...url.searchParams], [...changed.searchParams], reservedAuthorizationParameters) ??
              Effect.succeed(changed)
        ),
    request: (kind, request) => {
      const { hook, name } = onRequest[kind]
      if (hook === undefined) return Effect.succeed(request)
      const draft = toDraft(request)
      return Effect.flatMap(run(name, () => hook(draft)), (changed) =>
        faultOfUrl(draft.url, changed.url) ??
          faultOf(draft.parameters, changed.parameters, reservedParameters) ??
          Effect.succeed(toRequest(request, changed)))
    },
    response: (kind, reply) => {
      const on = onResponse[kind]
      return on?.hook === undefined ? Effect.succeed(reply) : run(on.name, () => on.hook!(reply))
    },
    error: tokenErrorResponse === undefined
      ? Effect.succeed
      : (error, reply) => run("tokenErrorResponse", () => tokenErrorResponse(error, reply)),
    ...(protectedRequest === undefined ? undefined : {
      protectedRequest: (request, token) => run("protectedRequest", () => protectedRequest(request, token))
    })
  }
}

/** A hook that throws or dies has failed. What it threw may hold a secret, and is not shown. */
const run = <A>(hook: HookName, effect: () => Effect.Effect<A, HookError>): Effect.Effect<A, HookError> =>
  Effect.catchAllDefect(Effect.suspend(effect), () => new HookError({ hook, problem: "threw. Let it fail instead" }))

const toDraft = ({ credentials, encoding, endpoint, headers, parameters }: EndpointRequest.EndpointRequest): Draft => ({
  url: new URL(endpoint),
  headers: { ...headers, ...credentials.headers },
  parameters: [...parameters, ...credentials.parameters],
  encoding: encoding ?? EndpointRequest.form
})

const toRequest = (
  before: EndpointRequest.EndpointRequest,
  { encoding, headers, parameters, url }: Draft
): EndpointRequest.EndpointRequest => ({
  name: before.name,
  endpoint: url,
  parameters,
  headers,
  encoding,
  credentials: { headers: {}, parameters: [], secrets: secretsOf(before) }
})

/** A server's error is to repeat none of these, whatever became of them. */
const secretsOf = ({ credentials, parameters }: EndpointRequest.EndpointRequest) =>
  [
    ...[...parameters, ...credentials.parameters, ...Object.entries(credentials.headers)].map(([, value]) => value),
    ...(credentials.secrets ?? [])
  ].filter(Redacted.isRedacted) as ReadonlyArray<Redacted.Redacted<string>>

const faultOfUrl = (before: URL, after: URL): InputError | undefined =>
  before.origin === after.origin && after.username === "" && after.password === ""
    ? undefined
    : new InputError({ field: "url", problem: "was sent elsewhere by a hook. Keep the endpoint's origin" })

/** What no hook may set or change, though it may be left out, as when a server has another name for it. */
const reservedParameters = [...EndpointRequest.reservedTokenParameters, "token"]

const faultOf = (
  before: Parameters.Parameters,
  after: Parameters.Parameters,
  reserved: ReadonlyArray<string>
): InputError | undefined => {
  const textOf = (value: Parameters.Value) => typeof value === "string" ? value : Redacted.value(value)
  const valuesOf = (parameters: Parameters.Parameters, name: string) =>
    JSON.stringify(parameters.flatMap(([other, value]) => other === name ? [textOf(value)] : []))
  const changed = reserved.find((name) =>
    name !== "scope" && after.some(([other]) => other === name) && valuesOf(before, name) !== valuesOf(after, name)
  )
  return changed === undefined
    ? undefined
    : new InputError({ field: changed, problem: "is set by the protocol, and was changed by a hook. Leave it alone" })
}

const parsed = (body: Uint8Array): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body))
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Readonly<Record<string, unknown>>
      : undefined
  } catch {
    return undefined
  }
}
