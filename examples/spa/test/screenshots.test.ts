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

/** Someone who has signed in, called, and had some trouble, in one tab and in another. */
const visit = (options: BrowserContextOptions) =>
  Effect.gen(function*() {
    const visitor = yield* Visitor.make({ reducedMotion: "reduce", ...options })
    const tab = yield* visitor.open()
    yield* tab.signIn
    yield* tab.click("call-many")
    yield* tab.reads("answered", "20")
    const other = yield* visitor.open()
    yield* other.reads("state", "Signed in")
    yield* tab.click("expire")
    yield* tab.reads("log", "works no more")
    yield* other.click("call-many")
    yield* other.reads("answered", "20")
    yield* tab.reads("log", "This tab adopted")
    yield* tab.click("call-many")
    yield* tab.reads("answered", "40")
    yield* promise(() => tab.page.mouse.move(0, 0))
    return tab
  })

const picture = (tab: Visitor.Tab, name: string, fullPage = true) =>
  promise(() => tab.page.screenshot({ path: `${folder}${name}.png`, fullPage }))

layer(Visitor.layer(10), { excludeTestServices: true, timeout: 120_000 })("the look", (it) => {
  it.scoped("is there in light and in dark", () =>
    Effect.gen(function*() {
      const tab = yield* visit({ viewport: { width: 1200, height: 900 }, colorScheme: "light" })
      const light = yield* picture(tab, "light")
      yield* promise(() => tab.page.emulateMedia({ colorScheme: "dark" }))
      const dark = yield* picture(tab, "dark")
      assert.isFalse(light.equals(dark))
    }))

  it.scoped("fits a screen of 360 pixels, where nothing is cut off", () =>
    Effect.gen(function*() {
      const tab = yield* visit({ viewport: { width: 390, height: 844 } })
      yield* promise(() => tab.page.evaluate(() => globalThis.scrollTo(0, 0)))
      yield* picture(tab, "narrow", false)
      yield* promise(() => tab.page.setViewportSize({ width: 360, height: 740 }))
      const overflow = yield* promise(() =>
        tab.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
      )
      assert.isAtMost(overflow, 0)
    }))

  it.scoped("shows where the keyboard is, and a key signs in", () =>
    Effect.gen(function*() {
      const visitor = yield* Visitor.make()
      const tab = yield* visitor.open()
      yield* tab.reads("state", "Signed out")
      const button = tab.find("sign-in-redirect")
      yield* promise(() => tab.page.keyboard.press("Tab"))
      assert.isTrue(yield* promise(() => button.evaluate((button) => button === document.activeElement)))
      assert.notStrictEqual(
        yield* promise(() => button.evaluate((button) => getComputedStyle(button).outlineStyle)),
        "none"
      )
      yield* promise(() => tab.page.keyboard.press("Enter"))
      yield* promise(() => tab.page.waitForURL(/sign-in/))
    }))
})
