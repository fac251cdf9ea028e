/**
 * An `HttpClient` that is already authorized: it puts the current session's token on every request to the origins that
 * it was made for, and on no other.
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import { type HttpClientError, RequestError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { isTokenRejected } from "./BearerChallenge.js"
import { headerConflict } from "./BearerToken.js"
import type { Intercept } from "./ComplianceHooks.js"
import * as Endpoint from "./Endpoint.js"
import { withoutRedirects } from "./FetchTransport.js"
import { details, forCaller, withResponse } from "./internal/callersResponse.js"
import {
  ConfigurationError,
  InputError,
  InsecureTransportError,
  type OAuth2Error,
  OriginNotAllowed,
  RedirectRefused
} from "./OAuth2Error.js"
import type { CurrentSession, CurrentSessionOf, OAuth2Session } from "./OAuth2Session.js"
import type { Registration } from "./Registration.js"
import type { Held } from "./SessionMemory.js"
import { member, type Token } from "./Token.js"
import { bearer, type TokenPlacement } from "./TokenPlacement.js"

/**
 * What an authorized request can fail with.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure = HttpClientError | OAuth2Error

/**
 * An authorized client that takes the session from the context of each request.
 *
 * @since 0.1.0
 * @category models
 */
export type Service<Id extends string> = HttpClient.HttpClient.With<Failure, CurrentSessionOf<Id>>

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The origins that may have the token, such as `https://api.example.com`. Default: those of the client's `resource`.
   */
  readonly origins?: ReadonlyArray<string> | undefined
  /**
   * An origin that the token itself names, in a member such as `instance_url`: it gets the token when it matches.
   */
  readonly originFromToken?: {
    readonly member: string
    /** Held against the origin, such as `https://eu1.example.com`. Write `^` and `$`. */
    readonly matches: RegExp
  } | undefined
  /**
   * Where requests carry the token. Default: `Authorization: Bearer`. With any other, a transport over `fetch` follows no
   * redirect, whatever it does by itself, and no span shows the headers that the placement sets.
   */
  readonly placement?: TokenPlacement | undefined
}

/**
 * Identifies the named client's authorized `HttpClient`.
 *
 * @since 0.1.0
 * @category models
 */
export interface OAuth2HttpClientOf<in out Id extends string> {
  readonly _: unique symbol
  readonly id: Id
}

/**
 * The tag of the named client's authorized `HttpClient`.
 *
 * @since 0.1.0
 * @category tags
 */
export const httpClientOf = <const Id extends string>(id: Id): Context.Tag<OAuth2HttpClientOf<Id>, Service<Id>> =>
  Context.GenericTag<OAuth2HttpClientOf<Id>, Service<Id>>(`@effect-oauth2/core/OAuth2HttpClient/${id}`)

/**
 * @since 0.1.0
 * @category models
 */
export type OAuth2HttpClient = OAuth2HttpClientOf<"default">

/**
 * The authorized client of a program with one provider.
 *
 * @since 0.1.0
 * @category tags
 */
export const OAuth2HttpClient: Context.Tag<OAuth2HttpClient, Service<"default">> = httpClientOf("default")

/**
 * What is other for the requests of one effect. See {@link withoutToken} and {@link withPlacement}.
 *
 * @since 0.1.0
 * @category context
 */
export class PerRequest extends Context.Reference<PerRequest>()("@effect-oauth2/core/OAuth2HttpClient/PerRequest", {
  defaultValue: (): PerRequestOptions => ({})
}) {}

/**
 * @since 0.1.0
 * @category models
 */
export interface PerRequestOptions {
  readonly isAnonymous?: boolean | undefined
  readonly placement?: TokenPlacement | undefined
}

/**
 * Sends the requests of this effect as they are, to any origin, without a token.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withoutToken: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> = Effect.provideService(
  PerRequest,
  { isAnonymous: true }
)

/**
 * Puts the token of this effect's requests into another place. See `TokenPlacement`, and {@link Options.placement} for
 * all requests.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPlacement = (
  placement: TokenPlacement
): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> =>
  Effect.provideService(PerRequest, { placement })

/**
 * The authorized client of one session: nothing is taken from the context any more.
 *
 * @since 0.1.0
 * @category combinators
 */
