/**
 * The registered client: it begins and completes sign-ins, exchanges grants, and hands out sessions.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { encodeBase64Url as encode } from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as AuthorizationRequest from "./AuthorizationRequest.js"
import * as AuthorizationResponse from "./AuthorizationResponse.js"
import * as BearerToken from "./BearerToken.js"
import * as Grant from "./Grant.js"
import * as constantTime from "./internal/constantTime.js"
import { OAuth2Crypto } from "./OAuth2Crypto.js"
import { type AttemptError, AuthorizationResponseError, ConfigurationError, type OAuth2Error } from "./OAuth2Error.js"
import * as OAuth2HttpClient from "./OAuth2HttpClient.js"
import { CurrentSession, type CurrentSessionOf, currentSessionOf, OAuth2Session } from "./OAuth2Session.js"
import * as Parameters from "./Parameters.js"
import type { PendingAuthorization } from "./PendingAuthorization.js"
import { PendingAuthorizations } from "./PendingAuthorizations.js"
import * as Pkce from "./Pkce.js"
import * as RefreshPolicy from "./RefreshPolicy.js"
import * as Registration from "./Registration.js"
import * as RevocationEndpoint from "./RevocationEndpoint.js"
import * as Scope_ from "./Scope.js"
import type { ScopePolicy } from "./ScopePolicy.js"
import type { SessionEvent } from "./SessionEvent.js"
import * as Telemetry from "./Telemetry.js"
import type { Token } from "./Token.js"
import * as TokenEndpoint from "./TokenEndpoint.js"
import * as TokenManager from "./TokenManager.js"
import { TokenStore } from "./TokenStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options<R = never> extends Registration.Options {
  /**
   * A grant that can be run again, such as `Grant.clientCredentials`: a session without a token, or without a refresh
   * token, is made from it. An effect is run anew each time.
   */
  readonly grant?: Grant.Grant | Effect.Effect<Grant.Grant, AttemptError, R> | undefined
  /** When and how sessions are renewed. */
  readonly refreshPolicy?: RefreshPolicy.Options | undefined
  /** How long a sign-in may take. Default and most: 10 minutes. */
  readonly signInTimeout?: Duration.DurationInput | undefined
  /** Default: S256, which every server should take. For those that do not, see `LegacyPkce`. */
  readonly pkce?: Pkce.Pkce | undefined
  /** What a grant of other scopes than those asked for means. Default: nothing, the token tells. See `ScopePolicy`. */
  readonly scopePolicy?: ScopePolicy | undefined
  /**
   * Runs after every change of a session's token, once the change is in the store: sign-in, renewal, restore. Requests
   * that wait for this token wait for it as well. What it dies of is an event, `ObserverFailed`.
   */
  readonly onToken?: ((sessionKey: string, token: Token) => Effect.Effect<void>) | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface BeginOptions {
  /** The session to authorize, by the application's own key. Default: a random one, to be found in `pending`. */
  readonly sessionKey?: string | undefined
  /** Instead of the client's. */
  readonly redirectUri?: string | undefined
  /** Instead of the client's. */
  readonly scope?: Scope_.ScopeInput | undefined
  /** Beside the client's, such as `prompt` or `login_hint`; one of the same name takes its place. */
  readonly parameters?: Parameters.ParametersInput | undefined
}

/**
 * A sign-in under way.
 *
 * @since 0.1.0
 * @category models
 */
export interface Begun {
  /** Where to send the user agent. */
  readonly url: URL
  /** What the callback is held against: a plain value, see the schema `PendingAuthorization`. */
  readonly pending: PendingAuthorization
}

/**
 * A callback, and what ties it to the user agent that began: the pending authorization that this user agent carried, or
 * the session key that its own cookie names. Without one of them anybody's callback could sign anybody in.
 *
 * @since 0.1.0
 * @category models
 */
export type CompleteOptions =
  & {
    /** The callback's URL, its path and query, or its query. */
    readonly callback: string | URL
  }
  & ({ readonly pending: PendingAuthorization } | { readonly sessionKey: string })

/**
 * @since 0.1.0
 * @category models
 */
