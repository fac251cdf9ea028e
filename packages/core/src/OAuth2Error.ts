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
import * as Schema from "effect/Schema"
import { Token } from "./Token.js"

/**
 * Who can help: `retry` a later attempt, `user` a new authorization, `operator` whoever configures client or server,
 * `program` whoever wrote the call.
 *
 * @since 0.1.0
 * @category models
 */
export type Remedy = "retry" | "user" | "operator" | "program"

/**
 * The endpoints that this library calls, by the standards' names.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EndpointName = Schema.Literal("authorization", "token", "revocation")

/**
 * @since 0.1.0
 * @category models
 */
export type EndpointName = typeof EndpointName.Type

/**
 * A client, policy or http client was described in a way that cannot work. Fails the layer, before a socket opens.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConfigurationError extends Schema.TaggedError<ConfigurationError>()("ConfigurationError", {
  /** The option at fault, by its name. */
  field: Schema.String,
  /** What is wrong with it and what to write instead. */
  problem: Schema.String
}) {
  readonly remedy: Remedy = "operator"
  readonly ambiguous: boolean = false

  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

/**
 * An argument of a call, or something that is about to be sent, cannot be used. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InputError extends Schema.TaggedError<InputError>()("InputError", {
  /** The argument, parameter or header at fault, by its name. */
  field: Schema.String,
  /** What is wrong with it and what to write instead. */
  problem: Schema.String
}) {
  readonly remedy: Remedy = "program"
  readonly ambiguous: boolean = false

  override get message(): string {
    return `${this.field}: ${this.problem}`
  }
}

/**
 * A credential was about to travel over a connection that others can read (RFC 6749 §1.6, RFC 9700 §2.6).
 *
 * @since 0.1.0
 * @category errors
 */
export class InsecureTransportError extends Schema.TaggedError<InsecureTransportError>()("InsecureTransportError", {
  /** The origin that was asked for. */
  origin: Schema.String
}) {
  readonly remedy: Remedy = "program"
  readonly ambiguous: boolean = false

  override get message(): string {
    return `${this.origin} is not https. Use https, or allowInsecureLoopback on this machine`
  }
}

/**
 * A request was about to carry the session's token to an origin that the http client was not made for.
 *
 * @since 0.1.0
 * @category errors
 */
export class OriginNotAllowed extends Schema.TaggedError<OriginNotAllowed>()("OriginNotAllowed", {
  /** The origin that was asked for, or what stood in its place when the URL has none. */
  origin: Schema.String,
  /** The origins that are allowed. */
  allowed: Schema.Array(Schema.String)
}) {
  readonly remedy: Remedy = "program"
  readonly ambiguous: boolean = false

  override get message(): string {
    return `${this.origin} gets no token: allowed are ${
      this.allowed.join(", ")
    }. Add it to origins, or use withoutToken`
  }
}

/**
 * A resource answered with a redirect that the platform hides, so that it cannot be judged.
 *
 * @since 0.1.0
 * @category errors
 */
export class RedirectRefused extends Schema.TaggedError<RedirectRefused>()("RedirectRefused", {
  /** The origin that redirected. */
  origin: Schema.String
}) {
  readonly remedy: Remedy = "program"
  readonly ambiguous: boolean = false

  override get message(): string {
    return `${this.origin} redirected. Call the final URL, and list its origin`
  }
}

/**
 * Why a redirect back from the authorization server was refused.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AuthorizationResponseReason = Schema.Literal(
  "InvalidUrl",
  "RepeatedParameter",
  "MissingState",
  "StateMismatch",
  "SessionMismatch",
  "ClientMismatch",
  "RedirectUriMismatch",
  "MissingIssuer",
  "IssuerMismatch",
  "MissingCode",
  "InvalidCode",
  "TokenInFrontChannel",
  "UnexpectedResponseMode",
  "TransactionUnknown",
  "TransactionExpired",
  "TransactionConsumed"
)

/**
 * @since 0.1.0
 * @category models
 */
export type AuthorizationResponseReason = typeof AuthorizationResponseReason.Type

