/**
 * AES-256-GCM by WebCrypto.
 *
 * @since 0.1.0
 */
export * as AesGcm from "./AesGcm.js"

/**
 * The authorization request of the code flow (RFC 6749 §4.1.1) with PKCE (RFC 7636 §4.3).
 *
 * @since 0.1.0
 */
export * as AuthorizationRequest from "./AuthorizationRequest.js"

/**
 * The authorization response: what the redirect back brings (RFC 6749 §4.1.2, RFC 9207).
 *
 * @since 0.1.0
 */
export * as AuthorizationResponse from "./AuthorizationResponse.js"

/**
 * Challenges: what a resource says in `WWW-Authenticate` (RFC 9110 §11.6.1, RFC 6750 §3).
 *
 * @since 0.1.0
 */
export * as BearerChallenge from "./BearerChallenge.js"

/**
 * A given token on a request, without a session (RFC 6750 §2.1).
 *
 * @since 0.1.0
 */
export * as BearerToken from "./BearerToken.js"

/**
 * Client authentication: how the client proves itself, the same way at every endpoint (RFC 6749 §2.3).
 *
 * @since 0.1.0
 */
export * as ClientAuthentication from "./ClientAuthentication.js"

/**
 * Compliance hooks: ordered, typed transforms of what goes to an authorization server and what comes back, for servers
 * that differ from the standards. What a hook rewrites is checked again; what it breaks loses no token.
 *
 * @since 0.1.0
 */
export * as ComplianceHooks from "./ComplianceHooks.js"

/**
 * Where sessions and sign-ins are kept, as one layer for the whole program.
 *
 * @since 0.1.0
 */
export * as Custody from "./Custody.js"

/**
 * Encryption at rest, over any store: AES-256-GCM by WebCrypto. What remains readable is what a store needs to work:
 * generation, state, and when the session was last renewed.
 *
 * The key that a record is kept under is authenticated with it, so a record that was moved or swapped does not open.
 * Whoever can write to the store can still put back an older record of the same session, or take one away.
 *
 * @since 0.1.0
 */
export * as EncryptedStore from "./EncryptedStore.js"

/**
 * A URL that passed the transport policy: https, or http on the loopback interface where an option allows it
 * (RFC 6749 §3.1 and §3.2, RFC 9700 §2.6).
 *
 * @since 0.1.0
 */
export * as Endpoint from "./Endpoint.js"

/**
 * A request to an endpoint of the authorization server, as it is before it is sent: parameters and headers, and how the
 * parameters travel.
 *
 * @since 0.1.0
 */
export * as EndpointRequest from "./EndpointRequest.js"

/**
 * `HttpClient` over `fetch`, as a transport should be: it follows no redirect and sends no cookies of its own.
 *
 * @since 0.1.0
 */
export * as FetchTransport from "./FetchTransport.js"

/**
 * Work that belongs to a layer and to no caller: it goes on when the caller is interrupted, and the layer's end waits
 * for it.
 *
 * A scope's own fibers would be interrupted by its end, and with them a request whose answer is a rotated token.
 *
 * @since 0.1.0
 */
export * as Flights from "./Flights.js"

/**
 * A grant: what a token request is made of (RFC 6749 §4 and §6).
 *
 * @since 0.1.0
 */
export * as Grant from "./Grant.js"

/**
 * One POST to an endpoint of the authorization server, under guard: no redirect followed, a body held to a size, a
 * deadline over the whole, no tracing header sent, and nothing of request or response left in an error.
 *
 * @since 0.1.0
 */
export * as GuardedHttp from "./GuardedHttp.js"

/**
 * How sessions are kept in a store that belongs to this process alone: one renewal at a time, and every write succeeds.
 *
 * @since 0.1.0
 */
export * as LocalKeeper from "./LocalKeeper.js"

/**
 * The registered client: it begins and completes sign-ins, exchanges grants, and hands out sessions.
 *
 * @since 0.1.0
 */
export * as OAuth2Client from "./OAuth2Client.js"

/**
 * Randomness and digests: WebCrypto, behind a service, so that a test can put its own in place.
 *
 * @since 0.1.0
 */
export * as OAuth2Crypto from "./OAuth2Crypto.js"

/**
 * Everything that can go wrong, as one closed union of tagged errors.
 *
 * What an authorization server said (`ErrorResponse`) is kept apart from what went wrong on the way to it
 * (`TransportError`), from an answer that could not be believed (`InvalidResponse`), and from what this program did
 * (`ConfigurationError`, `InputError`, …). Every error names its `remedy`. None holds a body, a header, a token or
 * anything else that was secret.
 *
 * @since 0.1.0
 */
export * as OAuth2Error from "./OAuth2Error.js"

/**
 * An `HttpClient` that is already authorized: it puts the current session's token on every request to the origins that
 * it was made for, and on no other.
 *
 * @since 0.1.0
 */
export * as OAuth2HttpClient from "./OAuth2HttpClient.js"

/**
 * One authorized session, by the application's own key.
 *
 * @since 0.1.0
 */
export * as OAuth2Session from "./OAuth2Session.js"

/**
 * Form parameters: an ordered, multi-valued list of names and values (RFC 6749 appendix B, RFC 8707 §2).
 *
 * @since 0.1.0
 */
export * as Parameters from "./Parameters.js"

/**
 * An authorization under way: what the callback has to be held against, as a plain value that may cross processes.
 *
 * @since 0.1.0
 */
export * as PendingAuthorization from "./PendingAuthorization.js"

/**
 * Sign-ins under way, by state: each is taken once, and only while it lasts.
 *
 * @since 0.1.0
 */
export * as PendingAuthorizations from "./PendingAuthorizations.js"

/**
 * Proof Key for Code Exchange, method S256 (RFC 7636).
 *
 * @since 0.1.0
 */
