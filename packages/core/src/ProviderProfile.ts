/**
 * A provider's quirks as data, and the one function that turns them into compliance hooks.
 *
 * A rule that changed something is named in the attribute `oauth2.leniencies` of the request's span, never with a value.
 * No rule hides an `error`: a reply that holds one has failed, whatever else a profile says.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ComplianceHooks from "./ComplianceHooks.js"
import * as EndpointRequest from "./EndpointRequest.js"
import { jsonShape, repeatedMember } from "./internal/jsonShape.js"
import * as Parameters from "./Parameters.js"
import type { Reply } from "./TokenResponse.js"

const Name = Schema.NonEmptyString.pipe(Schema.filter((name) => name !== "__proto__"))
const Seconds = Schema.Number.pipe(Schema.finite(), Schema.nonNegative())
const Path = Schema.NonEmptyArray(Schema.Union(Schema.String, Schema.NonNegativeInt))
const ParameterValues = Schema.Record({ key: Name, value: Schema.Union(Schema.String, Schema.Array(Schema.String)) })

/**
 * The schema of a profile: each member is optional, and all of it may come from JSON.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ProviderProfile = Schema.Struct({
  /** Added to authorization requests that do not set them. A list repeats the name. */
  authorizationParameters: Schema.optional(ParameterValues),
  /** Added to token requests that do not set them. */
  tokenParameters: Schema.optional(ParameterValues),
  /** The same for refreshes. Default: `tokenParameters`. */
  refreshParameters: Schema.optional(ParameterValues),
  /** The server's names of parameters, by the standard's, such as `client_key` for `client_id`. */
  parameterNames: Schema.optional(Schema.Record({ key: Name, value: Name })),
  /** Between the words of a scope that is sent. Default: a space. */
  scopeSeparator: Schema.optional(Schema.NonEmptyString),
  /** Between the words of a scope that is granted, beside the space. */
  scopeSeparators: Schema.optional(Schema.Array(Schema.NonEmptyString)),
  /** Headers of token and revocation requests. Those of the client's authentication win. */
  headers: Schema.optional(Schema.Record({ key: Name, value: Schema.String })),
  /** How token requests travel. Default: `form`. */
  bodyFormat: Schema.optional(Schema.Literal("form", "json")),
  /** The replies that are read by the rules below, such as `text/html` for JSON under that name. Default: JSON. */
  mediaTypes: Schema.optional(Schema.Array(Schema.NonEmptyString)),
  /** How the reply's outermost members are written. Default: as the standards write them. */
  memberCase: Schema.optional(Schema.Literal("camelCase")),
  /** Where members are, by the standard's name, such as `["data", "access_token"]`. See `error` for that one. */
  members: Schema.optional(Schema.Record({ key: Name, value: Path })),
  /** Where an error code may be: the first place that holds something counts, beside the standard's own `error`. */
  error: Schema.optional(Schema.Array(Path)),
  /** The standard's name for the server's own error codes. */
  errorCodes: Schema.optional(Schema.Record({ key: Name, value: Schema.NonEmptyString })),
  /** The type of every token, whatever the reply says. */
  tokenType: Schema.optional(Schema.NonEmptyString),
  /** The type of a token whose reply names none. */
  defaultTokenType: Schema.optional(Schema.NonEmptyString),
  /** The server's own names for Bearer, to the letter. */
  tokenTypeAliases: Schema.optional(Schema.Array(Schema.NonEmptyString)),
  /** What `expires_in` counts. Default: seconds. */
  expiryUnit: Schema.optional(Schema.Literal("milliseconds", "seconds", "minutes", "hours", "days")),
  /** The life of a token whose reply names none, in seconds. */
  defaultLifetime: Schema.optional(Seconds),
  /** What an `expires_in` of the number 0 means, in seconds. */
  lifetimeOfZero: Schema.optional(Seconds)
})

/**
 * @since 0.1.0
 * @category models
 */
export type ProviderProfile = typeof ProviderProfile.Type

/**
 * Reads a reply that is no JSON: its members, or `undefined` when it is not of this kind. See `LegacyFormResponse`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReplyDecoder {
  /** As the span shows it. */
  readonly name: string
  readonly decode: (text: string) => Members | undefined
}

/**
 * The members of a reply.
 *
 * @since 0.1.0
 * @category models
 */
export type Members = Readonly<Record<string, unknown>>