/**
 * The redirect back from the authorization server was refused (RFC 6749 §4.1.2, RFC 9207, RFC 9700 §4). No token
 * request was made.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthorizationResponseError
  extends Schema.TaggedError<AuthorizationResponseError>()("AuthorizationResponseError", {
    reason: AuthorizationResponseReason,
    /** The parameter concerned, where there is one. */
    parameter: Schema.optional(Schema.String)
  })
{
  readonly remedy: Remedy = "user"
  readonly ambiguous: boolean = false

  override get message(): string {
    return `The authorization response is refused: ${inWords(this.reason)}${inBrackets(this.parameter)}. Begin anew`
  }
}

/**
 * The codes that the standards define, and any other that a server sends.
 *
 * @since 0.1.0
 * @category models
 */
export type ErrorCode =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "invalid_scope"
  | "access_denied"
  | "unsupported_response_type"
  | "server_error"
  | "temporarily_unavailable"
  | "unsupported_token_type"
  | "invalid_token"
  | "insufficient_scope"
  | "invalid_target"
  | "consent_required"
  | "login_required"
  | "interaction_required"
  | "account_selection_required"
  | "authorization_pending"
  | "slow_down"
  | "expired_token"
  | (string & {})

const forUser = /^(invalid_grant|access_denied|expired_token|[a-z_]+_required)$/

const forLater = /^(server_error|temporarily_unavailable|slow_down|authorization_pending)$/

const advice: Record<Remedy, string> = {
  retry: "Try again later",
  user: "Authorize again",
  operator: "Check the client's registration",
  program: "Change the call"
}

/** `MissingState` as "missing state". */
const inWords = (name: string): string => name.replace(/\B[A-Z]/g, " $&").toLowerCase()

const inBrackets = (text: string | undefined): string => text === undefined ? "" : ` (${text})`

/**
 * The authorization server answered with an error (RFC 6749 §4.1.2.1 and §5.2). `status` is the HTTP status that
 * came, absent for a redirect. The texts are untrusted: they are held to the RFC's characters and to 1 KiB.
 *
 * @since 0.1.0
 * @category errors
 */
export class ErrorResponse extends Schema.TaggedError<ErrorResponse>()("ErrorResponse", {
  endpoint: EndpointName,
  /** The `error` code. See {@link ErrorCode}. */
  code: Schema.String,
  /** `error_description`. */
  description: Schema.optional(Schema.String),
  /** `error_uri`. Never fetched or opened by this library. */
  uri: Schema.optional(Schema.String),
  /** `state`, on a redirect. */
  state: Schema.optional(Schema.String),
  status: Schema.optional(Schema.Number),
  /** `Retry-After`, in milliseconds from receipt. */
  retryAfter: Schema.optional(Schema.Number)
}) {
  readonly ambiguous: boolean = false

  get remedy(): Remedy {
    return forUser.test(this.code) ? "user" : forLater.test(this.code) ? "retry" : "operator"
  }

  override get message(): string {
    const description = this.description === undefined ? "" : `: ${this.description}`
    const status = inBrackets(this.status === undefined ? undefined : `HTTP ${this.status}`)
    return `The ${this.endpoint} endpoint answered ${this.code}${description}${status}. ${advice[this.remedy]}`
  }
}

/**
 * The request did not reach the endpoint, or its answer did not come back.
 *
 * `Unreachable` means that nothing was sent. After `Timeout` and `ConnectionLost` nobody knows whether the server
 * acted: `ambiguous` is true.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransportError extends Schema.TaggedError<TransportError>()("TransportError", {
  endpoint: EndpointName,
  reason: Schema.Literal("Unreachable", "Timeout", "ConnectionLost"),
  /** The platform's code, such as `ECONNREFUSED`, where it gives one. */
  code: Schema.optional(Schema.String)
}) {
  readonly remedy: Remedy = "retry"

  get ambiguous(): boolean {
    return this.reason !== "Unreachable"
  }

  override get message(): string {
    return `The ${this.endpoint} endpoint did not answer: ${this.reason}${inBrackets(this.code)}. ` +
      "Try again later, or check its URL and the network"
  }
}