export const forSession = <Id extends string, E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  tag: Context.Tag<CurrentSessionOf<Id>, OAuth2Session>,
  session: OAuth2Session
): HttpClient.HttpClient.With<E, Exclude<R, CurrentSessionOf<Id>>> =>
  HttpClient.transformResponse(client, Effect.provideService(tag, session))

/**
 * The same client under the plain `HttpClient` type, for code that knows no other: what is not an `HttpClientError`
 * becomes a `RequestError` with reason `Encode`, which nobody retries. Its text says what happened.
 *
 * @since 0.1.0
 * @category combinators
 */
export const lossy = <R>(
  client: HttpClient.HttpClient.With<Failure, R>
): HttpClient.HttpClient.With<HttpClientError, R> =>
  HttpClient.makeWith(
    (preprocessed: Effect.Effect<HttpClientRequest.HttpClientRequest>) =>
      Effect.flatMap(preprocessed, (request) =>
        Effect.mapError(client.execute(request), (error) =>
          error._tag === "RequestError" || error._tag === "ResponseError"
            ? error
            : new RequestError({ request, reason: "Encode", description: `${error._tag}. ${error.message}` }))),
    Effect.succeed
  )

/**
 * Makes the authorized client of a registration over a transport, which must rewrite no URL and follow no redirect.
 *
 * A `fetch` that follows redirects all the same takes `Authorization` off where the origin changes. It would leave on a
 * token in any other place, and what a compliance hook has added: such requests are sent with `redirect: "manual"`, in
 * place of what `FetchHttpClient.RequestInit` says. The `requestInit` of `FetchTransport.layer` holds for all.
 *
 * A request that fails: `OriginNotAllowed`, `InsecureTransportError`, `InputError` (no absolute URL, or an
 * `Authorization` header of its own) before anything is sent; what `OAuth2Session.token` fails with;
 * `RedirectRefused`; and the transport's `HttpClientError`. After a 401 that refuses the token, the session is renewed
 * and the request sent once more, if its body can be sent again.
 *
 * Fails with `ConfigurationError`, field `origins` or `originFromToken`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <Id extends string>(
  transport: HttpClient.HttpClient,
  registration: Registration,
  tag: Context.Tag<CurrentSessionOf<Id>, OAuth2Session>,
  options: Options
): Either.Either<Service<Id>, ConfigurationError> =>
  Either.map(allowedOrigins(registration, options), (origins) => {
    const guard: Guard = {
      transport,
      origins,
      originFromToken: options.originFromToken,
      placement: options.placement ?? bearer,
      policy: registration.transportPolicy,
      hook: registration.intercept.protectedRequest
    }
    return HttpClient.makeWith(
      (preprocessed: Effect.Effect<HttpClientRequest.HttpClientRequest>) =>
        Effect.flatMap(preprocessed, (request) =>
          Effect.withFiberRuntime<HttpClientResponse, Failure, CurrentSessionOf<Id>>((fiber) =>
            send(guard, tag, request, fiber)
          )),
      Effect.succeed
    )
  })

// ---- one request

interface Guard {
  readonly transport: HttpClient.HttpClient
  readonly placement: TokenPlacement
  readonly hook: Intercept["protectedRequest"]
  readonly origins: ReadonlySet<string>
  readonly originFromToken: Options["originFromToken"]
  readonly policy: Endpoint.TransportPolicy
}

type Sending = Effect.Effect<HttpClientResponse, Failure>

const send = <Id extends string>(
  given: Guard,
  tag: Context.Tag<CurrentSessionOf<Id>, OAuth2Session>,
  request: HttpClientRequest.HttpClientRequest,
  fiber: Fiber.RuntimeFiber<HttpClientResponse, Failure>
): Effect.Effect<HttpClientResponse, Failure, CurrentSessionOf<Id>> => {
  const context = fiber.currentContext as Context.Context<CurrentSessionOf<Id>>
  const { isAnonymous, placement } = Context.get(context, PerRequest)
  if (isAnonymous === true) return given.transport.execute(request)
  if ("authorization" in request.headers) return headerConflict
  const guard = placement === undefined ? given : { ...given, placement }
  const session = Context.get(context, tag)
  const now = Context.get(fiber.currentDefaultServices, Clock.Clock).unsafeCurrentTimeMillis()
  const held = session.peek(now)
  const isListed = guard.origins.has(originOf(request.url))
  if (held !== undefined && isListed) return present(guard, session, request, held)
  const refusal = isListed ? undefined : refusalOf(guard, request.url, undefined)
  if (refusal !== undefined && (refusal._tag !== "OriginNotAllowed" || guard.originFromToken === undefined)) {
    return refusal
  }
  return Effect.flatMap(
    session.held,
    (held) => refusalOf(guard, request.url, held.token) ?? present(guard, session, request, held)
  )
}

/** Sends with the token, and gives response and error back with the caller's own request. */
const present = (
  guard: Guard,
  session: OAuth2Session,
  request: HttpClientRequest.HttpClientRequest,
  held: Held
): Sending =>
  Effect.matchEffect(execute(guard, request, held.token), {
    onFailure: (error) => Effect.fail(withRequest(error, request)),
    onSuccess: (response) =>
      response.status === 401
        ? again(guard, session, request, held, response)
        : accepted(response, request)
  })

