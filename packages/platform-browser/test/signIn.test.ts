/** Each way to sign in and out, to its end and to each of its failures, in a real browser against a real server. */
import { ReturnTo } from "@effect-oauth2/platform-browser"
import { assert, describe, it as test, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { Page as Tab } from "playwright-core"
import * as AuthorizationServer from "../../../support/browser/authorizationServer.js"
import * as Site from "../../../support/browser/site.js"
import type { Page, Settings } from "./pages/sessionPage.js"
import * as House from "./support/house.js"
import { open, promise, userAgrees } from "./support/house.js"

declare const page: Page

class Servers extends Context.Tag("Servers")<Servers, {
  readonly server: AuthorizationServer.AuthorizationServer
  /** A server whose pages are isolated, and so are the pages of ours that use it. */
  readonly isolated: AuthorizationServer.AuthorizationServer
  readonly evil: string
}>() {}

const isolation = { "cross-origin-opener-policy": "same-origin" }

const HouseLive = House.layer({
  scripts: { "/page.js": new URL("./pages/sessionPage.ts", import.meta.url) },
  files: {
    "/": Site.page("/page.js"),
    "/inbox": Site.page("/page.js"),
    "/callback": Site.page("/page.js"),
    "/isolated": Site.page("/page.js", isolation),
    "/isolated-callback": Site.page("/page.js", isolation),
    "/framed": {
      type: "text/html",
      body:
        "<!doctype html><title>framed</title><iframe src=\"/\" sandbox=\"allow-scripts allow-same-origin\"></iframe>"
    }
  }
})

const ServersLive = Layer.scoped(
  Servers,
  Effect.gen(function*() {
    const { origin } = yield* House.House
    const redirectUris = [`${origin}/callback`, `${origin}/isolated-callback`]
    const postLogoutRedirectUris = [`${origin}/`]
    const server = yield* AuthorizationServer.make({ tokenSeconds: 60, redirectUris, postLogoutRedirectUris })
    const isolated = yield* AuthorizationServer.make({ tokenSeconds: 60, redirectUris, headers: isolation })
    const evil = yield* Site.serve({ "/": { type: "text/html", body: "<!doctype html><title>evil</title>" } })
    return { server, isolated, evil: evil.origin }
  })
)

/** A browser without a past, which knows the settings. */
const fresh = (kind: "server" | "isolated" = "server") =>
  Effect.gen(function*() {
    const { origin } = yield* House.House
    const { issuer } = (yield* Servers)[kind]
    const redirectUri = `${origin}/${kind === "isolated" ? "isolated-callback" : "callback"}`
    return yield* House.profileWith({ issuer, redirectUri, api: origin, custody: "sessionStorage" } satisfies Settings)
  })

/** Goes to the server, and waits for its page. */
const redirect = (tab: Tab, options: Parameters<Page["redirect"]>[0] = {}) =>
  promise(async () => {
    await tab.evaluate((options) => void page.redirect(options), options)
    await tab.waitForURL(/\/sign-in\/|callback/)
  })

const answered = (tab: Tab) =>
  promise(async () => {
    await tab.waitForURL(/callback/)
    await tab.waitForLoadState()
    return await tab.evaluate(() => page.answered)
  })

/** Whether the window is closed, or is so in a moment. */
const isGone = (window: Tab) =>
  promise(async () => window.isClosed() || await window.waitForEvent("close", { timeout: 5_000 }).then(() => true))

/** Starts a sign-in by popup in the page, and gives the window, and what will come of it. */
const popup = (tab: Tab, options: Parameters<Page["popup"]>[0] = {}) =>
  promise(async () => {
    const [window, outcome] = await Promise.all([
      tab.waitForEvent("popup"),
      tab.evaluate((options) => {
        const outcome = page.popup(options)
        const outcomes = ((globalThis as { outcomes?: Array<unknown> }).outcomes ??= [])
        return outcomes.push(outcome) - 1
      }, options)
    ])
    await window.waitForURL(/\/sign-in\//)
    return {
      window,
      outcome: promise(() =>
        tab.evaluate(
          (index) => (globalThis as unknown as { outcomes: ReadonlyArray<unknown> }).outcomes[index],
          outcome
        )
      )
    }
  })

const isAuthorized = (tab: Tab, key?: string) => promise(() => tab.evaluate((key) => page.isAuthorized(key), key))

layer(Layer.provideMerge(ServersLive, HouseLive), { excludeTestServices: true, timeout: 60_000 })(
  "signing in",
  (it) => {
    describe("by redirect", () => {
      it.scoped("S33 S34 B261 the user comes back signed in, to where they were, and the address bar holds no code", () =>
        Effect.gen(function*() {
          const { origin } = yield* House.House
          const tab = yield* open(yield* fresh(), "/inbox?a=1#b")
          yield* redirect(tab)
          yield* userAgrees(tab)
          assert.deepStrictEqual(yield* answered(tab), { value: "Completed /inbox?a=1#b" })
          assert.strictEqual(tab.url(), `${origin}/callback`)
          assert.deepStrictEqual(yield* isAuthorized(tab), { value: true })
          const left = yield* promise(() =>
            tab.evaluate(() => [document.referrer, JSON.stringify({ ...sessionStorage })])
          )
          assert.notInclude(left.join(), "code=")
          assert.notInclude(left.join(), "codeVerifier")
          yield* promise(() => tab.reload())
          assert.deepStrictEqual(yield* answered(tab), { value: "none" })
          assert.deepStrictEqual(yield* isAuthorized(tab), { value: true }, "the session outlives a reload")
        }))

      it.scoped("S14 S31 a callback that comes twice, in another tab, or too late, is a typed answer and no second request", () =>
        Effect.gen(function*() {
          const { server } = yield* Servers
          const context = yield* fresh()
          const tab = yield* open(context)
          yield* redirect(tab)
          let callback = ""
          tab.on("request", (request) => {
            if (request.url().includes("/callback?")) callback = request.url()
          })
          server.delayAnswers(1_000)
          yield* userAgrees(tab)
          yield* promise(() => tab.waitForURL(/callback$/))
          const again = yield* promise(() => tab.evaluate(() => page.answerAgain()))
          assert.deepStrictEqual(again, { value: "none" }, "asked twice in one document, it answers once")
          assert.deepStrictEqual(yield* answered(tab), { value: "Completed /" })
          server.delayAnswers(0)
          const requests = server.seen.tokenRequests.length
          yield* promise(() => tab.goto(callback))
          const twice = { error: ["AuthorizationResponseError", "TransactionConsumed"] }
          assert.deepStrictEqual(yield* answered(tab), twice)
          const other = yield* open(context, new URL(callback).pathname + new URL(callback).search)
          assert.deepStrictEqual(yield* answered(other), { error: ["SignInError", "NobodyWaits"] })
          const late = yield* open(context)
          yield* promise(() => late.clock.install())
          yield* redirect(late, { parameters: { prompt: "login" } })
          yield* promise(() => late.clock.fastForward("11:00"))
          yield* userAgrees(late)
          assert.deepStrictEqual(yield* answered(late), { error: ["AuthorizationResponseError", "TransactionExpired"] })
          assert.strictEqual(server.seen.tokenRequests.length, requests)
          // Whoever begins anew there is not sent back there
          yield* redirect(late, { parameters: { prompt: "login" } })
          yield* userAgrees(late)
          assert.deepStrictEqual(yield* answered(late), { value: "Completed /" })
        }))

      it.scoped("S33 who reloads in the middle of the exchange is told so once, and can begin again", () =>
        Effect.gen(function*() {
          const { server } = yield* Servers
          const tab = yield* open(yield* fresh())
          server.delayAnswers(1_500)
          yield* Effect.addFinalizer(() => Effect.sync(() => server.delayAnswers(0)))
          yield* redirect(tab)
          yield* userAgrees(tab)
          yield* promise(() => tab.waitForRequest(/\/token$/))
          yield* promise(() => tab.reload())
          assert.deepStrictEqual(yield* answered(tab), { error: ["SignInError", "Interrupted"] })
          yield* promise(() => tab.reload())
          assert.deepStrictEqual(yield* answered(tab), { value: "none" })
          server.delayAnswers(0)
          const again = yield* open(tab.context(), "/inbox")
          yield* redirect(again)
          assert.deepStrictEqual(yield* answered(again), { value: "Completed /inbox" })
        }))

      it.scoped("many are under way in one tab; who comes back by the back button may begin again", () =>
        Effect.gen(function*() {
          const tab = yield* open(yield* fresh())
          for (const returnTo of ["/inbox?1", "/inbox?2"]) {
            yield* redirect(tab, { returnTo })
            yield* promise(() => tab.goBack())
          }
          yield* promise(() => tab.goForward())
          yield* userAgrees(tab)
          assert.deepStrictEqual(yield* answered(tab), { value: "Completed /inbox?2" })
        }))

      it.scoped("who comes back to a page that the browser has kept is told that the sign-in was abandoned", () =>
        Effect.gen(function*() {
          const { server } = yield* Servers
          const tab = yield* open(yield* fresh())
          yield* promise(() => tab.route(`${server.issuer}/auth**`, () => {}))
          const outcome = yield* promise(() =>
            tab.evaluate(() => {
              setTimeout(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })), 500)
              return page.redirect()
            })
          )
          assert.deepStrictEqual(outcome, { error: ["SignInError", "Abandoned"] })
        }))

      it.scoped("S34 the server's refusal is typed, and a page of another origin to return to is refused at once", () =>
        Effect.gen(function*() {
          const tab = yield* open(yield* fresh())
          yield* redirect(tab, { parameters: { prompt: "none" } })
          assert.deepStrictEqual(yield* answered(tab), { error: ["ErrorResponse", "login_required"] })
          const refused = yield* promise(() => tab.evaluate(() => page.redirect({ returnTo: "//evil.example" })))
          assert.deepStrictEqual(refused, { error: ["SignInError", "ReturnToRefused"] })
        }))
    })

    describe("by popup", () => {
      it.scoped("S87 the window is opened in the click, answers, and closes; the page stays", () =>
        Effect.gen(function*() {
          const tab = yield* open(yield* fresh())
          const { outcome, window } = yield* popup(tab)
          yield* userAgrees(window)
          assert.deepStrictEqual(yield* outcome, { value: "default" })
          assert.deepStrictEqual(yield* isAuthorized(tab), { value: true })
          assert.isTrue(yield* isGone(window))
        }))

      it.scoped("S87 two windows at once are two sign-ins", () =>
        Effect.gen(function*() {
          const tab = yield* open(yield* fresh())
          const one = yield* popup(tab, { sessionKey: "one" })
          const other = yield* popup(tab, { sessionKey: "other" })
          yield* userAgrees(other.window)
          assert.deepStrictEqual(yield* other.outcome, { value: "other" })
          assert.deepStrictEqual(yield* isAuthorized(tab, "one"), { value: false })
          yield* userAgrees(one.window)
          assert.deepStrictEqual(yield* one.outcome, { value: "one" })
        }))

      it.scoped("S87 a window that is closed, that nobody comes back from, or that is blocked, is a typed error", () =>
        Effect.gen(function*() {
          const context = yield* fresh()
          const tab = yield* open(context)
          const closed = yield* popup(tab)
          yield* promise(() => closed.window.close())
          assert.deepStrictEqual(yield* closed.outcome, { error: ["SignInError", "PopupClosed"] })
          const slow = yield* popup(tab, { timeout: 1_000 })
          assert.deepStrictEqual(yield* slow.outcome, { error: ["SignInError", "Timeout"] })
          assert.isTrue(yield* isGone(slow.window))
          const framed = yield* promise(() => context.newPage())
          const { origin } = yield* House.House
          yield* promise(() => framed.goto(`${origin}/framed`))
          const blocked = yield* promise(() => framed.frames()[1]!.evaluate(() => page.popup()))
          assert.deepStrictEqual(blocked, { error: ["SignInError", "PopupBlocked"] })
        }))

      it.scoped("S87 who is interrupted closes the window, and the window whose page is gone says so", () =>
        Effect.gen(function*() {
          const tab = yield* open(yield* fresh())
          const { outcome, window } = yield* popup(tab)
          yield* promise(() => tab.evaluate(() => page.interrupt()))
          assert.deepStrictEqual(yield* outcome, { error: ["interrupted"] })
          assert.isTrue(yield* isGone(window))
          const orphan = yield* popup(tab)
          yield* promise(() => tab.goto("about:blank"))
          yield* userAgrees(orphan.window)
          assert.deepStrictEqual(yield* answered(orphan.window), { error: ["SignInError", "NobodyWaits"] })
        }))

      it.scoped("S87 it works where server and page are isolated from each other's windows", () =>
        Effect.gen(function*() {
          const tab = yield* open(yield* fresh("isolated"), "/isolated")
          const { outcome, window } = yield* popup(tab, { whenClosed: "wait" })
          assert.isTrue(yield* promise(() => window.evaluate(() => globalThis.opener === null)))
          yield* userAgrees(window)
          assert.deepStrictEqual(yield* outcome, { value: "default" })
          assert.isTrue(yield* isGone(window))
        }))

      it.scoped("S87 a message of another origin, or of another sign-in, is ignored", () =>
        Effect.gen(function*() {
          const { origin } = yield* House.House
          const { evil, server } = yield* Servers
          const tab = yield* open(yield* fresh())
          const attempts = server.seen.tokenRequests.length
          const { outcome, window } = yield* popup(tab)
          const attacker = yield* promise(async () => {
            const [attacker] = await Promise.all([
              tab.waitForEvent("popup"),
              tab.evaluate((url) => void globalThis.open(url), evil)
            ])
            await attacker.waitForURL(evil)
            return attacker
          })
          const pending = yield* promise(() =>
            tab.evaluate(() => Object.keys(sessionStorage).find((key) => key.startsWith("effect-oauth2 sign-in ")))
          )
          const forged = {
            "effect-oauth2 callback": pending?.slice("effect-oauth2 sign-in ".length),
            callback: `${origin}/callback?code=stolen&state=${pending?.slice("effect-oauth2 sign-in ".length) ?? ""}`
          }
          yield* promise(() =>
            attacker.evaluate((forged) => (globalThis.opener as Window).postMessage(forged, "*"), forged)
          )
          yield* promise(() =>
            tab.evaluate((forged) => {
              const other = { ...forged, "effect-oauth2 callback": "another" }
              postMessage(other, location.origin)
              new BroadcastChannel("effect-oauth2 callback").postMessage(other)
            }, forged)
          )
          yield* Effect.sleep(500)
          assert.strictEqual(server.seen.tokenRequests.length, attempts)
          yield* userAgrees(window)
          assert.deepStrictEqual(yield* outcome, { value: "default" })
        }))
    })

    describe("silently", () => {
      it.scoped("S87 who is known to the server is signed in without a word, and who is not is a typed refusal", () =>
        Effect.gen(function*() {
          const { server } = yield* Servers
          const tab = yield* open(yield* fresh())
          const silent = (options = {}) => promise(() => tab.evaluate((options) => page.silent(options), options))
          assert.deepStrictEqual(yield* silent(), { error: ["ErrorResponse", "login_required"] })
          const { outcome, window } = yield* popup(tab)
          yield* userAgrees(window)
          yield* outcome
          assert.deepStrictEqual(yield* silent({ sessionKey: "again" }), { value: "again" })
          yield* promise(() => tab.route(`${server.issuer}/auth**`, () => {}))
          assert.deepStrictEqual(yield* silent({ timeout: 500 }), { error: ["SignInError", "Timeout"] })
          assert.strictEqual(yield* promise(() => tab.locator("iframe").count()), 0)
        }))
    })

    describe("out", () => {
      it.scoped("S64 by redirect the session ends here, its token is revoked, and the server forgets the user", () =>
        Effect.gen(function*() {
          const { origin } = yield* House.House
          const { server } = yield* Servers
          const tab = yield* open(yield* fresh())
          const { outcome, window } = yield* popup(tab)
          yield* userAgrees(window)
          yield* outcome
          const refused = yield* promise(() =>
            tab.evaluate((uri) => page.signOutByRedirect("http://as.example/end", uri), `${origin}/`)
          )
          assert.strictEqual("error" in refused && refused.error[0], "ConfigurationError")
          assert.deepStrictEqual(yield* isAuthorized(tab), { value: true })
          yield* promise(async () => {
            const revoked = tab.waitForResponse(/\/token\/revocation$/)
            await tab.evaluate(([end, uri]) => void page.signOutByRedirect(end!, uri!), [
              server.endSessionEndpoint,
              `${origin}/`
            ])
            await revoked
            await tab.waitForURL(/session\/end/)
            await tab.click("button")
            await tab.waitForURL(`${origin}/`)
          })
          assert.deepStrictEqual(yield* isAuthorized(tab), { value: false })
          const silent = yield* promise(() => tab.evaluate(() => page.silent()))
          assert.deepStrictEqual(silent, { error: ["ErrorResponse", "login_required"] })
        }))
    })

    describe("and waking up", () => {
      it.scoped("a page that slept through the end of its token renews it when it is seen again", () =>
        Effect.gen(function*() {
          const { server } = yield* Servers
          const tab = yield* open(yield* fresh())
          yield* promise(() => tab.clock.install())
          const { outcome, window } = yield* popup(tab)
          yield* userAgrees(window)
          yield* outcome
          yield* promise(() => tab.evaluate(() => void page.keepFresh()))
          yield* Effect.sleep(300)
          const before = server.seen.tokenRequests.length
          // Timers sleep with the device, and the clock goes on
          yield* promise(() => tab.clock.setSystemTime(Date.now() + 3_600_000))
          assert.strictEqual(server.seen.tokenRequests.length, before)
          const renewed = promise(() => tab.waitForResponse(/\/token$/))
          yield* Effect.zipRight(
            promise(() => tab.evaluate(() => document.dispatchEvent(new Event("visibilitychange")))),
            renewed,
            { concurrent: true }
          )
          assert.deepStrictEqual(server.seen.tokenRequests.slice(before), [{ grantType: "refresh_token", status: 200 }])
        }))
    })
  }
)

