/** Well-formed values of the library's own, of every shape that they can have. */
import { OAuth2Error, type PendingAuthorization, type SessionRecord, type Token } from "@effect-oauth2/core"
import { FastCheck, Redacted } from "effect"

export const tokenText = FastCheck.stringMatching(/^[\x21-\x7e]{1,40}$/)

const secret = tokenText.map((text) => Redacted.make(text))

/** Up to the last instant that a date can hold. */
const instant = FastCheck.integer({ min: -8.64e15, max: 8.64e15 })

const optional = <A>(arbitrary: FastCheck.Arbitrary<A>) => FastCheck.option(arbitrary, { nil: undefined })

/** Without the members that are `undefined`: stored values have none. */
const compact = <A extends object>(value: A): A =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as A

const extra = FastCheck.array(
  FastCheck.tuple(
    FastCheck.oneof(FastCheck.string(), FastCheck.constantFrom("__proto__", "constructor", "toString", "instance_url")),
    FastCheck.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)))
  ),
  { maxLength: 4 }
).map((entries) => Redacted.make<ReadonlyMap<string, unknown>>(new Map(entries)))

export const token: FastCheck.Arbitrary<Token.Token> = FastCheck.record({
  accessToken: secret,
  tokenType: FastCheck.constantFrom("Bearer", "bearer", "BEARER"),
  issuedAt: instant,
  expiresAt: optional(instant),
  refreshToken: optional(secret),
  scope: optional(FastCheck.array(FastCheck.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]{1,8}$/), { maxLength: 4 })),
  idToken: optional(secret),
  extra: optional(extra)
}).map((token) => compact(token) as Token.Token)

const state: FastCheck.Arbitrary<SessionRecord.SessionRecord["state"]> = FastCheck.oneof(
  FastCheck.record({ _tag: FastCheck.constant("Idle" as const), unresolved: FastCheck.boolean() }),
  FastCheck.record({
    _tag: FastCheck.constant("Redeeming" as const),
    attempt: FastCheck.string(),
    until: instant,
    unresolved: FastCheck.boolean()
  }),
  FastCheck.record({
    _tag: FastCheck.constant("Dead" as const),
    reason: FastCheck.constantFrom(...OAuth2Error.ReauthorizationReason.literals)
  })
)

export const sessionRecord: FastCheck.Arbitrary<SessionRecord.SessionRecord> = FastCheck.record({
  version: FastCheck.constant(1 as const),
  generation: FastCheck.nat(),
  token: optional(token),
  refreshToken: optional(secret),
  state
}).map((record) => compact(record) as SessionRecord.SessionRecord)

export const pendingAuthorization: FastCheck.Arbitrary<PendingAuthorization.PendingAuthorization> = FastCheck.record({
  version: FastCheck.constant(1 as const),
  sessionKey: FastCheck.string({ unit: "binary" }),
  state: FastCheck.stringMatching(/^[\w-]{1,64}$/),
  codeVerifier: FastCheck.stringMatching(/^[\w.~-]{43,128}$/).map((text) => Redacted.make(text)),
  clientId: FastCheck.string(),
  server: FastCheck.webUrl(),
  redirectUri: FastCheck.webUrl(),
  scope: optional(FastCheck.array(FastCheck.string(), { maxLength: 3 })),
  resource: optional(FastCheck.array(FastCheck.webUrl(), { maxLength: 3 })),
  expiresAt: instant
}).map((pending) => compact(pending) as PendingAuthorization.PendingAuthorization)
