import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const names = ["window", "document", "navigator", "location", "history", "localStorage", "sessionStorage", "indexedDB"]

it.scoped("importing the package touches nothing of a page, so that a server may render with it", () =>
  Effect.gen(function*() {
    const touched: Array<string> = []
    for (const name of [...names, "fetch", "crypto"]) yield* watched(name, touched)
    const module = yield* Effect.promise(() => import("@effect-oauth2/platform-browser"))
    assert.isDefined(module.BrowserPlatform.layer)
    assert.deepStrictEqual(touched, [])
    assert.isUndefined((globalThis as { readonly window?: unknown }).window)
    assert.deepStrictEqual(touched, ["window"], "whoever touches it is seen")
  }))

/** The global, for as long as the scope, tells of whoever reads it. */
const watched = (name: string, touched: Array<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.getOwnPropertyDescriptor(globalThis, name)
      const value: unknown = Reflect.get(globalThis, name)
      Object.defineProperty(globalThis, name, {
        configurable: true,
        get: () => {
          touched.push(name)
          return value
        }
      })
      return before
    }),
    (before) =>
      Effect.sync(() => {
        Reflect.deleteProperty(globalThis, name)
        if (before !== undefined) Object.defineProperty(globalThis, name, before)
      })
  )
