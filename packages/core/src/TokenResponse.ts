/**
 * The token response (RFC 6749 §5): strict about success, tolerant about errors.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { sanitize } from "./internal/errorText.js"
import { jsonShape, repeatedMember } from "./internal/jsonShape.js"
import { type EndpointName, ErrorResponse, InvalidResponse } from "./OAuth2Error.js"
import * as Scope from "./Scope.js"
import { isTokenText, type Token } from "./Token.js"

/**
 * What came back from an endpoint, its body read and held to a size.
 *
 * @since 0.1.0
 * @category models
 */
export interface Reply {
  readonly endpoint: EndpointName
  readonly status: number
  readonly contentType: string | undefined
  /** All headers, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** `Retry-After`, in milliseconds from receipt. */
  readonly retryAfter: number | undefined
  readonly body: Uint8Array
}

/**
 * Why there is no token, and the refresh token that was nevertheless readable: it may be all that is left of the
 * session, so it has to be kept.
 *
 * @since 0.1.0
 * @category models
 */
export interface Refusal {
  readonly error: ErrorResponse | InvalidResponse
  readonly refreshToken: Redacted.Redacted<string> | undefined
}

/**
 * The members that the standards define, as they come over the wire.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TokenResponse = Schema.Struct({
  access_token: Schema.String.pipe(Schema.filter(isTokenText)),
  token_type: Schema.String,
  expires_in: Schema.optional(Schema.Union(Schema.Number, Schema.String, Schema.Null)),
  expires_at: Schema.optional(Schema.Unknown),
  refresh_token: Schema.optional(
    Schema.Union(Schema.Literal(""), Schema.String.pipe(Schema.filter(isTokenText)), Schema.Null)
  ),
  scope: Schema.optional(Schema.Union(Schema.String, Schema.Array(Schema.String), Schema.Null)),
  id_token: Schema.optional(Schema.Union(Schema.String, Schema.Null))
})

/**
 * @since 0.1.0
 * @category models
 */
export type TokenResponse = typeof TokenResponse.Type

const knownMembers = new Set(Object.keys(TokenResponse.fields))

const maxDepth = 32

/** The last instant that a date can hold. */
const endOfTime = 8.64e15

/** What no date can hold could be neither shown nor, where it is infinite, stored. */
const instant = (millis: number): number => Math.max(-endOfTime, Math.min(millis, endOfTime))

const decodeMembers = Schema.decodeUnknownEither(TokenResponse)

/**
 * Reads the reply to a token request. `receivedAt` is in epoch milliseconds, `scope` what was asked for.
 *
 * Success is status 200, JSON, an object of at most 32 levels, no repeated member, a usable `access_token`, and a
 * `token_type` of Bearer. A life of zero or less is a token that has expired at receipt; a missing one has no known
 * end. Anything else is an `InvalidResponse` or, where the body holds an `error`, an `ErrorResponse`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const decode = (
  reply: Reply,
  context: { readonly receivedAt: number; readonly scope: Scope.Scope | undefined }
): Either.Either<Token, Refusal> => {
  const parsed = parseObject(reply)
  if (Either.isLeft(parsed)) return Either.left({ error: parsed.left, refreshToken: undefined })
  const { members, shape } = parsed.right
  const code = errorCode(members)
  if (code !== undefined) return Either.left({ error: errorResponse(reply, code, members), refreshToken: undefined })
  const refuse = (reason: InvalidResponse["reason"], member?: string) =>
    Either.left({ error: invalid(reply, reason, member), refreshToken: readableRefreshToken(members) })
  if (reply.status !== 200) return refuse("Status")
  if (!isJson(reply.contentType)) return refuse("ContentType")
  if (shape.depth > maxDepth) return refuse("TooDeep")
  const repeated = repeatedMember(shape, members)
  if (repeated !== undefined) return refuse("RepeatedMember", knownMembers.has(repeated) ? repeated : undefined)
  const decoded = decodeMembers(members)
  if (Either.isLeft(decoded)) return refuse(...memberFault(decoded.left, members))
  const response = decoded.right
  if (response.token_type.toLowerCase() !== "bearer") return refuse("UnsupportedTokenType")
  const expiresAt = expiry(response, context.receivedAt)
  if (expiresAt === "invalid") return refuse("InvalidMember", "expires_in")
  return Either.right(toToken(response, members, expiresAt, context))
}

/**
 * The error that a body reports, where it reports one (RFC 6749 §5.2): for endpoints that answer with nothing else.
 *
 * @since 0.1.0
 * @category conversions
 */
export const decodeError = (reply: Reply): ErrorResponse | InvalidResponse => {
  const parsed = parseObject(reply)
  const code = Either.isRight(parsed) ? errorCode(parsed.right.members) : undefined
  return Either.isRight(parsed) && code !== undefined
    ? errorResponse(reply, code, parsed.right.members)
    : invalid(reply, "Status")
}

/**
 * The refresh token that a reply holds in the standard's place, if it can be read at all: of what is no UTF-8 elsewhere
 * in the reply, nothing is made.
 *
 * @since 0.1.0
 * @category accessors
 */
export const refreshTokenOf = (reply: Reply): Redacted.Redacted<string> | undefined =>
  Option.getOrUndefined(Option.map(
    Either.getRight(parseText(reply, new TextDecoder().decode(reply.body))),
    ({ members }) => errorCode(members) === undefined ? readableRefreshToken(members) : undefined
  ))

/**
 * The body of a token response: the authorization server's side. Lives are in whole seconds, rounded down.
 *
 * @since 0.1.0
 * @category conversions
 */