const execute = (guard: Guard, request: HttpClientRequest.HttpClientRequest, token: Token): Sending =>
  guard.hook === undefined
    ? place(guard, request, token, request)
    : Effect.flatMap(guard.hook(request, token), (changed) =>
      "authorization" in changed.headers
        ? headerConflict
        : refusalOf(guard, changed.url, token) ?? place(guard, changed, token, request))

const place = (
  guard: Guard,
  request: HttpClientRequest.HttpClientRequest,
  token: Token,
  callers: HttpClientRequest.HttpClientRequest
): Sending => {
  const placed = guard.placement.place(request, token)
  if ("_tag" in placed && placed._tag === "InputError") return placed
  const toSend = placed as HttpClientRequest.HttpClientRequest
  return guard.placement === bearer && guard.hook === undefined
    ? guard.transport.execute(toSend)
    : executeHidden(guard, toSend, callers)
}

/**
 * For credentials that stand elsewhere than in `Authorization`, which alone spans hide and `fetch` takes off where it
 * follows a redirect to another origin (S04, S75).
 */
const executeHidden = (
  { placement, transport }: Guard,
  placed: HttpClientRequest.HttpClientRequest,
  { headers }: HttpClientRequest.HttpClientRequest
): Sending => {
  const added = Object.keys(placed.headers).filter((name) => placed.headers[name] !== headers[name])
  const traced = placement.isInUrl === true ? HttpClient.withTracerDisabledWhen(transport, () => true) : transport
  return Effect.locallyWith(
    withoutRedirects(traced, { credentials: "same-origin" }).execute(placed),
    Headers.currentRedactedNames,
    (names) => [...names, ...added]
  )
}

const accepted = (response: HttpClientResponse, request: HttpClientRequest.HttpClientRequest): Sending =>
  response.status === 0
    ? new RedirectRefused({ origin: originOf(request.url) })
    : Effect.succeed(forCaller(response, request))

/** After a 401: once more with another token, where there is one and the body can be sent again (S66). */
const again = (
  guard: Guard,
  session: OAuth2Session,
  request: HttpClientRequest.HttpClientRequest,
  held: Held,
  response: HttpClientResponse
): Sending => {
  const unauthorized = Effect.succeed(forCaller(response, request))
  if (!isTokenRejected(response.headers["www-authenticate"]) || !isReplayable(request.body)) return unauthorized
  return Effect.flatMap(session.rejected(held), (other) =>
    other === undefined
      ? unauthorized
      : Effect.zipRight(drained(response), replay(guard, request, other.token)))
}

const replay = (
  guard: Guard,
  request: HttpClientRequest.HttpClientRequest,
  token: Token
): Sending =>
  Effect.matchEffect(execute(guard, request, token), {
    onFailure: (error) => Effect.fail(withRequest(error, request)),
    onSuccess: (response) => accepted(response, request)
  })

