/** A database that is deleted under the pages that use it, as when the user clears the site's data. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Browser, Page as Tab } from "playwright-core"
import { bundle } from "../../../support/browser/bundle.js"
import * as Chromium from "../../../support/browser/chromium.js"
import * as Site from "../../../support/browser/site.js"
import type { Page } from "./pages/databasePage.js"

declare const page: Page

class House extends Context.Tag("House")<House, { readonly browser: Browser; readonly origin: string }>() {}

const HouseLive = Layer.scoped(
  House,
  Effect.gen(function*() {
    const browser = yield* Chromium.launch
    const script = yield* Effect.promise(() => bundle(new URL("./pages/databasePage.ts", import.meta.url)))
    const { origin } = yield* Site.serve({ "/": Site.page("/page.js"), "/page.js": Site.script(script) })
    return { browser, origin }
  })
)

/** Two tabs of one browser. */
const tabs = Effect.gen(function*() {
  const { browser, origin } = yield* House
  const context = yield* Effect.acquireRelease(
    Effect.promise(() => browser.newContext()),
    (context) => Effect.promise(() => context.close())
  )
  const open = Effect.promise(async () => {
    const tab = await context.newPage()
    await tab.goto(origin)
    return tab
  })
  return [yield* open, yield* open] as const
})

const put = (tab: Tab, name: string) => Effect.promise(() => tab.evaluate((name) => page.put(name), name))
const get = (tab: Tab) => Effect.promise(() => tab.evaluate(() => page.get()))

layer(HouseLive, { excludeTestServices: true, timeout: 60_000 })("a database that is deleted", (it) => {
  it.scoped("R39 the next sign-in is kept for all tabs, and after a reload, whichever tab comes first", () =>
    Effect.gen(function*() {
      const [one, other] = yield* tabs
      yield* put(one, "before")
      assert.strictEqual(yield* get(other), "access-before")
      assert.strictEqual(yield* Effect.promise(() => other.evaluate(() => page.deleteDatabase())), "deleted")
      assert.strictEqual(yield* get(one), "nothing")

      yield* put(one, "after")
      assert.strictEqual(yield* get(other), "access-after")
      yield* Effect.promise(() => other.reload())
      assert.strictEqual(yield* get(other), "access-after")

      // A tab that has never seen the first key makes the database anew
      assert.strictEqual(yield* Effect.promise(() => one.evaluate(() => page.deleteDatabase())), "deleted")
      yield* Effect.promise(() => other.reload())
      yield* put(other, "again")
      assert.strictEqual(yield* get(one), "access-again")
      yield* put(one, "last")
      yield* Effect.promise(() => other.reload())
      assert.strictEqual(yield* get(other), "access-last")
    }))

  it.scoped("S70 the key that is stored cannot be taken out", () =>
    Effect.gen(function*() {
      const [tab] = yield* tabs
      yield* put(tab, "ada")
      assert.strictEqual(yield* Effect.promise(() => tab.evaluate(() => page.exportKey())), "refused")
    }))

  it.scoped("what was sealed with a key that is lost can be removed", () =>
    Effect.gen(function*() {
      const [tab] = yield* tabs
      yield* put(tab, "ada")
      yield* Effect.promise(() =>
        tab.evaluate(() =>
          new Promise<void>((resolve) => {
            const open = indexedDB.open("effect-oauth2")
            open.onsuccess = () => {
              const { result } = open
              const transaction = result.transaction("keys", "readwrite")
              transaction.objectStore("keys").clear()
              transaction.oncomplete = () => {
                result.close()
                resolve()
              }
            }
          })
        )
      )
      yield* Effect.promise(() => tab.reload())
      assert.strictEqual(yield* get(tab), "UnknownKey")
      assert.strictEqual(yield* Effect.promise(() => tab.evaluate(() => page.remove())), "nothing")
      assert.strictEqual(yield* get(tab), "nothing")
    }))
})
