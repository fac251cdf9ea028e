/** Everything that a value can be turned into by those who print, log or send it. */
import { Cause, Exit, Inspectable } from "effect"
import { inspect } from "node:util"

/** The renderings of a value, each with its name. */
export const renderings = (value: unknown): ReadonlyArray<readonly [name: string, text: string]> =>
  Object.entries(renderers).map(([name, render]) => [name, attempt(() => render(value))] as const)

const renderers: Readonly<Record<string, (value: unknown) => string>> = {
  String: (value) => String(value),
  template: (value) => `${value as string}`,
  JSON: (value) => JSON.stringify(value) ?? "",
  inspect: (value) => inspect(value, { depth: 10, showHidden: true }),
  "inspect, nothing custom": (value) => inspect(value, { depth: 10, showHidden: true, customInspect: false }),
  "inspect, getters": (value) => inspect(value, { depth: 10, showHidden: true, getters: true }),
  "Inspectable.format": (value) => Inspectable.format(value),
  "Inspectable.toStringUnknown": (value) => Inspectable.toStringUnknown(value),
  "Cause.pretty": (value) => Cause.pretty(Cause.fail(value), { renderErrorCause: true }),
  "Cause.pretty of a defect": (value) => Cause.pretty(Cause.die(value), { renderErrorCause: true }),
  "Cause in JSON": (value) => JSON.stringify(Cause.fail(value)),
  "Exit in inspect": (value) => inspect(Exit.fail(value), { depth: 10, showHidden: true }),
  "own properties": (value) => ownProperties(value),
  message: (value) => value instanceof Error ? `${value.name} ${value.message} ${value.stack ?? ""}` : ""
}

/** What a careless logger does that walks through everything, the hidden members included. */
const ownProperties = (value: unknown, depth = 6, seen = new Set<unknown>()): string => {
  if (typeof value !== "object" || value === null || depth === 0 || seen.has(value)) return ""
  seen.add(value)
  return Reflect.ownKeys(value).map((key) => {
    const own = Object.getOwnPropertyDescriptor(value, key)
    return `${String(key)} ${typeof own?.value === "string" ? own.value : ownProperties(own?.value, depth - 1, seen)}`
  }).join("\n")
}

/** The renderings that go by the value's own members, past what it says of itself. */
const walking = new Set(["inspect, nothing custom", "own properties"])

/**
 * The leaks by all renderings but those that walk: for effect's own `ParseError`, which holds what it could not decode
 * and shows it to nobody who prints it.
 */
export const printed = (value: unknown, secrets: ReadonlyArray<string>): ReadonlyArray<string> =>
  renderings(value).filter(([name]) => !walking.has(name)).flatMap(([name, text]) => shown(name, text, secrets))

/** Some values cannot be rendered in some ways: circular ones in JSON, those without prototype as text. */
const attempt = (render: () => string): string => {
  try {
    return render()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Which of the secrets are shown, and by which rendering. A piece of a secret, from 12 characters on, is a leak too. */
export const leaks = (value: unknown, secrets: ReadonlyArray<string>): ReadonlyArray<string> =>
  typeof value === "string" ?
    shown("the text", value, secrets) :
    renderings(value).flatMap(([name, text]) => shown(name, text, secrets))

const shown = (name: string, text: string, secrets: ReadonlyArray<string>): ReadonlyArray<string> =>
  secrets.filter((secret) => forms(secret).some((form) => text.includes(form))).map((secret) => `${name}: ${secret}`)

/** A secret as it may stand in a form, in a Basic header, in JSON, or cut. */
const forms = (secret: string): ReadonlyArray<string> => [
  secret,
  encodeURIComponent(secret),
  btoa(secret),
  secret.slice(0, 12),
  secret.slice(-12)
]