/**
 * The hooks of a profile. `legacy` reads replies of the profile's `mediaTypes` that are no JSON.
 *
 * The hooks fail with nothing of their own. What a profile may not set, such as `grant_type`, is an `InputError` of the
 * request.
 *
 * @example
 * import { ComplianceHooks, OAuth2Client, ProviderProfile } from "@effect-oauth2/core"
 * import { Layer } from "effect"
 *
 * const hooks = ProviderProfile.toHooks({
 *   parameterNames: { client_id: "client_key" },
 *   scopeSeparator: ",",
 *   members: { access_token: ["data", "access_token"] },
 *   defaultTokenType: "Bearer"
 * })
 *
 * export const Client = OAuth2Client.layer({ clientId: "app", tokenEndpoint: "https://as.example/token" }).pipe(
 *   Layer.provide(ComplianceHooks.layer(hooks))
 * )
 *
 * @since 0.1.0
 * @category conversions
 */
export const toHooks = (
  profile: ProviderProfile,
  options: { readonly legacy?: ReadonlyArray<ReplyDecoder> | undefined } = {}
): ComplianceHooks.ComplianceHooks => {
  const { authorizationParameters = {}, tokenParameters = {}, refreshParameters = tokenParameters } = profile
  const extra = Parameters.make(authorizationParameters)
  return {
    authorizationRequest: (url) => reported(authorization(profile, extra, url)),
    accessTokenRequest: (draft) => reported(tokenRequest(profile, "tokenParameters", tokenParameters, draft)),
    refreshTokenRequest: (draft) => reported(tokenRequest(profile, "refreshParameters", refreshParameters, draft)),
    revocationRequest: (draft) => reported(request(profile, draft)),
    ...ComplianceHooks.onTokenResponses((reply) => reported(response(profile, options.legacy ?? [], reply)))
  }
}

/** A value, and the names of the rules that changed it. */
type Changed<A> = readonly [value: A, rules: ReadonlyArray<string>]

/** Adds the rules to those that the span already names: a request and its reply share one. */
const reported = <A>([value, rules]: Changed<A>): Effect.Effect<A> =>
  rules.length === 0 ? Effect.succeed(value) : Effect.as(
    Effect.ignore(Effect.flatMap(Effect.currentSpan, (span) => {
      const before = span.attributes.get(attribute)
      const all = [...(Array.isArray(before) ? before as ReadonlyArray<string> : []), ...rules]
      return Effect.sync(() => span.attribute(attribute, [...new Set(all)]))
    })),
    value
  )

const attribute = "oauth2.leniencies"

/** Runs one rule after the other, and keeps the names of those that gave another value back. */
const applied = <A>(
  value: A,
  rules: ReadonlyArray<readonly [name: keyof ProviderProfile, rule: (value: A) => A]>
): Changed<A> =>
  rules.reduce<Changed<A>>(([value, names], [name, rule]) => {
    const next = rule(value)
    return [next, next === value ? names : [...names, name]]
  }, [value, []])

// ---- requests

const authorization = (profile: ProviderProfile, extra: Parameters.Parameters, url: URL): Changed<URL> => {
  const before = [...url.searchParams]
  const [parameters, rules] = applied<Parameters.Parameters>(before, [
    ["scopeSeparator", separated(profile)],
    ["parameterNames", renamed(profile)],
    ["authorizationParameters", withExtra(extra)]
  ])
  if (rules.length === 0) return [url, rules]
  const changed = new URL(url)
  changed.search = Parameters.encode(parameters).toString()
  return [changed, rules]
}

const tokenRequest = (
  profile: ProviderProfile,
  name: "tokenParameters" | "refreshParameters",
  extra: Parameters.ParametersInput,
  draft: ComplianceHooks.Draft
): Changed<ComplianceHooks.Draft> => {
  const [scoped, first] = applied(draft.parameters, [["scopeSeparator", separated(profile)]])
  const [sent, second] = request(profile, { ...draft, parameters: scoped })
  const [parameters, third] = applied(sent.parameters, [[name, withExtra(Parameters.make(extra))]])
  const isJson = profile.bodyFormat === "json"
  return [
    { ...sent, parameters, encoding: isJson ? EndpointRequest.json : sent.encoding },
    [...first, ...second, ...third, ...(isJson ? ["bodyFormat"] : [])]
  ]
}

