/** The store of one tab, beside the frames of that tab and over its reloads, in a real browser. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page as Tab } from "playwright-core"
import { refreshes } from "../../../support/browser/tabs.js"
import type { Page } from "./pages/sessionPage.js"
import * as House from "./support/house.js"
import { promise } from "./support/house.js"
import * as SessionTabs from "./support/sessionTabs.js"

declare const page: Page

/** A tab in which somebody has signed in, and its server. */
const signedIn = (custody: "sessionStorage" | "split" = "sessionStorage") =>
  Effect.gen(function*() {
    const servers = yield* House.servers({ tokenSeconds: 60 })
    const driver = yield* SessionTabs.make(servers, { custody })
    const tab = yield* driver.open
    yield* driver.signIn(tab)
    return { tab, driver, ...servers }
  })

const isAuthorized = (tab: Tab, key?: string) => promise(() => tab.evaluate((key) => page.isAuthorized(key), key))

layer(House.layer(SessionTabs.site), { excludeTestServices: true, timeout: 60_000 })("a tab's store", (it) => {
  it.scoped("a frame of the tab, as for a silent sign-in, takes nothing away from it", () =>
    Effect.gen(function*() {
      const { tab } = yield* signedIn()
      const silent = yield* promise(() => tab.evaluate(() => page.silent({ sessionKey: "again" })))
      assert.deepStrictEqual(silent, { value: "again" })
      yield* promise(() => tab.reload())
      assert.deepStrictEqual(yield* isAuthorized(tab), { value: true })
      assert.deepStrictEqual(yield* isAuthorized(tab, "again"), { value: true })
    }))

  it.scoped("S61 a copy of the tab starts signed out, also when the tab has had a frame", () =>
    Effect.gen(function*() {
      const { tab } = yield* signedIn()
      yield* promise(() => tab.evaluate(() => page.silent()))
      const copy = yield* promise(async () => {
        const [copy] = await Promise.all([tab.waitForEvent("popup"), tab.evaluate(() => void globalThis.open("/"))])
        await copy.waitForLoadState()
        return copy
      })
      assert.deepStrictEqual(yield* isAuthorized(copy), { value: false })
      assert.deepStrictEqual(yield* isAuthorized(tab), { value: true })
    }))

  for (const custody of ["sessionStorage", "split"] as const) {
    it.scoped(`R12 a reload in the middle of a renewal is not waited for, since nobody else can be at it (${custody})`, () =>
      Effect.gen(function*() {
        const { driver, server, tab } = yield* signedIn(custody)
        server.delayAnswers(60_000)
        yield* promise(() => tab.evaluate(() => void page.refresh()))
        while (server.seen.requests.filter(({ path }) => path === "/token").length < 2) yield* Effect.sleep(20)
        server.delayAnswers(0)
        yield* promise(() => tab.reload())
        const began = Date.now()
        const { answered, failed } = yield* driver.call(tab, 1)
        assert.isBelow(Date.now() - began, 8_000, "it does not wait for the hold to be over")
        // The access token is still good. Where it is not kept, a strict server has taken the refresh token back
        if (custody === "sessionStorage") assert.strictEqual(answered, 1)
        else assert.deepStrictEqual(failed, ["ReauthorizationRequired RotationOutcomeUnknown"])
        assert.isAtMost(refreshes(server), 2)
      }))
  }
})
