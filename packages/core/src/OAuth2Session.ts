/**
 * One authorized session, by the application's own key.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { OAuth2Error } from "./OAuth2Error.js"
import type { Held } from "./SessionMemory.js"
import type { Token } from "./Token.js"
import type { SignedOut, TokenManager } from "./TokenManager.js"

/**
 * A handle on a session. It holds no token: making one costs nothing, and any number may stand for one session.
 *
 * @since 0.1.0
 * @category models
 */
export class OAuth2Session {
  readonly #key: string
  readonly #manager: TokenManager

  constructor(key: string, manager: TokenManager) {
    this.#key = key
    this.#manager = manager
  }

  /** The application's own key. */
  get key(): string {
    return this.#key
  }

  /**
   * A token that can be presented now. At once while one is valid; otherwise the session is renewed first, once for all
   * who wait.
   *
   * Fails with `ReauthorizationRequired` when only a new sign-in helps, `RefreshFailed` when the server cannot be asked
   * just now, `StoreError` when the store cannot.
   */
  get token(): Effect.Effect<Token, OAuth2Error> {
    return Effect.map(this.#manager.acquire(this.#key), (held) => held.token)
  }

  /** The text of {@link token}. */
  get accessToken(): Effect.Effect<Redacted.Redacted<string>, OAuth2Error> {
    return Effect.map(this.#manager.acquire(this.#key), (held) => held.token.accessToken)
  }

  /** Renews the session although its token may still be valid. Fails as {@link token} does. */
  get refresh(): Effect.Effect<Token, OAuth2Error> {
    return Effect.map(this.#manager.renew(this.#key), (held) => held.token)
  }

  /**
   * Whether a request would be sent with a token, now or after a renewal. A server that is down does not sign anyone
   * out. Fails with `StoreError`.
   */
  get isAuthorized(): Effect.Effect<boolean, OAuth2Error> {
    return Effect.as(this.#manager.acquire(this.#key), true).pipe(
      Effect.catchTags({
        ReauthorizationRequired: () => Effect.succeed(false),
        RefreshFailed: ({ reason }) => Effect.succeed(reason !== "ReadOnly")
      })
    )
  }

  /**
   * Ends the session here, then revokes its token at the server (RFC 7009) if the client has a revocation endpoint. A
   * failed revocation is reported in the result. Fails with `StoreError` when the session could not be erased.
   */
  get signOut(): Effect.Effect<SignedOut, OAuth2Error> {
    return this.#manager.signOut(this.#key)
  }

  /** @internal */
  peek(now: number): Held | undefined {
    return this.#manager.peek(this.#key, now)
  }

  /** @internal */
  get held(): Effect.Effect<Held, OAuth2Error> {
    return this.#manager.acquire(this.#key)
  }

  /** @internal */
  rejected(held: Held): Effect.Effect<Held | undefined, OAuth2Error> {
    return this.#manager.rejected(this.#key, held)
  }
}

/**
 * Identifies the session that requests of the named client are made with.
 *
 * @since 0.1.0
 * @category models
 */
export interface CurrentSessionOf<in out Id extends string> {
  readonly _: unique symbol
  readonly id: Id
}

/**
 * The tag of the named client's current session.
 *
 * @since 0.1.0
 * @category tags
 */
export const currentSessionOf = <const Id extends string>(id: Id): Context.Tag<CurrentSessionOf<Id>, OAuth2Session> =>
  Context.GenericTag<CurrentSessionOf<Id>, OAuth2Session>(`@effect-oauth2/core/CurrentSession/${id}`)

/**
 * @since 0.1.0
 * @category models
 */
export type CurrentSession = CurrentSessionOf<"default">

/**
 * The session that requests are made with: `Effect.provideService(CurrentSession, session)`.
 *
 * @since 0.1.0
 * @category tags
 */
export const CurrentSession: Context.Tag<CurrentSession, OAuth2Session> = currentSessionOf("default")