export const encode = (token: Token): Record<string, unknown> => ({
  ...(token.extra === undefined ? undefined : Object.fromEntries(Redacted.value(token.extra))),
  access_token: Redacted.value(token.accessToken),
  token_type: token.tokenType,
  ...(token.expiresAt === undefined
    ? undefined
    : { expires_in: Math.floor((token.expiresAt - token.issuedAt) / 1000) }),
  ...(token.refreshToken === undefined ? undefined : { refresh_token: Redacted.value(token.refreshToken) }),
  ...(token.scope === undefined ? undefined : { scope: Scope.toText(token.scope) }),
  ...(token.idToken === undefined ? undefined : { id_token: Redacted.value(token.idToken) })
})

type Members = Readonly<Record<string, unknown>>

const parseObject = (reply: Reply) => {
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(reply.body)
  } catch {
    return Either.left(invalid(reply, "Encoding"))
  }
  return parseText(reply, text)
}

const parseText = (reply: Reply, text: string) => {
  let members: unknown
  try {
    members = JSON.parse(text)
  } catch {
    return Either.left(invalid(reply, reply.status === 200 && isJson(reply.contentType) ? "Json" : notJson(reply)))
  }
  return typeof members === "object" && members !== null && !Array.isArray(members)
    ? Either.right({ members: members as Members, shape: jsonShape(text) })
    : Either.left(invalid(reply, "Json"))
}

const notJson = (reply: Reply) => reply.status === 200 ? "ContentType" : "Status"

const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/([\w.-]+\+)?json[ \t]*(;|$)/i.test(contentType)

const invalid = (reply: Reply, reason: InvalidResponse["reason"], member?: string): InvalidResponse =>
  new InvalidResponse({
    endpoint: reply.endpoint,
    reason,
    status: reply.status,
    contentType: sanitize(reply.contentType?.slice(0, 128)),
    contentLength: reply.body.length,
    member,
    retryAfter: reply.retryAfter
  })

/** A null or empty `error` beside a token is no error; any other is, whatever its type (B072, B105). */
const errorCode = (members: Members): string | undefined => {
  const error = Object.hasOwn(members, "error") ? members["error"] : undefined
  if (error === undefined || error === null || error === "") return undefined
  if (typeof error === "object") {
    const fields = error as Members
    return sanitize(fields["code"]) ?? sanitize(fields["type"]) ?? unknownError
  }
  return sanitize(typeof error === "string" ? error : JSON.stringify(error)) ?? unknownError
}

const unknownError = "unknown_error"

const errorResponse = (reply: Reply, code: string, members: Members): ErrorResponse =>
  new ErrorResponse({
    endpoint: reply.endpoint,
    code,
    description: sanitize(members["error_description"]),
    uri: sanitize(members["error_uri"]),
    state: sanitize(members["state"]),
    status: reply.status,
    retryAfter: reply.retryAfter
  })

const readableRefreshToken = (members: Members): Redacted.Redacted<string> | undefined => {
  const text = Object.hasOwn(members, "refresh_token") ? members["refresh_token"] : undefined
  return isTokenText(text) ? Redacted.make(text) : undefined
}

/** Names the member, never its value: a `ParseError` would print it. */
const memberFault = (
  error: ParseResult.ParseError,
  members: Members
): ["MissingMember" | "InvalidMember", string | undefined] => {
  const path = ParseResult.ArrayFormatter.formatErrorSync(error)[0]?.path[0]
  const member = typeof path === "string" ? path : undefined
  return [member !== undefined && !Object.hasOwn(members, member) ? "MissingMember" : "InvalidMember", member]
}

/** The instant of expiry. A numeric `expires_at` wins over `expires_in`, which wins over a date (B047, B052). */
const expiry = (response: TokenResponse, receivedAt: number): number | undefined | "invalid" => {
  const at = seconds(response.expires_at)
  if (typeof at === "number") return instant(at * 1000)
  const lifetime = response.expires_in ?? ""
  const life = seconds(lifetime)
  if (life !== undefined) return instant(receivedAt + Math.trunc(life) * 1000)
  if (typeof lifetime === "string" && lifetime.trim() === "") return date(response.expires_at)
  return "invalid"
}

const seconds = (value: unknown): number | undefined => {
  const number = typeof value === "number"
    ? value
    : typeof value === "string" && value.trim() !== ""
    ? Number(value)
    : NaN
  return Number.isFinite(number) ? number : undefined
}

/** A date with its time zone (RFC 3339): of any other, engines and machines make what they like. */
const date = (value: unknown): number | undefined => {
  const isDate = typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/i.test(value)
  const millis = isDate ? Date.parse(value) : NaN
  return Number.isFinite(millis) ? millis : undefined
}

const toToken = (
  response: TokenResponse,
  members: Members,
  expiresAt: number | undefined,
  context: { readonly receivedAt: number; readonly scope: Scope.Scope | undefined }
): Token => {
  const granted = Scope.make(response.scope ?? "").filter((word) => word !== "")
  const scope = granted.length > 0 ? granted : context.scope
  const extra = Object.entries(members).filter(([name]) => !knownMembers.has(name))
  return {
    accessToken: Redacted.make(response.access_token),
    tokenType: response.token_type,
    issuedAt: context.receivedAt,
    ...(expiresAt === undefined ? undefined : { expiresAt }),
    ...(response.refresh_token ? { refreshToken: Redacted.make(response.refresh_token) } : undefined),
    ...(scope === undefined ? undefined : { scope }),
    ...(response.id_token ? { idToken: Redacted.make(response.id_token) } : undefined),
    ...(extra.length === 0 ? undefined : { extra: Redacted.make(new Map(extra)) })
  }
}