/**
 * The endpoint answered with something that is not the answer which the standards define.
 *
 * Holds what a person needs to find the cause, and never a body.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidResponse extends Schema.TaggedError<InvalidResponse>()("InvalidResponse", {
  endpoint: EndpointName,
  reason: Schema.Literal(
    "Status",
    "Redirect",
    "ContentType",
    "TooLarge",
    "Encoding",
    "Json",
    "TooDeep",
    "RepeatedMember",
    "MissingMember",
    "InvalidMember",
    "UnsupportedTokenType"
  ),
  status: Schema.Number,
  contentType: Schema.optional(Schema.String),
  /** The body's length in bytes, as far as it was read. */
  contentLength: Schema.optional(Schema.Number),
  /** The member concerned, where there is one. */
  member: Schema.optional(Schema.String),
  /** `Retry-After`, in milliseconds from receipt. */
  retryAfter: Schema.optional(Schema.Number)
}) {
  get remedy(): Remedy {
    return this.reason === "Status" && (this.status >= 500 || this.status === 429) ? "retry" : "operator"
  }

  get ambiguous(): boolean {
    return !(this.status === 429 || (this.status === 503 && this.retryAfter !== undefined))
  }

  override get message(): string {
    return `The ${this.endpoint} endpoint's answer is refused: ${this.reason}${inBrackets(this.member)}. ` +
      `HTTP ${this.status}, ${this.contentType ?? "no content type"}. Check its URL, and the server's log`
  }
}

/**
 * The hooks, by name. See `ComplianceHooks`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const HookName = Schema.Literal(
  "authorizationRequest",
  "accessTokenRequest",
  "accessTokenResponse",
  "refreshTokenRequest",
  "refreshTokenResponse",
  "tokenErrorResponse",
  "revocationRequest",
  "protectedRequest"
)

/**
 * @since 0.1.0
 * @category models
 */
export type HookName = typeof HookName.Type

/**
 * A compliance hook failed. When it was one on a response, the server may have acted: `ambiguous` is true. A refresh
 * token that could be read is kept all the same.
 *
 * @since 0.1.0
 * @category errors
 */
export class HookError extends Schema.TaggedError<HookError>()("HookError", {
  hook: HookName,
  /** What is wrong, in words that hold no secret. */
  problem: Schema.String
}) {
  readonly remedy: Remedy = "operator"

  get ambiguous(): boolean {
    return this.hook.endsWith("Response")
  }

  override get message(): string {
    return `The hook ${this.hook} failed: ${this.problem}. Check it against what the server sends`
  }
}

const storeAdvice = {
  Unavailable: "Try again later",
  Corrupt: "Mend the record, or sign out",
  NewerVersion: "Update this program",
  UnknownKey: "Give the store the key that the record was encrypted with"
}

/**
 * Where session records are kept could not do its work. `Corrupt` and `NewerVersion` records are left as they are.
 *
 * @since 0.1.0
 * @category errors
 */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  /** What was asked of the store. */
  operation: Schema.String,
  reason: Schema.Literal("Unavailable", "Corrupt", "NewerVersion", "UnknownKey")
}) {
  readonly ambiguous: boolean = false

  get remedy(): Remedy {
    return this.reason === "Unavailable" ? "retry" : "operator"
  }

  override get message(): string {
    const advice = storeAdvice[this.reason]
    return `The token store failed in ${this.operation}: ${inWords(this.reason)}. ${advice}`
  }
}

/**
 * Why a session needs its user, or its program, to authorize anew.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ReauthorizationReason = Schema.Literal(
  "NoSession",
  "NoRefreshToken",
  "InvalidGrant",
  "RotationOutcomeUnknown"
)

/**
 * @since 0.1.0
 * @category models
 */
export type ReauthorizationReason = typeof ReauthorizationReason.Type

const reauthorizationAdvice: Record<ReauthorizationReason, string> = {
  NoSession: "there is no session under this key",
  NoRefreshToken: "the token expired, and there is no refresh token",
  InvalidGrant: "the server refused the refresh token",
  RotationOutcomeUnknown: "a refresh was never answered, and the server now refuses its refresh token"
}

/**
 * The session cannot be kept: someone has to authorize again. Nothing short of that helps, so no request is made.
 *
 * @since 0.1.0
 * @category errors
 */
export class ReauthorizationRequired
  extends Schema.TaggedError<ReauthorizationRequired>()("ReauthorizationRequired", { reason: ReauthorizationReason })
{
  readonly remedy: Remedy = "user"
  readonly ambiguous: boolean = false

  override get message(): string {
    return `Authorize again: ${reauthorizationAdvice[this.reason]}`
  }
}