export interface OAuth2ClientService {
  readonly registration: Registration.Registration
  /** The custody of this client's sessions, for modules that look after many of them, such as `Upkeep`. */
  readonly manager: TokenManager.TokenManager
  /**
   * Begins a sign-in with state and PKCE (RFC 6749 §4.1.1, RFC 7636).
   *
   * Fails with `ConfigurationError` when the client has no `authorizationEndpoint` or no `redirectUri`, `InputError`
   * when an extra parameter is reserved, `StoreError`.
   */
  readonly begin: (options?: BeginOptions) => Effect.Effect<Begun, OAuth2Error>
  /**
   * Completes a sign-in: judges the callback, exchanges its code, and keeps the session under its key. It may run in
   * another process than `begin`. Interrupting it does not lose what the server issues.
   *
   * Fails with `AuthorizationResponseError` when the callback is refused, `ErrorResponse` when the server said no, and
   * as a token request does.
   */
  readonly complete: (options: CompleteOptions) => Effect.Effect<OAuth2Session, OAuth2Error>
  /** Exchanges any grant and keeps the session under the key. Fails as a token request does. */
  readonly authorize: (
    grant: Grant.Grant,
    options?: { readonly sessionKey?: string | undefined }
  ) => Effect.Effect<OAuth2Session, OAuth2Error>
  /**
   * Keeps a token that was obtained elsewhere. Fails with `UnsupportedTokenType` or `InputError` when it cannot be
   * presented, with `StoreError` when it cannot be kept.
   */
  readonly restore: (
    token: Token,
    options?: {
      readonly sessionKey?: string | undefined
      /** What was asked for, to be judged by the client's `scopePolicy`. */
      readonly requestedScope?: Scope_.Scope | undefined
    }
  ) => Effect.Effect<OAuth2Session, OAuth2Error>
  /** Exchanges a grant without keeping a session. Fails as a token request does. */
  readonly requestToken: (grant: Grant.Grant) => Effect.Effect<Token, OAuth2Error>
  /** Revokes a token that is no session's (RFC 7009). Fails with `ConfigurationError` without `revocationEndpoint`. */
  readonly revoke: (
    token: Redacted.Redacted<string>,
    hint?: RevocationEndpoint.TokenTypeHint
  ) => Effect.Effect<void, OAuth2Error>
  /** The session under the key, `"default"` if none is named. Nothing is read until it is used. */
  readonly session: (sessionKey?: string) => OAuth2Session
  /**
   * Moves a session to another key, as when the user becomes known. `false`: there was none. While another process
   * renews the session this waits, at most for that one's `hold`. Fails with `StoreError`.
   */
  readonly rename: (from: string, to: string) => Effect.Effect<boolean, OAuth2Error>
  /** What happens to sessions, from the subscription on. A subscriber that is slow misses the oldest. */
  readonly events: Stream.Stream<SessionEvent>
}

/**
 * What a client's layers need: where sessions and sign-ins are kept, and a transport to the authorization server.
 *
 * @since 0.1.0
 * @category models
 */
export type Requirements = TokenStore | PendingAuthorizations | HttpClient.HttpClient

/**
 * Options of which any may be a `Config`.
 *
 * @since 0.1.0
 * @category models
 */
export type ConfigOptions<R> = {
  readonly [K in keyof Options<R>]: Options<R>[K] | Config.Config<NonNullable<Options<R>[K]>>
}

/**
 * A client's tag, with the tags of its session and http client, and the layers of all three.
 *
 * @since 0.1.0
 * @category models
 */
export type OAuth2ClientTag<Self, Id extends string> =
  & Context.TagClass<Self, `@effect-oauth2/core/OAuth2Client/${Id}`, OAuth2ClientService>
  & OAuth2ClientLayers<Self, Id>

/**
 * What stands beside a client's tag.
 *
 * @since 0.1.0
 * @category models
 */
