/** The store of one tab, beside the frames and copies of that tab, in a real browser. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Browser, Page as Tab } from "playwright-core"
import * as AuthorizationServer from "../../../support/browser/authorizationServer.js"
import { bundle } from "../../../support/browser/bundle.js"
import * as Chromium from "../../../support/browser/chromium.js"
import * as Site from "../../../support/browser/site.js"
import type { Page } from "./pages/signInPage.js"

declare const page: Page

class House extends Context.Tag("House")<House, {
  readonly browser: Browser
  readonly origin: string
  readonly server: AuthorizationServer.AuthorizationServer
}>() {}

const HouseLive = Layer.scoped(
  House,
  Effect.gen(function*() {
    const script = yield* Effect.promise(() => bundle(new URL("./pages/signInPage.ts", import.meta.url)))
    const { origin } = yield* Site.serve({
      "/": Site.page("/page.js"),
      "/callback": Site.page("/page.js"),
      "/page.js": Site.script(script)
    })
    const server = yield* AuthorizationServer.make({ tokenSeconds: 60, redirectUris: [`${origin}/callback`] })
    return { browser: yield* Chromium.launch, origin, server }
  })
)

const promise = Effect.promise

/** A tab in which somebody has signed in, by redirect. */
const signedIn = Effect.gen(function*() {
  const { browser, origin, server } = yield* House
  const context = yield* Effect.acquireRelease(
    promise(() => browser.newContext()),
    (context) => promise(() => context.close())
  )
  const settings = JSON.stringify({ issuer: server.issuer, redirectUri: `${origin}/callback` })
  yield* promise(() =>
    context.addInitScript(([origin, settings]) => {
      if (location.origin === origin) localStorage.setItem("settings", settings!)
    }, [origin, settings])
  )
  return yield* promise(async () => {
    const tab = await context.newPage()
    await tab.goto(origin)
    await tab.evaluate(() => void page.redirect())
    await tab.waitForURL(/sign-in/)
    await tab.fill("[name=name]", "ada")
    await tab.fill("[name=password]", "lovelace")
    await tab.click("button")
    await tab.waitForURL(/callback/)
    await tab.waitForLoadState()
    assert.deepStrictEqual(await tab.evaluate(() => page.answered), { value: "Completed /" })
    return tab
  })
})

const isAuthorized = (tab: Tab, key?: string) => promise(() => tab.evaluate((key) => page.isAuthorized(key), key))

layer(HouseLive, { excludeTestServices: true, timeout: 60_000 })("a tab's store", (it) => {
  it.scoped("a frame of the tab, as for a silent sign-in, takes nothing away from it", () =>
    Effect.gen(function*() {
      const tab = yield* signedIn
      const silent = yield* promise(() => tab.evaluate(() => page.silent({ sessionKey: "again" })))
      assert.deepStrictEqual(silent, { value: "again" })
      yield* promise(() => tab.reload())
      assert.deepStrictEqual(yield* isAuthorized(tab), { value: true })
      assert.deepStrictEqual(yield* isAuthorized(tab, "again"), { value: true })
    }))

  it.scoped("a copy of the tab starts signed out, also when the tab has had a frame", () =>
    Effect.gen(function*() {
      const { origin } = yield* House
      const tab = yield* signedIn
      yield* promise(() => tab.evaluate(() => page.silent()))
      const copy = yield* promise(async () => {
        const [copy] = await Promise.all([
          tab.waitForEvent("popup"),
          tab.evaluate((url) => void globalThis.open(url), origin)
        ])
        await copy.waitForLoadState()
        return copy
      })
      assert.deepStrictEqual(yield* isAuthorized(copy), { value: false })
      assert.deepStrictEqual(yield* isAuthorized(tab), { value: true })
    }))
})
