/** The page of `pages/sessionPage.ts`, driven by its program. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BrowserContext, Page as Tab } from "playwright-core"
import * as Site from "../../../../support/browser/site.js"
import { type Counted, counted, type Driver } from "../../../../support/browser/tabs.js"
import type { Page, Settings } from "../pages/sessionPage.js"
import * as House from "./house.js"
import { promise } from "./house.js"

declare const page: Page

export const site: House.Options = {
  scripts: { "/page.js": new URL("../pages/sessionPage.ts", import.meta.url) },
  files: { "/": Site.page("/page.js"), "/callback": Site.page("/page.js") }
}

export interface Profile extends Driver<Tab, House.House> {
  readonly context: BrowserContext
  /** What happened to the session in a tab, by the names of the events. */
  readonly events: (tab: Tab) => Effect.Effect<ReadonlyArray<string>>
  /** What all tabs have told each other over BroadcastChannels. */
  readonly told: Effect.Effect<ReadonlyArray<unknown>>
}

/** A browser without a past, whose tabs keep their sessions in this custody. */
export const make = (
  { api, server }: House.Servers,
  settings: Omit<Settings, "issuer" | "redirectUri" | "api">
): Effect.Effect<Profile, never, House.House | Scope.Scope> =>
  Effect.gen(function*() {
    const { origin } = yield* House.House
    const whole: Settings = {
      issuer: server.issuer,
      redirectUri: `${origin}/callback`,
      api: api.origin,
      ...settings
    }
    const context = yield* House.profileWith({ ...whole })
    yield* overhear(context)
    return { context, open: House.open(context), signIn, call, events, told: toldBy(context) }
  })

const signIn = (tab: Tab): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* promise(async () => {
      await tab.evaluate(() => void page.redirect())
      await tab.waitForURL(/\/sign-in\/|callback/)
    })
    if (/\/sign-in\//.test(tab.url())) yield* House.userAgrees(tab)
    const answered = yield* promise(async () => {
      await tab.waitForURL(/callback/)
      await tab.waitForLoadState()
      return await tab.evaluate(() => page.answered)
    })
    if (answered === undefined || "error" in answered) throw new Error(`Not signed in: ${JSON.stringify(answered)}`)
  })

const call = (tab: Tab, times: number): Effect.Effect<Counted> =>
  Effect.map(promise(() => tab.evaluate((times) => page.call(times), times)), counted)

const events = (tab: Tab): Effect.Effect<ReadonlyArray<string>> => promise(() => tab.evaluate(() => page.events))

/** Each tab remembers what it tells the others. */
const overhear = (context: BrowserContext): Effect.Effect<void> =>
  promise(() =>
    context.addInitScript(() => {
      const told: Array<unknown> = []
      Object.assign(globalThis, { told })
      const tell = BroadcastChannel.prototype.postMessage
      BroadcastChannel.prototype.postMessage = function(message: unknown) {
        told.push(message)
        tell.call(this, message)
      }
    })
  )

declare const told: ReadonlyArray<unknown>

const toldBy = (context: BrowserContext): Effect.Effect<ReadonlyArray<unknown>> =>
  Effect.map(
    promise(() => Promise.all(context.pages().map((tab) => tab.evaluate(() => told)))),
    (tabs) => tabs.flat()
  )
