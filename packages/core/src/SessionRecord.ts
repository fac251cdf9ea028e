/**
 * What a store keeps of one session: its token, a generation that only grows, and whether somebody is redeeming.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { withoutValues } from "./internal/storedSchema.js"
import { ReauthorizationReason } from "./OAuth2Error.js"
import { isTokenText, Token } from "./Token.js"

/**
 * The pause after attempts that failed, which holds for all who share the store. Times are in milliseconds.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Pause = Schema.Struct({
  /** Since when, in epoch milliseconds. */
  since: Schema.Number,
  delay: Schema.Number,
  /** The part of the delay that the server asked for. */
  askedFor: Schema.Number,
  /** How many attempts failed in a row. */
  failures: Schema.Number
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Pause extends Schema.Schema.Type<typeof Pause> {}

/**
 * Nobody is redeeming. `unresolved` says that an earlier redemption of the refresh token was never answered.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Idle = Schema.TaggedStruct("Idle", { unresolved: Schema.Boolean, pause: Schema.optional(Pause) })

/**
 * @since 0.1.0
 * @category models
 */
export type Idle = typeof Idle.Type

/**
 * One attempt is redeeming the refresh token. After `until` (epoch milliseconds) another may take over.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Redeeming = Schema.TaggedStruct("Redeeming", {
  attempt: Schema.String,
  until: Schema.Number,
  unresolved: Schema.Boolean,
  /** The pause that there was when the attempt began, for who had not heard of it. */
  pause: Schema.optional(Pause)
})

/**
 * The session cannot be renewed any more. Its access token, if any is left, may still be valid for a while.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Dead = Schema.TaggedStruct("Dead", { reason: ReauthorizationReason })

/**
 * Which sign-in a session comes from: whatever is renewed afterwards comes from it too. `at` is in epoch milliseconds.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SignIn = Schema.Struct({ id: Schema.String, at: Schema.Number })

/**
 * @since 0.1.0
 * @category models
 */
export interface SignIn extends Schema.Schema.Type<typeof SignIn> {}

/**
 * The schema of a stored session, version 1. Encoded it is JSON with the secrets in clear: for a store alone.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SessionRecord = Schema.Struct({
  version: Schema.Literal(1),
  generation: Schema.Number,
  /** Absent: from before there was such a thing, or from a grant that is run again and again. */
  signIn: Schema.optional(SignIn),
  token: Schema.optional(Token),
  /** A refresh token that came in a reply whose access token was refused. It supersedes the token's own. */
  refreshToken: Schema.optional(Schema.Redacted(Schema.String.pipe(Schema.filter(isTokenText)))),
  /**
   * A refresh token that came of a second redemption beside the one that was kept: tried once if that one is refused.
   */
  alternate: Schema.optional(Schema.Redacted(Schema.String.pipe(Schema.filter(isTokenText)))),
  /** Sign-in, token, refresh token and alternate, encrypted, in their place. See `EncryptedStore`. */
  sealed: Schema.optional(Schema.String),
  /** When an encrypted session was last renewed, in epoch milliseconds. Others tell by their token. */
  renewedAt: Schema.optional(Schema.Number),
  state: Schema.Union(Idle, Redeeming, Dead)
}).annotations(withoutValues("The session record"))

/**
 * @since 0.1.0
 * @category models
 */
export interface SessionRecord extends Schema.Schema.Type<typeof SessionRecord> {}

/**
 * Nobody redeems, and nothing is in doubt. One value for all records, so that a session costs less memory.
 *
 * @since 0.1.0
 * @category constants
 */
export const idle: SessionRecord["state"] = { _tag: "Idle", unresolved: false }

/**
 * A record with a token just issued.
 *
 * @since 0.1.0
 * @category constructors
 */
export const authorized = (generation: number, token: Token, signIn?: SignIn): SessionRecord => ({
  version: 1,
  generation,
  ...(signIn === undefined ? undefined : { signIn }),
  token,
  state: idle
})

