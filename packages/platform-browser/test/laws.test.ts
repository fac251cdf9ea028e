/** Stores and leases of a page obey the laws of all stores, in a real browser. */
import { StoreLaws } from "@effect-oauth2/core/testing"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Page } from "playwright-core"
import * as Site from "../../../support/browser/site.js"
import { flags, type Suite } from "./pages/lawFlags.js"
import type { Check } from "./pages/lawsPage.js"
import * as House from "./support/house.js"

declare const check: Check

class Tab extends Context.Tag("Tab")<Tab, Page>() {}

const TabLive = Layer.scoped(Tab, Effect.flatMap(House.profile, (context) => House.open(context))).pipe(
  Layer.provide(House.layer({
    scripts: { "/page.js": new URL("./pages/lawsPage.ts", import.meta.url) },
    files: { "/": Site.page("/page.js") }
  }))
)

/** The titles are the same wherever the laws are checked. */
const nowhere = { storage: Effect.void, open: () => Effect.die("only in the page") }
const damaging = { ...nowhere, corrupt: () => Effect.void, newer: () => Effect.void }

const suites: Readonly<Record<Suite, ReadonlyArray<StoreLaws.Law>>> = {
  IndexedDB: StoreLaws.tokenStore({ ...damaging, ...flags.IndexedDB }),
  localStorage: StoreLaws.tokenStore({ ...damaging, ...flags.localStorage }),
  sessionStorage: StoreLaws.tokenStore({ ...damaging, ...flags.sessionStorage }),
  "sign-ins": StoreLaws.pendingAuthorizations(damaging),
  "Web Locks": StoreLaws.refreshLease(nowhere)
}

layer(TabLive, { excludeTestServices: true, timeout: 60_000 })("in a page", (it) => {
  for (const [suite, laws] of Object.entries(suites) as ReadonlyArray<[Suite, ReadonlyArray<StoreLaws.Law>]>) {
    for (const { title } of laws) {
      it.effect(`${title} (${suite})`, () =>
        Effect.gen(function*() {
          const tab = yield* Tab
          const wrong = yield* House.promise(() =>
            tab.evaluate(([suite, title]) => check(suite, title), [suite, title] as const)
          )
          assert.isUndefined(wrong, wrong)
        }))
    }
  }
})
