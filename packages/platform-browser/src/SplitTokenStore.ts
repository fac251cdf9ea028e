/**
 * The access token in the memory of this page alone, and in the store below no more than is needed to renew: the refresh
 * token. After a reload a session is renewed at its first use: a reload in the middle of that leaves the renewal in doubt.
 *
 * The store below has to be this tab's own. Over one that tabs share, what another tab renewed would bring no access token
 * here, and every renewal would ask for the next.
 *
 * @since 0.1.0
 */
import { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import * as SessionRecord from "@effect-oauth2/core/SessionRecord"
import * as SharedKeeper from "@effect-oauth2/core/SharedKeeper"
import type { Token } from "@effect-oauth2/core/Token"
import { type SharedStore, TokenStore, type TokenStoreService } from "@effect-oauth2/core/TokenStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

/** What of a record of this generation is not in the store as it was. */
interface Held extends Pick<SessionRecord.SessionRecord, "generation" | "token" | "refreshToken" | "renewedAt"> {
  readonly token: Token
}

/**
 * The store, without access tokens. It fails as the store below does.
 *
 * Fails with `ConfigurationError`, field `store`, over a store that others share.
 *
 * @since 0.1.0
 * @category combinators
 */
export const make = (self: TokenStoreService): Effect.Effect<SharedStore, ConfigurationError> =>
  Effect.suspend(() => {
    if (self.sharing !== "tab" && self.sharing !== "process") {
      return new ConfigurationError({
        field: "store",
        problem: `is shared by ${self.sharing}. Split a store of this tab alone, or keep access tokens in the store`
      })
    }
    const held = new Map<string, Held>()

    const strip = (record: SessionRecord.SessionRecord): SessionRecord.SessionRecord => {
      const { token, ...rest } = record
      if (token === undefined) return record
      const refreshToken = SessionRecord.refreshToken(record)
      return { ...rest, ...(refreshToken === undefined ? undefined : { refreshToken }), renewedAt: token.issuedAt }
    }

    /** Once the store has what belongs to it. */
    const keep = (
      key: string,
      generation: number,
      { refreshToken, renewedAt, token }: SessionRecord.SessionRecord
    ): void => {
      if (token === undefined) held.delete(key)
      else {
        held.set(key, {
          generation,
          token,
          ...(refreshToken === undefined ? undefined : { refreshToken }),
          ...(renewedAt === undefined ? undefined : { renewedAt })
        })
      }
    }

    /** What is stored, with what came with it: no other record is that token's. */
    const whole = (key: string) => (record: SessionRecord.SessionRecord): SessionRecord.SessionRecord => {
      const here = held.get(key)
      if (here?.generation !== record.generation || record.token !== undefined) return record
      const { refreshToken: _, renewedAt: __, ...rest } = record
      return { ...rest, ...here }
    }

    return Effect.succeed({
      ...self,
      keeper: SharedKeeper.make,
      get: (key) => Effect.map(self.get(key), Option.map(whole(key))),
      begin: (key, claim, hold) =>
        Effect.map(self.begin(key, claim, hold), (outcome) =>
          outcome._tag === "Busy" || outcome.record === undefined
            ? outcome
            : { ...outcome, record: whole(key)(outcome.record) }),
      commit: (key, claim, next) =>
        Effect.map(self.commit(key, claim, strip(next)), (outcome) => {
          if (outcome._tag === "Committed") {
            keep(key, next.generation, next)
            return outcome
          }
          return { ...outcome, record: outcome.record && whole(key)(outcome.record) }
        }),
      replace: (key, record) =>
        Effect.map(self.replace(key, strip(record)), (stored) => {
          keep(key, stored.generation, record)
          return whole(key)(stored)
        }),
      remove: (key) =>
        Effect.map(self.remove(key), (record) => {
          const removed = Option.map(record, whole(key))
          held.delete(key)
          return removed
        }),
      rename: (from, to, hold) =>
        Effect.tap(self.rename(from, to, hold), ({ _tag }) =>
          Effect.sync(() => {
            if (_tag !== "Renamed" || from === to) return
            const moved = held.get(from)
            held.delete(from)
            if (moved === undefined) held.delete(to)
            else held.set(to, moved)
          }))
    })
  })

/**
 * The same over the `TokenStore` that is provided to it, and in its place.
 *
 * Fails with `ConfigurationError`, field `store`, over a store that others share.
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
export const layer: Layer.Layer<TokenStore, ConfigurationError, TokenStore> = Layer.effect(
  TokenStore,
  Effect.flatMap(TokenStore, make)
)
