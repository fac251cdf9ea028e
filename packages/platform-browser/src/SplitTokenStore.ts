/**
 * The access token in the memory of this page alone, and in the store below no more than is needed to renew: the refresh
 * token. After a reload a session is renewed at its first use.
 *
 * Over a store that tabs share, each tab has an access token of its own. What another tab renewed brings no access token
 * here, so the one that is held goes on until its end, and then this tab renews for itself: as many renewals as tabs.
 *
 * @since 0.1.0
 */
import type { StoreError } from "@effect-oauth2/core/OAuth2Error"
import * as SessionRecord from "@effect-oauth2/core/SessionRecord"
import * as SharedKeeper from "@effect-oauth2/core/SharedKeeper"
import type { Token } from "@effect-oauth2/core/Token"
import { type SharedStore, TokenStore, type TokenStoreService } from "@effect-oauth2/core/TokenStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

/**
 * The store, without access tokens. It fails as the store below does.
 *
 * @since 0.1.0
 * @category combinators
 */
export const make = (self: TokenStoreService): Effect.Effect<SharedStore> =>
  Effect.sync(() => {
    const held = new Map<string, Token>()

    /** Keeps the token here; what is left is to be stored. */
    const strip = (key: string, record: SessionRecord.SessionRecord): SessionRecord.SessionRecord => {
      const { token, ...rest } = record
      if (token === undefined) return record
      held.set(key, token)
      const refreshToken = SessionRecord.refreshToken(record)
      return { ...rest, ...(refreshToken === undefined ? undefined : { refreshToken }), renewedAt: token.issuedAt }
    }

    /** What is stored, with the token that is held here while it lasts. */
    const whole = (key: string, now: number) => (record: SessionRecord.SessionRecord): SessionRecord.SessionRecord => {
      const token = held.get(key)
      if (token === undefined || record.token !== undefined) return record
      if (token.expiresAt !== undefined && token.expiresAt <= now) {
        held.delete(key)
        return record
      }
      const { refreshToken: _, ...access } = token
      return { ...record, token: access }
    }

    const read = <A>(
      key: string,
      effect: Effect.Effect<A, StoreError>,
      map: (outcome: A, whole: (record: SessionRecord.SessionRecord) => SessionRecord.SessionRecord) => A
    ): Effect.Effect<A, StoreError> =>
      Effect.zipWith(effect, Clock.currentTimeMillis, (outcome, now) => map(outcome, whole(key, now)))

    return {
      ...self,
      keeper: SharedKeeper.make,
      get: (key) => read(key, self.get(key), (record, whole) => Option.map(record, whole)),
      begin: (key, claim, hold) =>
        read(key, self.begin(key, claim, hold), (outcome, whole) =>
          outcome._tag === "Busy" || outcome.record === undefined
            ? outcome
            : { ...outcome, record: whole(outcome.record) }),
      commit: (key, claim, next) =>
        read(key, self.commit(key, claim, strip(key, next)), (outcome, whole) =>
          outcome._tag === "Committed" || outcome.record === undefined
            ? outcome
            : { ...outcome, record: whole(outcome.record) }),
      replace: (key, record) =>
        read(key, self.replace(key, strip(key, record)), (record, whole) =>
          whole(record)),
      remove: (key) =>
        Effect.map(
          read(key, self.remove(key), (record, whole) =>
            Option.map(record, whole)),
          (record) => {
            held.delete(key)
            return record
          }
        ),
      rename: (from, to) =>
        Effect.map(self.rename(from, to), (isMoved) => {
          const token = held.get(from)
          if (isMoved && from !== to) {
            held.delete(from)
            if (token === undefined) {
              held.delete(to)
            } else held.set(to, token)
          }
          return isMoved
        })
    }
  })

/**
 * The same over the `TokenStore` that is provided to it, and in its place.
 *
 * @example
 * import { SessionStorageTokenStore, SplitTokenStore } from "@effect-oauth2/platform-browser"
 * import { Layer } from "effect"
 *
 * export const StoreLive = SplitTokenStore.layer.pipe(Layer.provide(SessionStorageTokenStore.layer))
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<TokenStore, never, TokenStore> = Layer.effect(
  TokenStore,
  Effect.flatMap(TokenStore, make)
)
