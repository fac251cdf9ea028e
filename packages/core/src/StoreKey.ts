/**
 * The keys that the sessions of one client have in a store: no two clients, and no two sessions, have the same.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { type Registration, server } from "./Registration.js"

/**
 * What the keys of all the client's sessions begin with.
 *
 * @since 0.1.0
 * @category constructors
 */
export const namespace = (registration: Registration): string =>
  JSON.stringify([server(registration), registration.clientId, ...registration.resource])

/**
 * The key of a session, of which the application has its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (namespace: string, sessionKey: string): string => namespace + JSON.stringify(sessionKey)

/**
 * The application's own key, or `undefined` when it is no session of this client.
 *
 * @since 0.1.0
 * @category accessors
 */
export const sessionKey = (namespace: string, key: string): string | undefined =>
  Option.getOrUndefined(
    Option.filter(key.startsWith(namespace) ? parsed(key.slice(namespace.length)) : Option.none(), Predicate.isString)
  )

const parsed = Option.liftThrowable((text: string): unknown => JSON.parse(text))