/**
 * Whether two records have the same tokens, or are dead both.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSameContent = (self: SessionRecord, that: SessionRecord): boolean =>
  textOf(self.token?.accessToken) === textOf(that.token?.accessToken) &&
  textOf(refreshToken(self)) === textOf(refreshToken(that)) &&
  (self.state._tag === "Dead") === (that.state._tag === "Dead")

const textOf = (secret: Redacted.Redacted<string> | undefined) => secret && Redacted.value(secret)

/**
 * Whether two records come from one sign-in, so that the refresh tokens of one may be tried for the other.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSameSignIn = (self: SessionRecord, that: SessionRecord): boolean => self.signIn?.id === that.signIn?.id

/**
 * The refresh token to redeem next, if any.
 *
 * @since 0.1.0
 * @category accessors
 */
export const refreshToken = (self: SessionRecord): Redacted.Redacted<string> | undefined =>
  self.refreshToken ?? self.token?.refreshToken

/**
 * When the session was last renewed, in epoch milliseconds, as far as that is known; else 0.
 *
 * @since 0.1.0
 * @category accessors
 */
export const renewedAt = (self: SessionRecord): number => self.renewedAt ?? self.token?.issuedAt ?? 0

/**
 * The next generation after a reply that was refused: its refresh token, and the access token held before for as long
 * as that is valid.
 *
 * @since 0.1.0
 * @category combinators
 */
export const superseded = (self: SessionRecord, refreshToken: Redacted.Redacted<string>): SessionRecord => ({
  ...next(self),
  refreshToken,
  state: idle
})

/**
 * The record of a session that cannot be renewed: what could be redeemed is erased.
 *
 * @since 0.1.0
 * @category combinators
 */
export const dead = (self: SessionRecord, reason: ReauthorizationReason): SessionRecord => ({
  ...next(self),
  state: { _tag: "Dead", reason }
})

/**
 * The next generation after a second redemption of the same refresh token was answered: as it was, with what the second
 * one gave beside it.
 *
 * @since 0.1.0
 * @category combinators
 */
export const reconciled = (self: SessionRecord, alternate: Redacted.Redacted<string>): SessionRecord => ({
  ...self,
  generation: self.generation + 1,
  alternate,
  state: { _tag: "Idle", ...asIdle(self) }
})

/**
 * What is left of the state when the attempt ends without a result, as if it had never been made.
 *
 * @since 0.1.0
 * @category accessors
 */
export const asIdle = (self: SessionRecord): Omit<Idle, "_tag"> => {
  const left = pause(self)
  return { unresolved: isUnresolved(self), ...(left === undefined ? undefined : { pause: left }) }
}

/**
 * The record with its alternate to redeem, which then is none any more.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withAlternate = (
  { alternate: _, ...self }: SessionRecord,
  refreshToken: Redacted.Redacted<string>
): SessionRecord => ({ ...self, refreshToken })

/**
 * The pause after failures that was left in the record, if any.
 *
 * @since 0.1.0
 * @category accessors
 */
export const pause = ({ state }: SessionRecord): Pause | undefined => state._tag === "Dead" ? undefined : state.pause

/**
 * Whether an earlier redemption of the refresh token was never answered.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isUnresolved = ({ state }: SessionRecord): boolean => state._tag !== "Dead" && state.unresolved

/**
 * The record without anything to redeem.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withoutRefreshToken = ({ refreshToken: _, ...self }: SessionRecord): SessionRecord =>
  self.token === undefined ? self : { ...self, token: tokenWithoutRefresh(self.token) }

/** The next generation, with nothing to redeem. */
const next = ({ generation, signIn, token }: SessionRecord) => ({
  version: 1 as const,
  generation: generation + 1,
  ...(signIn === undefined ? undefined : { signIn }),
  ...(token === undefined ? undefined : { token: tokenWithoutRefresh(token) })
})

const tokenWithoutRefresh = ({ refreshToken: _, ...token }: Token): Token => token