const request = (profile: ProviderProfile, draft: ComplianceHooks.Draft): Changed<ComplianceHooks.Draft> => {
  const [parameters, rules] = applied(draft.parameters, [["parameterNames", renamed(profile)]])
  if (profile.headers === undefined) return [{ ...draft, parameters }, rules]
  const own = Object.fromEntries(Object.entries(profile.headers).map(([name, value]) => [name.toLowerCase(), value]))
  return [{ ...draft, parameters, headers: { ...own, ...draft.headers } }, [...rules, "headers"]]
}

type Rewrite = (parameters: Parameters.Parameters) => Parameters.Parameters

const separated = ({ scopeSeparator }: ProviderProfile): Rewrite => (parameters) =>
  scopeSeparator === undefined || !parameters.some(([name, value]) => name === "scope" && isSpaced(value))
    ? parameters
    : parameters.map(([name, value]) =>
      name === "scope" && isSpaced(value) ? [name, value.replaceAll(" ", scopeSeparator)] : [name, value]
    )

const isSpaced = (value: Parameters.Value): value is string => typeof value === "string" && value.includes(" ")

const renamed = ({ parameterNames = {} }: ProviderProfile): Rewrite => (parameters) =>
  parameters.some(([name]) => Object.hasOwn(parameterNames, name))
    ? parameters.map(([name, value]) => [own(parameterNames, name) ?? name, value])
    : parameters

const withExtra = (extra: Parameters.Parameters): Rewrite => (parameters) => {
  const missing = extra.filter(([name]) => !parameters.some(([other]) => other === name))
  return missing.length === 0 ? parameters : [...parameters, ...missing]
}

// ---- replies

type Rule = (members: Members) => Members

const response = (profile: ProviderProfile, legacy: ReadonlyArray<ReplyDecoder>, reply: Reply): Changed<Reply> => {
  const isRead = isMediaType(profile, reply.contentType)
  const read = membersOf(reply, isRead ? legacy : [])
  if (read === undefined) return [reply, []]
  const [found, first] = applied<Members>(read.members, [
    ["memberCase", inSnakeCase(profile)],
    ["members", lifted(profile)],
    ["error", withError(profile)],
    ["errorCodes", withErrorCode(profile)]
  ])
  const isError = hasError(found)
  if (!isRead && !isError) return [reply, []]
  const [members, second] = isError ? [found, []] : applied(found, successRules(profile))
  const rules = [
    ...(read.decoder === undefined ? [] : [read.decoder]),
    ...(profile.mediaTypes === undefined || isJson(reply.contentType) || !isRead ? [] : ["mediaTypes"]),
    ...first,
    ...second
  ]
  return rules.length === 0 ? [reply, rules] : [ComplianceHooks.withJson(reply, members), rules]
}

const successRules = (profile: ProviderProfile): ReadonlyArray<readonly [keyof ProviderProfile, Rule]> => [
  ["tokenType", withTokenType(profile)],
  ["defaultTokenType", withDefaultTokenType(profile)],
  ["tokenTypeAliases", withBearer(profile)],
  ["expiryUnit", inSeconds(profile)],
  ["lifetimeOfZero", withLifetimeOfZero(profile)],
  ["defaultLifetime", withDefaultLifetime(profile)],
  ["scopeSeparators", withSpaces(profile)]
]

/** A reply that the strict rules refuse for its form is left to them: rewritten, nobody could see what was wrong. */
const membersOf = (
  reply: Reply,
  legacy: ReadonlyArray<ReplyDecoder>
): { readonly members: Members; readonly decoder: string | undefined } | undefined => {
  const text = textOf(reply.body)
  if (text === undefined) return undefined
  const value = parsed(text)
  if (isObject(value)) {
    const shape = jsonShape(text)
    return shape.depth > maxDepth || repeatedMember(shape, value) !== undefined
      ? undefined
      : { members: value, decoder: undefined }
  }
  if (value !== undefined) return undefined
  for (const { decode, name } of legacy) {
    const members = decode(text)
    if (members !== undefined) return { members, decoder: name }
  }
  return undefined
}

const maxDepth = 32

const textOf = (body: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body)
  } catch {
    return undefined
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isMediaType = ({ mediaTypes }: ProviderProfile, contentType: string | undefined): boolean =>
  mediaTypes === undefined
    ? isJson(contentType)
    : mediaTypes.some((type) => type.toLowerCase() === contentType?.split(";")[0]?.trim().toLowerCase())

const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/([\w.-]+\+)?json[ \t]*(;|$)/i.test(contentType)

/** The standard's own member stays where both are there. */
const inSnakeCase = ({ memberCase }: ProviderProfile): Rule => (members) =>
  memberCase === undefined || Object.keys(members).every((name) => snakeCase(name) === name)
    ? members
    : Object.fromEntries([
      ...Object.entries(members).map(([name, value]) => [snakeCase(name), value] as const),
      ...Object.entries(members).filter(([name]) => snakeCase(name) === name)
    ])

const snakeCase = (name: string): string =>
  name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/([A-Z])([A-Z][a-z])/g, "$1_$2").toLowerCase()

