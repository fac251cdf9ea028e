/** Where sign-ins by redirect return to, by state, in this tab's `sessionStorage`. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ReturnTo from "../ReturnTo.js"
import { SignInError } from "../SignInError.js"

const prefix = "effect-oauth2 return "
const exchange = "effect-oauth2 exchange"

/** Remembers it. What was remembered for sign-ins that came to nothing is forgotten. */
export const remember = (state: string, returnTo: string): void => {
  const old = Object.keys(sessionStorage).filter((key) => key.startsWith(prefix)).slice(0, -most)
  for (const key of old) sessionStorage.removeItem(key)
  sessionStorage.setItem(prefix + state, returnTo)
}

/** How many sign-ins of one tab are remembered. */
const most = 20

/** `undefined`: no sign-in by redirect has this state. What somebody else has written there leads nowhere else. */
export const of = (state: string): string | undefined => {
  const text = sessionStorage.getItem(prefix + state)
  return text === null ? undefined : Either.getOrElse(ReturnTo.parse(text), () => "/")
}

/** From now on a reload would find that the exchange was cut off. */
export const exchanging = (state: string, returnTo: string): void => {
  sessionStorage.removeItem(prefix + state)
  sessionStorage.setItem(exchange, returnTo)
}

export const forget = (state: string): void => {
  sessionStorage.removeItem(prefix + state)
  sessionStorage.removeItem(exchange)
}

/** Fails when the page was left in the middle of an exchange, once. */
export const interrupted: Effect.Effect<void, SignInError> = Effect.suspend(() => {
  if (sessionStorage.getItem(exchange) === null) return Effect.void
  sessionStorage.removeItem(exchange)
  return new SignInError({ reason: "Interrupted" })
})
