/**
 * A session that is used and never renewed, for where a refresh has no place: a page that is rendered on a server, a
 * function that may be stopped at any time.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { OAuth2ClientService } from "./OAuth2Client.js"
import { type OAuth2Error, ReauthorizationRequired, RefreshFailed } from "./OAuth2Error.js"
import { OAuth2Session } from "./OAuth2Session.js"
import { anyToken, type Held } from "./SessionMemory.js"
import * as StoreKey from "./StoreKey.js"
import type { TokenManager } from "./TokenManager.js"

/**
 * The session under the key, `"default"` if none is named. Its token is served while it is valid; no request is made for
 * another, neither early nor after a resource's 401. An expired one is `RefreshFailed`, reason `ReadOnly`; what else
 * there is to fail with is as for any session.
 *
 * @example
 * import { OAuth2Client, ReadOnlySession } from "@effect-oauth2/core"
 * import { Effect } from "effect"
 *
 * export const render = <A, E, R>(userKey: string, page: Effect.Effect<A, E, R | OAuth2Client.OAuth2Client>) =>
 *   Effect.flatMap(OAuth2Client.OAuth2Client, (client) =>
 *     Effect.provideService(page, OAuth2Client.OAuth2Client.CurrentSession, ReadOnlySession.make(client, userKey)))
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = ({ manager }: OAuth2ClientService, sessionKey = "default"): OAuth2Session =>
  new OAuth2Session(sessionKey, readOnly(manager))

/**
 * The token as it is held or stored, if it can be presented. Nothing is renewed. Fails with `ReauthorizationRequired`,
 * reason `NoSession`, when there is none, and with `StoreError`.
 *
 * @since 0.1.0
 * @category accessors
 */
export const look = (
  { memory, namespace, store }: TokenManager,
  sessionKey: string
): Effect.Effect<Held | undefined, OAuth2Error> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const held = memory.peek(sessionKey, now)
    if (held !== undefined) return Effect.succeed(held)
    return Effect.flatMap(store.get(StoreKey.make(namespace, sessionKey)), (record) =>
      Option.isNone(record)
        ? new ReauthorizationRequired({ reason: "NoSession" })
        : Effect.succeed(memory.usable(record.value, now, anyToken)))
  })

const readOnly = (manager: TokenManager): TokenManager => ({
  ...manager,
  acquire: (sessionKey) => Effect.flatMap(look(manager, sessionKey), (held) => held ? Effect.succeed(held) : refused),
  renew: () => refused,
  rejected: () => Effect.succeed(undefined)
})

const refused = Effect.fail(new RefreshFailed({ reason: "ReadOnly" }))