/** A body that was read leaves its connection usable; one that is long, or slow, is not worth it. */
const drained = (response: HttpClientResponse): Effect.Effect<void> =>
  Stream.runFoldWhile(response.stream, 0, (size) => size < 65_536, (size, chunk) => size + chunk.length).pipe(
    Effect.timeout("1 second"),
    Effect.ignore
  )

const isReplayable = (body: HttpClientRequest.HttpClientRequest["body"]): boolean =>
  body._tag === "Empty" || body._tag === "Uint8Array" || body._tag === "FormData" ||
  (body._tag === "Raw" && (typeof body.body === "string" || body.body instanceof URLSearchParams ||
    body.body instanceof Blob || body.body instanceof ArrayBuffer || ArrayBuffer.isView(body.body)))

const withRequest = (error: Failure, request: HttpClientRequest.HttpClientRequest): Failure =>
  error._tag === "RequestError"
    ? new RequestError({ request, reason: error.reason, ...details(error) })
    : error._tag === "ResponseError"
    ? withResponse(error, forCaller(error.response, request))
    : error

// ---- origins

/** The origin of a URL that is written plainly; otherwise something that is in no list. */
const originOf = (url: string): string => {
  const end = url.indexOf("/", 8)
  return end < 0 ? url : url.slice(0, end)
}

/** Why the URL gets no token, or not this one: `undefined` when its origin is listed, however it is written. */
const refusalOf = (guard: Guard, text: string, token: Token | undefined): OAuth2Error | undefined => {
  if (!URL.canParse(text)) {
    return new InputError({ field: "url", problem: "is not an absolute URL. Prepend the API's origin" })
  }
  const url = new URL(text)
  if (!Endpoint.isSecure(url, guard.policy)) return new InsecureTransportError({ origin: shown(url) })
  const isKnown = guard.origins.has(url.origin) || (token !== undefined && isOriginOfToken(guard, url, token))
  return isKnown && url.username === "" && url.password === ""
    ? undefined
    : new OriginNotAllowed({ origin: shown(url), allowed: [...guard.origins] })
}

const shown = (url: URL): string => url.origin === "null" ? url.protocol : url.origin

const isOriginOfToken = ({ originFromToken }: Guard, url: URL, token: Token): boolean => {
  const claimed = originFromToken === undefined ? undefined : member(token, originFromToken.member)
  return originFromToken !== undefined && typeof claimed === "string" && URL.canParse(claimed) &&
    new URL(claimed).origin === url.origin && originFromToken.matches.test(url.origin)
}

const allowedOrigins = (
  registration: Registration,
  options: Options
): Either.Either<ReadonlySet<string>, ConfigurationError> => {
  const listed = options.origins ?? registration.resource.map((resource) => new URL(resource).origin)
  if (listed.length === 0 && options.originFromToken === undefined) {
    return invalid("origins", "is empty. List the origins of the API, as https://api.example.com")
  }
  if (options.originFromToken?.matches.global === true || options.originFromToken?.matches.sticky === true) {
    return invalid("originFromToken.matches", "has the flag g or y, which makes a test depend on the one before")
  }
  const origins = new Set<string>()
  for (const text of listed) {
    if (text.includes("*")) return invalid("origins", "has a wildcard. List each origin, or use originFromToken")
    const url = Endpoint.make("origins", text, registration.transportPolicy)
    if (Either.isLeft(url)) return Either.left(url.left)
    if (url.right.pathname !== "/" || url.right.search !== "") {
      return invalid("origins", `has more than an origin. Write ${url.right.origin}`)
    }
    origins.add(url.right.origin)
  }
  return Either.right(origins)
}

const invalid = (field: string, problem: string) => Either.left(new ConfigurationError({ field, problem }))

/**
 * Publishes an authorized client as the plain `HttpClient`, in its {@link lossy} form.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerPlain = <Id extends string>(
  tag: Context.Tag<OAuth2HttpClientOf<Id>, Service<Id>>,
  sessionTag: Context.Tag<CurrentSessionOf<Id>, OAuth2Session>
): Layer.Layer<HttpClient.HttpClient, never, OAuth2HttpClientOf<Id> | CurrentSessionOf<Id>> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.zipWith(tag, sessionTag, (client, session) => lossy(forSession(client, sessionTag, session)))
  )

export type { CurrentSession }