export interface OAuth2ClientLayers<Self, Id extends string> {
  /** The session that requests are made with. */
  readonly CurrentSession: Context.Tag<CurrentSessionOf<Id>, OAuth2Session>
  /** The authorized `HttpClient`. */
  readonly HttpClient: Context.Tag<OAuth2HttpClient.OAuth2HttpClientOf<Id>, OAuth2HttpClient.Service<Id>>
  /** The client. Fails with `ConfigurationError`, naming the field, before a socket opens. */
  readonly layer: <R = never>(options: Options<R>) => Layer.Layer<Self, ConfigurationError, Requirements | R>
  /** One session for the whole program, by its key, `"default"` if none is named. */
  readonly layerSession: (sessionKey?: string) => Layer.Layer<CurrentSessionOf<Id>, never, Self>
  /** The authorized `HttpClient`. Name this layer once. Fails with `ConfigurationError`, field `origins`. */
  readonly layerHttpClient: (
    options?: OAuth2HttpClient.Options
  ) => Layer.Layer<OAuth2HttpClient.OAuth2HttpClientOf<Id>, ConfigurationError, Self | HttpClient.HttpClient>
}

/**
 * A client tag of its own for each provider: under one shared tag, the last layer would win in silence.
 *
 * @example
 * import { OAuth2Client } from "@effect-oauth2/core"
 *
 * export class Google extends OAuth2Client.Tag<Google>()("google") {}
 * export class GitHub extends OAuth2Client.Tag<GitHub>()("github") {}
 *
 * @since 0.1.0
 * @category tags
 */
export const Tag = <Self>() => <const Id extends string>(id: Id): OAuth2ClientTag<Self, Id> => {
  const client = Context.Tag(`@effect-oauth2/core/OAuth2Client/${id}` as const)<Self, OAuth2ClientService>()
  const CurrentSession = currentSessionOf(id)
  const AuthorizedHttpClient = OAuth2HttpClient.httpClientOf(id)
  const layers: OAuth2ClientLayers<Self, Id> = {
    CurrentSession,
    HttpClient: AuthorizedHttpClient,
    layer: (options) => Layer.scoped(client, make(options)),
    layerSession: (sessionKey) =>
      Layer.effect(CurrentSession, Effect.map(client, ({ session }) => session(sessionKey))),
    layerHttpClient: (options = {}) =>
      Layer.effect(
        AuthorizedHttpClient,
        Effect.flatMap(
          Effect.all([client, HttpClient.HttpClient]),
          ([{ registration }, transport]) => OAuth2HttpClient.make(transport, registration, CurrentSession, options)
        )
      )
  }
  return Object.assign(client, layers)
}

/**
 * The client of a program with one provider.
 *
 * @since 0.1.0
 * @category tags
 */
export class OAuth2Client extends Tag<OAuth2Client>()("default") {}

/**
 * The client, for a program with one provider. See {@link OAuth2ClientLayers.layer}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = OAuth2Client.layer

/**
 * A client of its own tag, with any of its options out of `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfigOf = <Self, Id extends string, R = never>(
  tag: OAuth2ClientTag<Self, Id>,
  options: ConfigOptions<R>
): Layer.Layer<Self, ConfigurationError | ConfigError, Requirements | R> =>
  Layer.unwrapEffect(Effect.map(resolve(options), (options) => tag.layer(options)))

/**
 * The client, for a program with one provider, with any of its options out of `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = <R = never>(
  options: ConfigOptions<R>
): Layer.Layer<OAuth2Client, ConfigurationError | ConfigError, Requirements | R> => layerConfigOf(OAuth2Client, options)

/**
 * One session for the whole program. See {@link OAuth2ClientLayers.layerSession}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSession = OAuth2Client.layerSession

/**
 * The authorized `HttpClient`. See {@link OAuth2ClientLayers.layerHttpClient}.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClient = OAuth2Client.layerHttpClient

/**
 * The current session's authorized client as the plain `HttpClient`. See `OAuth2HttpClient.lossy`, and
 * `OAuth2HttpClient.layerPlain` for a client with a tag of its own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerPlainHttpClient: Layer.Layer<
  HttpClient.HttpClient,
  never,
  OAuth2HttpClient.OAuth2HttpClient | CurrentSession
> = OAuth2HttpClient.layerPlain(OAuth2HttpClient.OAuth2HttpClient, CurrentSession)

/**
 * The authorized client of one session. See `OAuth2HttpClient.forSession` for a client with a tag of its own.
 *
 * @since 0.1.0
 * @category combinators
 */
