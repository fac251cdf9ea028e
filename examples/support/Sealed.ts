/**
 * Text sealed with AES-256-GCM under the application's key: what a browser carries and cannot read or change.
 */
import { type Config, Context, Effect, Encoding, Layer, Redacted } from "effect"
import type { ConfigError } from "effect/ConfigError"

export class Sealed extends Context.Tag("examples/Sealed")<Sealed, { readonly key: CryptoKey }>() {}

export class NotSealed extends Error {
  readonly _tag = "NotSealed"
}

/** `key`: 32 bytes in base64. */
export const layer = (key: Config.Config<Redacted.Redacted<string>>): Layer.Layer<Sealed, ConfigError | NotSealed> =>
  Layer.effect(
    Sealed,
    Effect.gen(function*() {
      const bytes = yield* Effect.mapError(
        Encoding.decodeBase64(Redacted.value(yield* key)),
        () => new NotSealed("The cookie key is not base64")
      )
      const cryptoKey = yield* Effect.tryPromise({
        try: () => crypto.subtle.importKey("raw", new Uint8Array(bytes), "AES-GCM", false, ["encrypt", "decrypt"]),
        catch: () => new NotSealed("The cookie key is not 32 bytes long")
      })
      return { key: cryptoKey }
    })
  )

export const seal = (text: string) =>
  Effect.flatMap(Sealed, ({ key }) =>
    Effect.promise(async () => {
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new TextEncoder().encode(text))
      return Encoding.encodeBase64Url(new Uint8Array([...iv, ...new Uint8Array(sealed)]))
    }))

export const open = (sealed: string) =>
  Effect.gen(function*() {
    const { key } = yield* Sealed
    const bytes = yield* Effect.mapError(Encoding.decodeBase64Url(sealed), () => new NotSealed("Not sealed by us"))
    return yield* Effect.tryPromise({
      try: async () => {
        const iv = bytes.slice(0, 12)
        const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, bytes.slice(12))
        return new TextDecoder().decode(text)
      },
      catch: () => new NotSealed("Not sealed by us")
    })
  })