describe("ReturnTo", () => {
  const origin = "https://app.example"
  const read = (text: string) => Either.getOrUndefined(ReturnTo.parse(text, origin))

  test("S34 a path of this origin is taken as the browser reads it", () => {
    assert.strictEqual(read("/"), "/")
    assert.strictEqual(read("/inbox?a=/b//c#//d"), "/inbox?a=/b//c#//d")
    assert.strictEqual(read("/a/../b"), "/b")
    assert.strictEqual(read("/%2f%2fevil.example"), "/%2f%2fevil.example")
    assert.strictEqual(read("/https://evil.example"), "/https://evil.example")
  })

  test("S34 whatever leads elsewhere is refused, however it is written", () => {
    const elsewhere = [
      ...["//evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example", "///evil.example"],
      ...[
        "https://evil.example",
        "https:evil.example",
        "https:/evil.example",
        "HTTPS://evil.example",
        "//evil.example/a?b#c"
      ],
      ...["javascript:alert(1)", "data:text/html,x", "mailto:a@b", "blob:https://app.example/x", "about:blank"],
      ...["/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example", " //evil.example"],
      ...["/.//evil.example", "/a/..//evil.example", "/./\\evil.example", "/%2e//evil.example", "/\t\\evil.example"],
      ...[
        "",
        "inbox",
        "?a",
        "#a",
        "evil.example",
        "@evil.example",
        "https://app.example@evil.example",
        "//app.example@evil.example"
      ]
    ]
    for (const text of elsewhere) assert.isUndefined(read(text), JSON.stringify(text))
  })
})