export * as Pkce from "./Pkce.js"

/**
 * Profiles of providers, one constant each: a page bundles those that it names. Facebook, Weibo, Douban, Slack and
 * Instagram, which need what the standards advise against, are in `LegacyProfiles`.
 *
 * @since 0.1.0
 */
export * as Profiles from "./Profiles.js"

/**
 * A provider's quirks as data, and the one function that turns them into compliance hooks.
 *
 * A rule that changed something is named in the attribute `oauth2.leniencies` of the request's span, never with a value.
 * No rule hides an `error`: a reply that holds one has failed, whatever else a profile says.
 *
 * @since 0.1.0
 */
export * as ProviderProfile from "./ProviderProfile.js"

/**
 * A session that is used and never renewed, for where a refresh has no place: a page that is rendered on a server, a
 * function that may be stopped at any time.
 *
 * @since 0.1.0
 */
export * as ReadOnlySession from "./ReadOnlySession.js"

/**
 * How records get into the store: again and again until they are there, and held in memory while they are not.
 *
 * @since 0.1.0
 */
export * as RecordWriter from "./RecordWriter.js"

/**
 * A lock beside the store: who waits for a sibling's renewal sleeps on it, instead of asking the store again and again.
 *
 * It decides nothing. What prevents two redemptions is the store's redeeming record, and a renewal goes on without the
 * lease when it cannot be had. Where the platform has no lock that ends with its holder, there is none.
 *
 * @since 0.1.0
 */
export * as RefreshLease from "./RefreshLease.js"

/**
 * When a session is renewed, how often that is tried, and what each kind of failure means.
 *
 * @since 0.1.0
 */
export * as RefreshPolicy from "./RefreshPolicy.js"

/**
 * The client as it is registered at the server: every setting checked once, when the layer is built.
 *
 * @since 0.1.0
 */
export * as Registration from "./Registration.js"

/**
 * One renewal of one session: read, begin, ask, commit. Whatever the server issued is written before anything else is
 * done with it.
 *
 * @since 0.1.0
 */
export * as Renewal from "./Renewal.js"

/**
 * The revocation endpoint (RFC 7009).
 *
 * @since 0.1.0
 */
export * as RevocationEndpoint from "./RevocationEndpoint.js"

/**
 * Scope: a set of case-sensitive words, order and repetition without meaning (RFC 6749 §3.3).
 *
 * @since 0.1.0
 */
export * as Scope from "./Scope.js"

/**
 * What a grant of other scopes than those asked for means (RFC 6749 §3.3). Without a policy nothing: the token tells
 * what was granted. The token is kept in any case.
 *
 * @since 0.1.0
 */
export * as ScopePolicy from "./ScopePolicy.js"

/**
 * What happened to sessions, for those who watch: nothing depends on an event being seen.
 *
 * @since 0.1.0
 */
export * as SessionEvent from "./SessionEvent.js"

/**
 * The sessions of one client as they are held in memory, and the rules of what may be served when.
 *
 * @since 0.1.0
 */
export * as SessionMemory from "./SessionMemory.js"

/**
 * What a store keeps of one session: its token, a generation that only grows, and whether somebody is redeeming.
 *
 * @since 0.1.0
 */
export * as SessionRecord from "./SessionRecord.js"

/**
 * How sessions are kept in a store that may fail, that outlives the process, or that others see: writes are tried until
 * they are there, one of those who share the store redeems, and the others take over what came of it.
 *
 * Such a store names {@link make} as its `keeper`.
 *
 * @since 0.1.0
 */
export * as SharedKeeper from "./SharedKeeper.js"

/**
 * The other processes that share a store: how long to wait for what they do, and how to hear of it.
 *
 * @since 0.1.0
 */
export * as Siblings from "./Siblings.js"

/**
 * The keys that the sessions of one client have in a store: no two clients, and no two sessions, have the same.
 *
 * @since 0.1.0
 */
export * as StoreKey from "./StoreKey.js"

/**
 * What can be watched: the names of the spans and the metrics. None carries a secret, a session key or a query.
 *
 * @since 0.1.0
 */
export * as Telemetry from "./Telemetry.js"

/**
 * A token as it is held: a plain, immutable value whose secrets are `Redacted` and whose expiry is an instant.
 *
 * @since 0.1.0
 */
export * as Token from "./Token.js"

/**
 * The token endpoint (RFC 6749 §3.2): one request, made of client configuration and the grant, and its judged reply.
 *
 * @since 0.1.0
 */
export * as TokenEndpoint from "./TokenEndpoint.js"

/**
 * The sessions of one client: who asks for a token gets one, and one renewal serves them all.
 *
 * A renewal belongs to the manager: interrupting a caller ends its waiting, and nothing else.
 *
 * @since 0.1.0
 */
export * as TokenManager from "./TokenManager.js"

/**
 * Where a request carries its token. The standards' place is `Authorization: Bearer` (RFC 6750 §2.1); this is for APIs
 * that want another header. Places that put the token into a URL or a body are in `LegacyTokenPlacement`.
 *
 * @since 0.1.0
 */
export * as TokenPlacement from "./TokenPlacement.js"

/**
 * The token response (RFC 6749 §5): strict about success, tolerant about errors.
 *
 * @since 0.1.0
 */
export * as TokenResponse from "./TokenResponse.js"

/**
 * Where session records are kept: by key, each with a generation, each change a compare-and-set.
 *
 * @since 0.1.0
 */
export * as TokenStore from "./TokenStore.js"

/**
 * Care for sessions that nobody is using just now: before their tokens expire, and before their refresh tokens die of
 * disuse.
 *
 * @since 0.1.0
 */
export * as Upkeep from "./Upkeep.js"
