/** Stores in `sessionStorage` that one page has beside each other, in a real browser. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page as Tab } from "playwright-core"
import * as Site from "../../../support/browser/site.js"
import type { Page } from "./pages/tabStorePage.js"
import * as House from "./support/house.js"
import { promise } from "./support/house.js"

declare const page: Page

const open = (tab: Tab, count: number) => promise(() => tab.evaluate((count) => page.open(count), count))
const close = (tab: Tab, index: number) => promise(() => tab.evaluate((index) => page.close(index), index))
const put = (tab: Tab, index: number, name: string) =>
  promise(() => tab.evaluate(([index, name]) => page.put(index, name), [index, name] as const))
const get = (tab: Tab, index: number) => promise(() => tab.evaluate((index) => page.get(index), index))

const HouseLive = House.layer({
  scripts: { "/page.js": new URL("./pages/tabStorePage.ts", import.meta.url) },
  files: { "/": Site.page("/page.js") }
})

type Locks = "with Web Locks" | "without"

/** A tab in which two stores are open, and the first has written. */
const written = (locks: Locks) =>
  Effect.gen(function*() {
    const context = yield* House.profile
    if (locks === "without") yield* House.withoutWebLocks(context)
    const tab = yield* House.open(context)
    yield* open(tab, 2)
    yield* put(tab, 0, "first")
    return tab
  })

layer(HouseLive, { excludeTestServices: true, timeout: 60_000 })("the stores of one page", (it) => {
  for (const locks of ["with Web Locks", "without"] as const) {
    it.scoped(`have the tab together, also when they are made at once after a reload (${locks})`, () =>
      Effect.gen(function*() {
        const tab = yield* written(locks)
        assert.strictEqual(yield* get(tab, 1), "access-first")
        yield* promise(() => tab.reload())
        yield* open(tab, 3)
        for (const index of [0, 1, 2]) assert.strictEqual(yield* get(tab, index), "access-first")
        yield* put(tab, 2, "second")
        assert.strictEqual(yield* get(tab, 0), "access-second")
      }))

    it.scoped(`leave the tab to those that are made when all of them have gone (${locks})`, () =>
      Effect.gen(function*() {
        const tab = yield* written(locks)
        yield* close(tab, 0)
        assert.strictEqual(yield* get(tab, 1), "access-first")
        yield* open(tab, 1)
        yield* close(tab, 1)
        yield* close(tab, 2)
        yield* open(tab, 2)
        assert.strictEqual(yield* get(tab, 3), "access-first")
        assert.strictEqual(yield* get(tab, 4), "access-first")
      }))
  }
})