const lifted = (profile: ProviderProfile): Rule => (members) => {
  const found = Object.entries(profile.members ?? {}).flatMap(([name, path]) => {
    const value = name === "error" ? undefined : at(members, path)
    return value === undefined || value === null ? [] : [[name, value] as const]
  })
  return found.length === 0 ? members : withMembers(members, found)
}

const withError = ({ error = [] }: ProviderProfile): Rule => (members) => {
  if (hasError(members)) return members
  const found = error.map((path) => at(members, path)).find((value) => !none.includes(value))
  return found === undefined ? members : withMembers(members, [["error", found]])
}

/** What means in a place of the server's own that there is no error: many write 0 for that. */
const none: ReadonlyArray<unknown> = [undefined, null, "", 0, "0", false]

const withErrorCode = ({ errorCodes = {} }: ProviderProfile): Rule => (members) => {
  const code = own(members, "error")
  const standard = typeof code === "string" || typeof code === "number" ? own(errorCodes, String(code)) : undefined
  return standard === undefined || standard === "" ? members : withMembers(members, [["error", standard]])
}

/** As the strict rules see it: anything but null and empty text. */
const hasError = (members: Members): boolean => !isBlank(own(members, "error"))

const withTokenType = ({ tokenType }: ProviderProfile): Rule => (members) =>
  tokenType === undefined || own(members, "token_type") === tokenType
    ? members
    : withMembers(members, [["token_type", tokenType]])

const withDefaultTokenType = ({ defaultTokenType }: ProviderProfile): Rule => (members) =>
  defaultTokenType !== undefined && isBlank(own(members, "token_type"))
    ? withMembers(members, [["token_type", defaultTokenType]])
    : members

const withBearer = ({ tokenTypeAliases = [] }: ProviderProfile): Rule => (members) =>
  tokenTypeAliases.some((alias) => alias === own(members, "token_type"))
    ? withMembers(members, [["token_type", "Bearer"]])
    : members

const unitSeconds = { milliseconds: 0.001, seconds: 1, minutes: 60, hours: 3600, days: 86_400 }

const inSeconds = ({ expiryUnit = "seconds" }: ProviderProfile): Rule => (members) => {
  const life = own(members, "expires_in")
  const isNumber = typeof life === "number" || (typeof life === "string" && /^\d+$/.test(life))
  return expiryUnit === "seconds" || !isNumber
    ? members
    : withMembers(members, [["expires_in", Number(life) * unitSeconds[expiryUnit]]])
}

const withLifetimeOfZero = ({ lifetimeOfZero }: ProviderProfile): Rule => (members) =>
  lifetimeOfZero !== undefined && own(members, "expires_in") === 0
    ? withMembers(members, [["expires_in", lifetimeOfZero]])
    : members

const withDefaultLifetime = ({ defaultLifetime }: ProviderProfile): Rule => (members) =>
  defaultLifetime !== undefined && isBlank(own(members, "expires_in")) && isBlank(own(members, "expires_at"))
    ? withMembers(members, [["expires_in", defaultLifetime]])
    : members

const withSpaces = ({ scopeSeparators = [] }: ProviderProfile): Rule => (members) => {
  const scope = own(members, "scope")
  if (typeof scope !== "string") return members
  const text = scopeSeparators.reduce((text, separator) => text.replaceAll(separator, " "), scope)
  return text === scope ? members : withMembers(members, [["scope", text]])
}

// ---- members

const own = <A>(record: Readonly<Record<string, A>>, name: string): A | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

const isBlank = (value: unknown): boolean => value === undefined || value === null || value === ""

/** `fromEntries` defines members, so that one called `__proto__` is no more than that. */
const withMembers = (members: Members, changed: ReadonlyArray<readonly [name: string, value: unknown]>): Members =>
  Object.fromEntries([...Object.entries(members), ...changed])

const at = (members: Members, path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>(
    (value, step) => typeof value === "object" && value !== null ? own(value as Members, String(step)) : undefined,
    members
  )
