/** What the page looks like: pictures for people, and for a narrow screen also what can be measured. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { BrowserContextOptions } from "playwright-core"
import * as Visitor from "./support/Visitor.js"

const promise = Effect.promise
const folder = fileURLToPath(new URL("../screenshots/", import.meta.url))
mkdirSync(folder, { recursive: true })

const wide = { width: 1200, height: 900 }

/** Someone who has signed in, called, and had some trouble. */
const visit = (options: BrowserContextOptions) =>
  Effect.gen(function*() {
    const visitor = yield* Visitor.make(options)
    const tab = yield* visitor.open()
    yield* tab.signIn
    yield* tab.click("call-once")
    yield* tab.reads("answered", "1")
    yield* tab.click("expire")
    yield* tab.click("call-many")
    yield* tab.reads("answered", "21")
    yield* tab.reads("log", "all were answered")
    return tab
  })

const picture = (tab: Visitor.Tab, name: string, fullPage = true) =>
  promise(() => tab.page.screenshot({ path: `${folder}${name}.png`, fullPage }))

layer(Visitor.WorldLive, { excludeTestServices: true, timeout: 120_000 })("the look", (it) => {
  it.scoped("is there in light and in dark", () =>
    Effect.gen(function*() {
      const tab = yield* visit({ viewport: wide, colorScheme: "light", reducedMotion: "reduce" })
      const light = yield* picture(tab, "light")
      yield* promise(() => tab.page.emulateMedia({ colorScheme: "dark" }))
      const dark = yield* picture(tab, "dark")
      assert.isFalse(light.equals(dark))
    }))

  it.scoped("fits a screen of 360 pixels, where nothing is cut off, and can be used by keyboard alone", () =>
    Effect.gen(function*() {
      const visitor = yield* Visitor.make({ viewport: { width: 390, height: 844 } })
      const tab = yield* visitor.open()
      yield* tab.reads("state", "Signed out")
      yield* picture(tab, "narrow")
      yield* promise(() => tab.page.setViewportSize({ width: 360, height: 740 }))
      const overflow = yield* promise(() =>
        tab.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      )
      assert.isAtMost(overflow, 0)
      yield* promise(async () => {
        while (!(await tab.find("sign-in-redirect").evaluate((button) => button === document.activeElement))) {
          await tab.page.keyboard.press("Tab")
        }
        await tab.page.keyboard.press("Enter")
        await tab.page.waitForURL(/sign-in/)
      })
    }))
})