export const httpClientFor = (
  session: OAuth2Session
): Effect.Effect<HttpClient.HttpClient.With<OAuth2HttpClient.Failure>, never, OAuth2HttpClient.OAuth2HttpClient> =>
  Effect.map(
    OAuth2HttpClient.OAuth2HttpClient,
    (client) => OAuth2HttpClient.forSession(client, CurrentSession, session)
  )

/**
 * Makes a client. See {@link Options}. Fails with `ConfigurationError`, naming the field.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <R = never>(
  options: Options<R>
): Effect.Effect<OAuth2ClientService, ConfigurationError, Requirements | Scope.Scope | R> =>
  Effect.gen(function*() {
    const registration = yield* Registration.make(options)
    const policy = yield* RefreshPolicy.make(
      options.refreshPolicy ?? {},
      Duration.toMillis(registration.limits.requestDeadline)
    )
    const signInTimeout = yield* signInMillis(options.signInTimeout)
    const { onToken, pkce = Pkce.s256, scopePolicy } = options
    if (typeof pkce.codeChallenge !== "function") {
      return yield* new ConfigurationError({ field: "pkce", problem: "is no Pkce. Leave it out, or use LegacyPkce" })
    }
    const hasPkce = pkce.codeChallengeMethod !== undefined
    const store = yield* TokenStore
    const pendingAuthorizations = yield* PendingAuthorizations
    const crypto = yield* OAuth2Crypto
    const renewableGrant = yield* renewable(options.grant)
    const manager = yield* TokenManager.make({ registration, store, policy, renewableGrant, onToken })
    const session = (sessionKey = "default") => new OAuth2Session(sessionKey, manager)

    const begin = (options: BeginOptions = {}): Effect.Effect<Begun, OAuth2Error> =>
      Effect.gen(function*() {
        const { authorizationEndpoint, clientId, resource } = registration
        if (authorizationEndpoint === undefined) return yield* missing("authorizationEndpoint")
        const redirectUri = options.redirectUri === undefined
          ? registration.redirectUri
          : yield* Registration.redirectUri(options.redirectUri)
        if (redirectUri === undefined) return yield* missing("redirectUri")
        const scope = options.scope === undefined ? registration.scope : Scope_.make(options.scope)
        const random = yield* crypto.randomBytes(96)
        const codeVerifier = Pkce.codeVerifier(random.subarray(0, 32))
        const state = encode(random.subarray(32, 64))
        const request = yield* AuthorizationRequest.toUrl({
          clientId,
          redirectUri,
          state,
          codeChallenge: hasPkce ? yield* pkce.codeChallenge(codeVerifier, crypto.sha256) : undefined,
          codeChallengeMethod: pkce.codeChallengeMethod,
          scope,
          resource,
          parameters: Parameters.withDefaults(
            Parameters.make(options.parameters ?? {}),
            registration.authorizationParameters
          )
        }, authorizationEndpoint)
        const url = yield* registration.intercept.authorizationRequest(request)
        const pending: PendingAuthorization = {
          version: 1,
          sessionKey: options.sessionKey ?? encode(random.subarray(64, 96)),
          state,
          codeVerifier: Redacted.make(codeVerifier),
          clientId,
          server: Registration.server(registration),
          redirectUri,
          scope,
          resource,
          expiresAt: (yield* Clock.currentTimeMillis) + signInTimeout
        }
        yield* pendingAuthorizations.put(pending)
        return { url, pending }
      })

    const complete = (options: CompleteOptions): Effect.Effect<OAuth2Session, OAuth2Error> =>
      Effect.gen(function*() {
        const callback = yield* AuthorizationResponse.parseCallback(options.callback)
        const pending = "pending" in options
          ? options.pending
          : yield* pendingFor(callback.query.get("state"), options.sessionKey)
        if (pending.clientId !== registration.clientId || pending.server !== Registration.server(registration)) {
          return yield* new AuthorizationResponseError({ reason: "ClientMismatch" })
        }
        const { issuer, requireIssuer } = registration
        const response = yield* Effect.tapErrorTag(
          AuthorizationResponse.decode(callback, { pending, issuer, requireIssuer }),
          "ErrorResponse",
          () => pendingAuthorizations.consume(pending)
        )
        yield* pendingAuthorizations.consume(pending)
        const { code } = response
        const codeVerifier = hasPkce ? pending.codeVerifier : undefined
        return yield* authorize(Grant.authorizationCode({ ...pending, code, codeVerifier }), pending)
      }).pipe(Telemetry.step("oauth2.callback"))

    /** What is pending under the state, if the same session began it. */
    const pendingFor = (state: string | null, sessionKey: string) =>
      Effect.gen(function*() {
        if (!state) return yield* new AuthorizationResponseError({ reason: "MissingState" })
        const pending = yield* pendingAuthorizations.get(state)
        if (pending === undefined) {
          const isConsumed = yield* pendingAuthorizations.isConsumed(state)
          return yield* new AuthorizationResponseError({
            reason: isConsumed ? "TransactionConsumed" : "TransactionUnknown"
          })
        }
        return constantTime.equals(pending.sessionKey, sessionKey)
          ? pending
          : yield* new AuthorizationResponseError({ reason: "SessionMismatch" })
      })

    const authorize = (
      grant: Grant.Grant,
      { sessionKey = "default" }: { sessionKey?: string | undefined } = {}
    ): Effect.Effect<OAuth2Session, OAuth2Error> =>
      Effect.flatMap(
        manager.authorize(sessionKey, grant),
        ({ token }) => judged(sessionKey, token, Grant.withDefaults(grant, registration).scope)
      )

    /** The session, unless the policy refuses the scope that was granted. */
    const judged = (
      sessionKey: string,
      token: Token,
      requested: Scope_.Scope | undefined
    ): Effect.Effect<OAuth2Session, OAuth2Error> => {
      const { publish } = manager
      return scopePolicy === undefined || requested === undefined || token.scope === undefined
        ? Effect.succeed(session(sessionKey))
        : Effect.as(scopePolicy({ sessionKey, requested, granted: token.scope, token, publish }), session(sessionKey))
    }

    return {
      registration,
      manager,
      begin,
      complete,
      authorize,
      restore: (token, { requestedScope, sessionKey = "default" } = {}) =>
        BearerToken.faultOf(token, ["accessToken", "refreshToken"]) ??
          Effect.zipRight(manager.restore(sessionKey, { ...token }), judged(sessionKey, token, requestedScope)),
      requestToken: (grant) => TokenEndpoint.requestToken(registration, grant),
      revoke: (token, hint) => RevocationEndpoint.revoke(registration, token, hint),
      session,
      rename: manager.rename,
      events: manager.events
    }
  })

