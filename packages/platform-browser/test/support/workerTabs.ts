/** The page of `pages/tokenWorkerPage.ts`, whose tokens are in a worker. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BrowserContext, Page as Tab } from "playwright-core"
import * as Site from "../../../../support/browser/site.js"
import { counted, type Driver } from "../../../../support/browser/tabs.js"
import type { Page } from "../pages/tokenWorkerPage.js"
import * as House from "./house.js"
import { promise } from "./house.js"

declare const page: Page

/** Where a script of an attacker can start workers by text. */
const lax = Site.strict.replace("; require-trusted-types-for 'script'", "")
const trusting = `${Site.strict}; trusted-types tokens`

type Kind = "shared" | "dedicated"

export const site: House.Options = {
  scripts: {
    "/worker-page.js": new URL("../pages/tokenWorkerPage.ts", import.meta.url),
    "/worker.js": new URL("../pages/tokenWorker.ts", import.meta.url)
  },
  files: {
    "/worker-page": Site.page("/worker-page.js", { "content-security-policy": lax }),
    "/trusted-worker-page": Site.page("/worker-page.js", { "content-security-policy": trusting }),
    "/callback": { type: "text/html", body: "<!doctype html><title>back</title>" }
  }
}

/** `before` is run before everything else in the page. */
export const open = (
  context: BrowserContext,
  { api, server }: House.Servers,
  { before, path = "/worker-page" }: { readonly before?: string | undefined; readonly path?: string | undefined } = {}
): Effect.Effect<Tab, never, House.House> =>
  House.open(context, `${path}?issuer=${server.issuer}&api=${api.origin}`, before)

/** Signs in, in a tab beside the page. Returns the address that the server sent back to. */
const authorize = (tab: Tab, url: string): Effect.Effect<string> =>
  Effect.gen(function*() {
    const beside = yield* promise(() => tab.context().newPage())
    yield* promise(() => beside.goto(url))
    if ((yield* promise(() => beside.title())) === "Sign in") yield* House.userAgrees(beside)
    return yield* promise(async () => {
      await beside.waitForURL(/\/callback\?/)
      const callback = beside.url()
      await beside.close()
      return callback
    })
  })

export const valueOf = <A>(outcome: { readonly value: A } | { readonly error: unknown }): A => {
  if ("error" in outcome) throw new Error(JSON.stringify(outcome.error))
  return outcome.value
}

export const signIn = (tab: Tab, kind: Kind) =>
  Effect.gen(function*() {
    const begun = valueOf(yield* promise(() => tab.evaluate((kind) => page.begin(kind), kind)))
    const callback = yield* authorize(tab, begun.url)
    const arguments_ = [kind, callback, begun.pending] as const
    const key = valueOf(
      yield* promise(() => tab.evaluate(([kind, url, pending]) => page.complete(kind, url, pending), arguments_))
    )
    assert.strictEqual(key, "user")
    return arguments_
  })

export const get = (tab: Tab, kind: Kind, url: string) =>
  Effect.map(promise(() => tab.evaluate(([kind, url]) => page.get(kind, url), [kind, url] as const)), valueOf)

export const refresh = (tab: Tab, kind: Kind) =>
  Effect.map(promise(() => tab.evaluate((kind) => page.refresh(kind), kind)), valueOf)

/** Tabs that share the session of one SharedWorker. */
export const make = (
  servers: House.Servers
): Effect.Effect<Driver<Tab, House.House>, never, House.House | Scope.Scope> =>
  Effect.map(House.profile, (context): Driver<Tab, House.House> => ({
    open: open(context, servers),
    signIn: (tab) => signIn(tab, "shared"),
    call: (tab, times) =>
      Effect.map(
        promise(() =>
          tab.evaluate(
            ([url, times]) => page.many("shared", url, times),
            [`${servers.api.origin}/call`, times] as const
          )
        ),
        (outcome) =>
          counted(outcome.value?.map(String) ?? Array.from({ length: times }, () => String(outcome.error?.message)))
      )
  }))
