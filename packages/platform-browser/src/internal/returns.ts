/** Where sign-ins by redirect return to, by state, in this tab's `sessionStorage`. */
import { StoreError } from "@effect-oauth2/core/OAuth2Error"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ReturnTo from "../ReturnTo.js"
import { SignInError } from "../SignInError.js"
import { entries } from "./webStorage.js"

const prefix = "effect-oauth2 return "
const exchange = "effect-oauth2 exchange"

/** Whether it is this document that exchanges a code. */
let isOurs = false

const stored = <A>(operation: string, act: (storage: Storage, now: number) => A): Effect.Effect<A, StoreError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.try({
      try: () => act(globalThis.sessionStorage, now),
      catch: () => new StoreError({ operation, reason: "Unavailable" })
    }))

/** Remembers it until then, in epoch milliseconds. What was remembered for sign-ins that came to nothing is forgotten. */
export const remember = (state: string, returnTo: string, until: number): Effect.Effect<void, StoreError> =>
  stored("put", (storage, now) => {
    for (const [key, text] of entries(storage, prefix)) {
      if (!(parseInt(text) > now)) storage.removeItem(prefix + key)
    }
    storage.setItem(prefix + state, `${until} ${returnTo}`)
  })

/** `undefined`: no sign-in by redirect has this state. What somebody else has written there leads nowhere else. */
export const of = (state: string): Effect.Effect<string | undefined, StoreError> =>
  stored("get", (storage) => {
    const text = storage.getItem(prefix + state)
    return text === null ? undefined : Either.getOrElse(ReturnTo.parse(text.replace(/^\d+ /, "")), () => "/")
  })

/** From now on a reload would find that the exchange was cut off. */
export const exchanging = (state: string): Effect.Effect<void, StoreError> =>
  stored("consume", (storage) => {
    storage.removeItem(prefix + state)
    storage.setItem(exchange, state)
    isOurs = true
  })

/** The exchange has come to an end. */
export const forget: Effect.Effect<void> = Effect.ignore(stored("consume", (storage) => {
  isOurs = false
  storage.removeItem(exchange)
}))

/** Fails when an earlier document was left in the middle of an exchange, once. */
export const interrupted: Effect.Effect<void, SignInError | StoreError> = Effect.flatMap(
  stored("get", (storage) => {
    const wasInterrupted = !isOurs && storage.getItem(exchange) !== null
    if (wasInterrupted) storage.removeItem(exchange)
    return wasInterrupted
  }),
  (wasInterrupted) => wasInterrupted ? new SignInError({ reason: "Interrupted" }) : Effect.void
)