const missing = (field: string) =>
  new ConfigurationError({ field, problem: "is missing. It is needed to sign users in" })

const signInMillis = (input: Duration.DurationInput | undefined): Effect.Effect<number, ConfigurationError> => {
  const most = 600_000
  const millis = input === undefined ? most : Duration.toMillis(input)
  return millis > 0 && millis <= most
    ? Effect.succeed(millis)
    : new ConfigurationError({ field: "signInTimeout", problem: "is not between 0 and 10 minutes" })
}

const renewable = <R>(
  grant: Options<R>["grant"]
): Effect.Effect<Effect.Effect<Grant.Grant, AttemptError> | undefined, ConfigurationError, R> => {
  if (grant === undefined) return Effect.succeed(undefined)
  if (Effect.isEffect(grant)) return Effect.map(Effect.context<R>(), (context) => Effect.provide(grant, context))
  return grant.renewable
    ? Effect.succeed(Effect.succeed(grant))
    : new ConfigurationError({ field: "grant", problem: "cannot be run again. Exchange it with authorize instead" })
}

/** The options, with each `Config` among them read. */
const resolve = <R>(options: ConfigOptions<R>): Effect.Effect<Options<R>, ConfigError> =>
  Effect.map(
    Effect.all(
      Object.entries(options).map(([name, value]) =>
        Config.isConfig(value)
          ? Effect.map(value as Config.Config<unknown>, (value) => [name, value] as const)
          : Effect.succeed([name, value] as const)
      )
    ),
    // The same names, each with what its Config gave: `entries` has lost which type belongs to which name
    (entries) => Object.fromEntries(entries) as unknown as Options<R>
  )
