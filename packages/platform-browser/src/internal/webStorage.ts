/** Texts in `sessionStorage` or `localStorage`, under a prefix. */
import { ConfigurationError, StoreError } from "@effect-oauth2/core/OAuth2Error"
import * as Effect from "effect/Effect"
import type { Step, Texts } from "./storedTexts.js"

export const unusable = (field: "sessionStorage" | "localStorage"): ConfigurationError =>
  new ConfigurationError({ field, problem: "cannot be used here. The browser's settings forbid it, or it is full" })

/** The page's storage, or why it cannot be used. */
export const storage = (name: "sessionStorage" | "localStorage"): Effect.Effect<Storage, ConfigurationError> =>
  Effect.try({
    try: () => {
      const storage = globalThis[name]
      storage.getItem("")
      return storage
    },
    catch: () => unusable(name)
  })

/** What nobody else may come between is run by `alone`. */
export const texts = (
  storage: Storage,
  prefix: string,
  alone: <A>(act: () => A) => Promise<A> | A = (act) => act()
): Texts => ({
  step: <A>(
    operation: string,
    keys: ReadonlyArray<string>,
    act: (texts: ReadonlyArray<string | undefined>) => Step<A>
  ) =>
    Effect.flatten(
      Effect.tryPromise({
        try: async () =>
          await alone(() => {
            const { answer, writes = [] } = act(keys.map((key) => storage.getItem(prefix + key) ?? undefined))
            for (const [key, text] of writes) {
              if (text === undefined) storage.removeItem(prefix + key)
              else storage.setItem(prefix + key, text)
            }
            return answer
          }),
        catch: () => new StoreError({ operation, reason: "Unavailable" })
      })
    ),
  all: Effect.sync(() => entries(storage, prefix))
})

/** What is under the prefix. */
export const entries = (storage: Storage, prefix: string): ReadonlyArray<readonly [key: string, text: string]> =>
  Object.keys(storage).filter((key) => key.startsWith(prefix)).flatMap((key) => {
    const text = storage.getItem(key)
    return text === null ? [] : [[key.slice(prefix.length), text] as const]
  })
