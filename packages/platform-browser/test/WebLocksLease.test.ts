/** Leases where something is in their way. That they obey the laws of leases is in laws.test.ts. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Frame, Page as Tab } from "playwright-core"
import * as Site from "../../../support/browser/site.js"
import type { Page } from "./pages/leasePage.js"
import * as House from "./support/house.js"

declare const page: Page

const HouseLive = House.layer({
  scripts: { "/page.js": new URL("./pages/leasePage.ts", import.meta.url) },
  files: {
    "/": Site.page("/page.js"),
    "/sandbox": {
      type: "text/html",
      body: "<!doctype html><title>sandbox</title><iframe src=\"/\" sandbox=\"allow-scripts\"></iframe>"
    }
  }
})

const opened = (path: string) => Effect.flatMap(House.profile, (context) => House.open(context, path))

const lease = (where: Tab | Frame, ttl: number, wait: number) =>
  House.promise(() => where.evaluate(([ttl, wait]) => page.lease("key", ttl, wait), [ttl, wait] as const))

const name = "effect-oauth2 renewal key"

layer(HouseLive, { excludeTestServices: true, timeout: 60_000 })("a lease", (it) => {
  it.scoped("R12 who is frozen while it robs a late holder keeps nobody waiting beyond their time", () =>
    Effect.gen(function*() {
      const tab = yield* opened("/")
      const late = `${name} until ${Date.now() - 1_000}`
      for (const held of [name, late, `${name} robbery`]) {
        yield* House.promise(() => tab.evaluate((held) => page.hold(held), held))
      }
      const { millis, outcome } = yield* lease(tab, 500, 1_000)
      assert.strictEqual(outcome, "LeaseTimeout")
      assert.isAtLeast(millis, 990)
      assert.isBelow(millis, 4_000)
    }))

  it.scoped("R12 a holder that is late is robbed", () =>
    Effect.gen(function*() {
      const tab = yield* opened("/")
      for (const held of [name, `${name} until ${Date.now() - 1_000}`]) {
        yield* House.promise(() => tab.evaluate((held) => page.hold(held), held))
      }
      assert.strictEqual((yield* lease(tab, 500, 5_000)).outcome, "held")
    }))

  it.scoped("where the browser refuses locks there is nothing to wait for", () =>
    Effect.gen(function*() {
      const tab = yield* opened("/sandbox")
      const frame = yield* House.promise(async () => {
        const [, frame] = tab.frames()
        await frame!.waitForFunction(() => "page" in globalThis)
        return frame!
      })
      const refusal = yield* House.promise(() =>
        frame.evaluate(() => navigator.locks.request("any", () => "granted").catch(({ name }: Error) => name))
      )
      assert.strictEqual(refusal, "SecurityError")
      assert.strictEqual((yield* lease(frame, 500, 1_000)).outcome, "held")
    }))
})