/**
 * What one attempt to renew a session can fail with.
 *
 * @since 0.1.0
 * @category schemas
 */
export const AttemptError = Schema.Union(
  ErrorResponse,
  TransportError,
  InvalidResponse,
  StoreError,
  InputError,
  ConfigurationError,
  HookError
)

/**
 * @since 0.1.0
 * @category models
 */
export type AttemptError = typeof AttemptError.Type

/**
 * The access token has expired and could not be renewed just now. The session is kept: a later call tries again, not
 * before `retryAt`.
 *
 * @since 0.1.0
 * @category errors
 */
export class RefreshFailed extends Schema.TaggedError<RefreshFailed>()("RefreshFailed", {
  /**
   * `Attempt`: just tried. `CoolDown`: tried before `retryAt`, so no request was made. `Closing`: the program ends.
   * `ReadOnly`: this session is never renewed here.
   */
  reason: Schema.Literal("Attempt", "CoolDown", "Closing", "ReadOnly"),
  /** When the next attempt is allowed, in epoch milliseconds. */
  retryAt: Schema.optional(Schema.Number),
  /** What the last attempt failed with. */
  lastError: Schema.optional(AttemptError)
}) {
  get remedy(): Remedy {
    return this.lastError?.remedy ?? "retry"
  }

  get ambiguous(): boolean {
    return this.lastError?.ambiguous ?? false
  }

  override get message(): string {
    const last = this.lastError === undefined ? "" : ` ${this.lastError.message}.`
    const retry = this.retryAt === undefined ? "later" : `at ${new Date(this.retryAt).toISOString()}`
    return `The token could not be renewed (${this.reason}), the session is kept.${last} Try again ${retry}`
  }
}

/**
 * The server granted other scopes than those asked for (RFC 6749 §3.3), and the client's `scopePolicy` refuses that. The
 * session is kept all the same, and `token` is what it holds.
 *
 * @since 0.1.0
 * @category errors
 */
export class ScopeMismatch extends Schema.TaggedError<ScopeMismatch>()("ScopeMismatch", {
  granted: Schema.Array(Schema.String),
  missing: Schema.Array(Schema.String),
  additional: Schema.Array(Schema.String),
  /** Encoded, it is in clear. */
  token: Token
}) {
  readonly remedy: Remedy = "user"
  readonly ambiguous: boolean = false

  override get message(): string {
    return `Other scopes were granted: missing ${this.missing.join(" ") || "none"}, ` +
      `additional ${this.additional.join(" ") || "none"}. Authorize again, or set scopePolicy`
  }
}

/**
 * A token that was given by hand has expired.
 *
 * @since 0.1.0
 * @category errors
 */
export class TokenExpired extends Schema.TaggedError<TokenExpired>()("TokenExpired", {
  /** Epoch milliseconds. */
  expiresAt: Schema.Number
}) {
  readonly remedy: Remedy = "retry"
  readonly ambiguous: boolean = false

  override get message(): string {
    return `The token expired at ${new Date(this.expiresAt).toISOString()}. Refresh it, or use a session`
  }
}

/**
 * A token that was given by hand is of a type that this library cannot present.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnsupportedTokenType extends Schema.TaggedError<UnsupportedTokenType>()("UnsupportedTokenType", {
  /** `token_type`, held to 64 characters. */
  tokenType: Schema.String
}) {
  readonly remedy: Remedy = "operator"
  readonly ambiguous: boolean = false

  override get message(): string {
    return `Tokens of type ${this.tokenType} are not supported. Ask for Bearer tokens`
  }
}

/**
 * Every error of this library, as a schema: an error may cross a process.
 *
 * @since 0.1.0
 * @category schemas
 */
export const OAuth2Error = Schema.Union(
  ConfigurationError,
  InputError,
  InsecureTransportError,
  OriginNotAllowed,
  RedirectRefused,
  AuthorizationResponseError,
  ErrorResponse,
  TransportError,
  InvalidResponse,
  HookError,
  StoreError,
  ReauthorizationRequired,
  RefreshFailed,
  ScopeMismatch,
  TokenExpired,
  UnsupportedTokenType
)

/**
 * Every error of this library.
 *
 * @since 0.1.0
 * @category models
 */
export type OAuth2Error = typeof OAuth2Error.Type
