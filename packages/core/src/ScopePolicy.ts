/**
 * What a grant of other scopes than those asked for means (RFC 6749 §3.3). Without a policy nothing: the token tells
 * what was granted. The token is kept in any case.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { ScopeMismatch } from "./OAuth2Error.js"
import * as Scope from "./Scope.js"
import { SessionEvent } from "./SessionEvent.js"
import type { Token } from "./Token.js"

/**
 * What was asked for, and what was granted to which session.
 *
 * @since 0.1.0
 * @category models
 */
export interface Granted {
  readonly sessionKey: string
  readonly requested: Scope.Scope
  readonly granted: Scope.Scope
  readonly token: Token
  /** Tells the subscribers of the client's events. */
  readonly publish: (event: SessionEvent) => Effect.Effect<unknown>
}

/**
 * @since 0.1.0
 * @category models
 */
export type ScopePolicy = (granted: Granted) => Effect.Effect<unknown, ScopeMismatch>

/**
 * A difference is an event, `ScopeDiffers`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const report: ScopePolicy = ({ granted, publish, requested, sessionKey }) => {
  const difference = Scope.compare(requested, granted)
  return isAny(difference) ? publish(SessionEvent.ScopeDiffers({ sessionKey, ...difference })) : Effect.void
}

/** `ScopeMismatch` where the scopes differ so. The error carries the token. */
const failOn =
  (isRefused: (difference: Scope.Comparison) => boolean): ScopePolicy => ({ granted, requested, token }) => {
    const difference = Scope.compare(requested, granted)
    return isRefused(difference) ? new ScopeMismatch({ ...difference, token }) : Effect.void
  }

const isMissing = ({ missing }: Scope.Comparison): boolean => missing.length > 0

const isAny = (difference: Scope.Comparison): boolean => isMissing(difference) || difference.additional.length > 0

/**
 * `ScopeMismatch` when a scope is missing. The error carries the token.
 *
 * @since 0.1.0
 * @category constructors
 */
export const failOnMissing: ScopePolicy = failOn(isMissing)

/**
 * `ScopeMismatch` when a scope is missing, and when there is one that was not asked for. The error carries the token.
 *
 * @since 0.1.0
 * @category constructors
 */
export const failOnAny: ScopePolicy = failOn(isAny)
