/** A database that is deleted under the pages that use it, as when the user clears the site's data. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page as Tab } from "playwright-core"
import * as Site from "../../../support/browser/site.js"
import type { Page } from "./pages/databasePage.js"
import * as House from "./support/house.js"

declare const page: Page

const HouseLive = House.layer({
  scripts: { "/page.js": new URL("./pages/databasePage.ts", import.meta.url) },
  files: { "/": Site.page("/page.js") }
})

/** Two tabs of one browser. */
const tabs = Effect.gen(function*() {
  const context = yield* House.profile
  return [yield* House.open(context), yield* House.open(context)] as const
})

const put = (tab: Tab, name: string) => House.promise(() => tab.evaluate((name) => page.put(name), name))
const get = (tab: Tab) => House.promise(() => tab.evaluate(() => page.get()))

layer(HouseLive, { excludeTestServices: true, timeout: 60_000 })("a database that is deleted", (it) => {
  it.scoped("R39 the next sign-in is kept for all tabs, and after a reload, whichever tab comes first", () =>
    Effect.gen(function*() {
      const [one, other] = yield* tabs
      yield* put(one, "before")
      assert.strictEqual(yield* get(other), "access-before")
      assert.strictEqual(yield* House.promise(() => other.evaluate(() => page.deleteDatabase())), "deleted")
      assert.strictEqual(yield* get(one), "nothing")

      yield* put(one, "after")
      assert.strictEqual(yield* get(other), "access-after")
      yield* House.promise(() => other.reload())
      assert.strictEqual(yield* get(other), "access-after")

      // A tab that has never seen the first key makes the database anew
      assert.strictEqual(yield* House.promise(() => one.evaluate(() => page.deleteDatabase())), "deleted")
      yield* House.promise(() => other.reload())
      yield* put(other, "again")
      assert.strictEqual(yield* get(one), "access-again")
      yield* put(one, "last")
      yield* House.promise(() => other.reload())
      assert.strictEqual(yield* get(other), "access-last")
    }))

  it.scoped("S70 the key that is stored cannot be taken out", () =>
    Effect.gen(function*() {
      const [tab] = yield* tabs
      yield* put(tab, "ada")
      assert.strictEqual(yield* House.promise(() => tab.evaluate(() => page.exportKey())), "refused")
    }))

  it.scoped("what was sealed with a key that is lost can be removed", () =>
    Effect.gen(function*() {
      const [tab] = yield* tabs
      yield* put(tab, "ada")
      yield* House.promise(() =>
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
      yield* House.promise(() => tab.reload())
      assert.strictEqual(yield* get(tab), "UnknownKey")
      assert.strictEqual(yield* House.promise(() => tab.evaluate(() => page.remove())), "nothing")
      assert.strictEqual(yield* get(tab), "nothing")
    }))
})
