/** A tab that was duplicated begins with a copy of its storage: one session must not be used from two places. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page as Tab } from "playwright-core"
import { callAll, refreshes } from "../../../support/browser/tabs.js"
import * as House from "./support/house.js"
import { promise } from "./support/house.js"
import * as SessionTabs from "./support/sessionTabs.js"

const tokenSeconds = 2

/** As the browser does when a script opens a window, and when the user duplicates a tab. */
const duplicate = (tab: Tab) =>
  promise(async () => {
    const [copy] = await Promise.all([
      tab.waitForEvent("popup"),
      tab.evaluate(() => void globalThis.open("/"))
    ])
    await copy.waitForLoadState()
    return copy
  })

const entries = (tab: Tab) => promise(() => tab.evaluate(() => Object.keys(sessionStorage)))

layer(House.layer(SessionTabs.site), { excludeTestServices: true, timeout: 60_000 })("a duplicated tab", (it) => {
  for (const custody of ["sessionStorage", "split"] as const) {
    for (const locks of ["with Web Locks", "without"] as const) {
      it.scoped(
        `S61 starts signed out, and the owner's session goes on over every expiry (${custody}, ${locks})`,
        () =>
          Effect.gen(function*() {
            const servers = yield* House.servers({ tokenSeconds })
            const driver = yield* SessionTabs.make(servers, { custody })
            if (locks === "without") yield* House.withoutWebLocks(driver.context)
            const owner = yield* driver.open
            yield* driver.signIn(owner)
            const copied = yield* entries(owner)
            assert.isTrue(copied.some((key) => key.startsWith("effect-oauth2 session ")))
            const copy = yield* duplicate(owner)
            const signedOut = { answered: 0, failed: ["ReauthorizationRequired NoSession"] }
            assert.deepStrictEqual(yield* driver.call(copy, 1), signedOut)
            assert.isFalse((yield* entries(copy)).some((key) => key.startsWith("effect-oauth2 session ")))
            for (let expiry = 1; expiry <= 3; expiry++) {
              yield* Effect.sleep(tokenSeconds * 1_000 + 100)
              assert.deepStrictEqual(yield* callAll(driver, [owner, copy], 1), { ...signedOut, answered: 1 })
              assert.strictEqual(refreshes(servers.server), expiry)
            }
            yield* driver.signIn(copy)
            assert.deepStrictEqual(yield* callAll(driver, [owner, copy], 1), { answered: 2, failed: [] })
            assert.strictEqual(servers.server.seen.grantsRevoked(), 0)
          }),
        { concurrent: true }
      )
    }
  }
})
