/**
 * What happened to sessions, for those who watch: nothing depends on an event being seen.
 *
 * @since 0.1.0
 */
import type { Cause } from "effect/Cause"
import * as Data from "effect/Data"
import type { AttemptError, ReauthorizationReason } from "./OAuth2Error.js"
import type { Outcome } from "./RefreshPolicy.js"
import type { Scope } from "./Scope.js"

/**
 * `sessionKey` is the application's own key. Events hold no token.
 *
 * - `Authorized`: a grant was exchanged and the session stored.
 * - `Refreshed`: the session was renewed.
 * - `Adopted`: another process had renewed it already.
 * - `RenewalFailed`: an attempt failed; the session is kept. `servedStale` when its token is still valid.
 * - `Dead`: the session cannot be renewed any more.
 * - `SaveFailed`, `Saved`: a renewed token could not be written and is held in memory; it was written at last.
 * - `SignedOut`, `Renamed`: what they say. `Removed`: another process did one of them.
 *
 * @since 0.1.0
 * @category models
 */
export type SessionEvent = Data.TaggedEnum<{
  Authorized: { readonly sessionKey: string; readonly generation: number }
  Refreshed: { readonly sessionKey: string; readonly generation: number }
  Adopted: { readonly sessionKey: string; readonly generation: number }
  RenewalFailed: {
    readonly sessionKey: string
    readonly generation: number
    readonly outcome: Outcome
    readonly error: AttemptError
    readonly servedStale: boolean
    /** When the next attempt is allowed, in epoch milliseconds. */
    readonly retryAt: number
  }
  Dead: { readonly sessionKey: string; readonly reason: ReauthorizationReason }
  SaveFailed: { readonly sessionKey: string; readonly generation: number }
  Saved: { readonly sessionKey: string; readonly generation: number }
  SignedOut: { readonly sessionKey: string }
  Removed: { readonly sessionKey: string }
  ScopeDiffers: {
    readonly sessionKey: string
    readonly granted: Scope
    readonly missing: Scope
    readonly additional: Scope
  }
  ObserverFailed: { readonly sessionKey: string; readonly cause: Cause<never> }
  Renamed: { readonly sessionKey: string; readonly from: string }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const SessionEvent = Data.taggedEnum<SessionEvent>()
