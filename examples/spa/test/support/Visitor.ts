/**
 * A person with a browser: sees what the page shows, and does what one can do there. What the browser itself complains of,
 * and each request that it makes, is written down.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core"
import * as Chromium from "../../../../support/browser/chromium.js"
import * as House from "../../servers/house.js"
import * as Files from "../../servers/page.js"
import * as Wire from "./Wire.js"

export class World
  extends Context.Tag("spa/World")<World, { readonly browser: Browser; readonly house: House.House }>()
{}

/** Whose access tokens work for so many seconds. */
export const layer = (tokenSeconds: number) =>
  Layer.scoped(
    World,
    Effect.gen(function*() {
      const files = yield* Files.files
      const house = yield* House.make({ files, tokenSeconds })
      return { browser: yield* Chromium.launch, house }
    })
  )

/** Whoever has signed in, in one tab. */
export const signedIn = Effect.gen(function*() {
  const visitor = yield* make()
  const tab = yield* visitor.open()
  yield* tab.signIn
  return { visitor, tab }
})

export interface Visitor {
  readonly context: BrowserContext
  readonly house: House.House
  /** In the order in which they were made. */
  readonly requests: ReadonlyArray<Promise<Wire.Sent>>
  /** What the console shows as an error, and what the page died of. */
  readonly complaints: ReadonlyArray<string>
  readonly open: (path?: string) => Effect.Effect<Tab>
  /** The tab that a program opens from another. */
  readonly openedBy: (opener: Tab, program: () => void) => Effect.Effect<Tab>
}

const promise = Effect.promise

/** A browser without a past. */
export const make = (options: BrowserContextOptions = {}) =>
  Effect.gen(function*() {
    const { browser, house } = yield* World
    const context = yield* Effect.acquireRelease(
      promise(() => browser.newContext(options)),
      (context) => promise(() => context.close())
    )
    const requests: Array<Promise<Wire.Sent>> = []
    const complaints: Array<string> = []
    context.on("request", (request) => {
      // What is in the page already, such as `data:`, goes nowhere
      if (/^https?:/.test(request.url())) requests.push(Wire.read(request))
    })
    context.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text())
    })
    context.on("weberror", (error) => complaints.push(String(error.error())))
    const open = (path = "/") =>
      promise(async () => {
        const page = await context.newPage()
        await page.goto(house.origin + path)
        return tab(page)
      })
    const openedBy = ({ page }: Tab, program: () => void) =>
      promise(async () => {
        const [opened] = await Promise.all([page.waitForEvent("popup"), page.evaluate(program)])
        return tab(opened)
      })
    return { context, house, requests, complaints, open, openedBy } satisfies Visitor
  })

/** What the browser itself writes when a request fails. */
const failedRequest = /^Failed to load resource: (?:net::|the server responded with a status of 40[01])/

/** What was complained of beside requests that failed. */
export const otherComplaints = ({ complaints }: Visitor): ReadonlyArray<string> =>
  complaints.filter((complaint) => !failedRequest.test(complaint))

/** What went elsewhere than it had to, in all that this browser has sent: see {@link Wire.misplaced}. */
export const misplaced = ({ house: { api, authorizationServer, origin }, requests }: Visitor) =>
  Effect.map(
    promise(() => Promise.all(requests)),
    (wire) =>
      Wire.misplaced(wire, { api: api.origin, page: origin, server: authorizationServer.issuer }, authorizationServer)
  )

export interface Tab {
  readonly page: Page
  readonly find: (name: string) => Locator
  readonly click: (name: string) => Effect.Effect<void>
  readonly text: (name: string) => Effect.Effect<string>
  /** Waits until it reads so. */
  readonly reads: (name: string, text: string | RegExp) => Effect.Effect<void>
  readonly number: (name: string) => Effect.Effect<number>
  /** Signs in in this tab, as the user of the server. */
  readonly signIn: Effect.Effect<void>
}

const tab = (page: Page): Tab => {
  const find = (name: string) => page.locator(`[data-test="${name}"]`)
  const click = (name: string) => promise(() => find(name).click())
  const text = (name: string) => promise(async () => (await find(name).textContent()) ?? "")
  const reads = (name: string, text: string | RegExp) =>
    promise(() => find(name).filter({ hasText: text }).waitFor({ timeout: 20_000 }))
  return {
    page,
    find,
    click,
    text,
    reads,
    number: (name) => Effect.map(text(name), Number),
    signIn: Effect.zipRight(click("sign-in-redirect"), Effect.zipRight(agree(page), reads("state", "Signed in")))
  }
}

/** Fills in the server's form. */
export const agree = (page: Page): Effect.Effect<void> =>
  promise(async () => {
    await page.fill("[name=name]", "ada")
    await page.fill("[name=password]", "lovelace")
    await page.click("button")
  })
