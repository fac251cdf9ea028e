/** What the tests of pages share: a browser, a site with their pages, and, on origins of their own, servers and APIs. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Browser, BrowserContext, Page as Tab } from "playwright-core"
import * as Api from "../../../../support/browser/api.js"
import * as AuthorizationServer from "../../../../support/browser/authorizationServer.js"
import { bundle } from "../../../../support/browser/bundle.js"
import * as Chromium from "../../../../support/browser/chromium.js"
import * as Site from "../../../../support/browser/site.js"

export class House extends Context.Tag("House")<House, {
  readonly browser: Browser
  /** Of the pages. */
  readonly origin: string
}>() {}

export interface Options {
  /** The sources of programs, by the paths of their scripts. */
  readonly scripts: Readonly<Record<string, URL>>
  readonly files: Readonly<Record<string, Site.File>>
  readonly csp?: string | undefined
}

export const layer = ({ csp, files, scripts }: Options): Layer.Layer<House, Chromium.NoChromium> =>
  Layer.scoped(
    House,
    Effect.gen(function*() {
      const browser = yield* Chromium.launch
      const bundles = yield* Effect.forEach(
        Object.entries(scripts),
        ([path, program]) =>
          Effect.map(
            promise(() => bundle(program)),
            (body) => [path, { ...Site.script(body), headers: forSandboxes }] as const
          ),
        { concurrency: "unbounded" }
      )
      const { origin } = yield* Site.serve({ ...files, ...Object.fromEntries(bundles) }, { csp })
      return { browser, origin }
    })
  )

/** A frame in a sandbox has no origin. */
const forSandboxes = { "access-control-allow-origin": "*" }

export const promise = Effect.promise

export interface Servers {
  readonly server: AuthorizationServer.AuthorizationServer
  readonly api: Api.Api
}

/** An authorization server for the site's `/callback`, and an API that believes it. */
export const servers = (
  options: Omit<AuthorizationServer.Options, "redirectUris">
): Effect.Effect<Servers, never, House | Scope.Scope> =>
  Effect.gen(function*() {
    const { origin } = yield* House
    const server = yield* AuthorizationServer.make({ ...options, redirectUris: [`${origin}/callback`] })
    return { server, api: yield* Api.make(server.provider) }
  })

/** A browser without a past. */
export const profile: Effect.Effect<BrowserContext, never, House | Scope.Scope> = Effect.flatMap(
  House,
  ({ browser }) =>
    Effect.acquireRelease(promise(() => browser.newContext()), (context) => promise(() => context.close()))
)

/** The same, whose pages find the settings in their storage. */
export const profileWith = (
  settings: Readonly<Record<string, unknown>>
): Effect.Effect<BrowserContext, never, House | Scope.Scope> =>
  Effect.gen(function*() {
    const { origin } = yield* House
    const context = yield* profile
    yield* promise(() =>
      context.addInitScript(([origin, settings]) => {
        if (location.origin === origin) localStorage.setItem("settings", settings!)
      }, [origin, JSON.stringify(settings)])
    )
    return context
  })

/** From now on its tabs find none. */
export const withoutWebLocks = (context: BrowserContext): Effect.Effect<void> =>
  promise(() => context.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, "locks")))

/** One more tab. `before` is run before everything else in it. */
export const open = (context: BrowserContext, path = "/", before?: string): Effect.Effect<Tab, never, House> =>
  Effect.gen(function*() {
    const { origin } = yield* House
    const tab = yield* promise(() => context.newPage())
    tab.on("pageerror", (error) => console.error(error))
    if (before !== undefined) yield* promise(() => tab.addInitScript(before))
    yield* promise(() => tab.goto(origin + path))
    return tab
  })

/** Fills in the server's form. */
export const userAgrees = (window: Tab): Effect.Effect<void> =>
  promise(async () => {
    await window.fill("[name=name]", "ada")
    await window.fill("[name=password]", "lovelace")
    await window.click("button")
  })
