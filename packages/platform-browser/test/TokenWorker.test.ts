import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Page as Tab } from "playwright-core"
import type { Page } from "./pages/tokenWorkerPage.js"
import * as House from "./support/house.js"
import { promise } from "./support/house.js"
import * as WorkerTabs from "./support/workerTabs.js"
import { signIn, valueOf } from "./support/workerTabs.js"

declare const page: Page

class Servers extends Context.Tag("Servers")<Servers, House.Servers>() {}

const HouseLive = House.layer(WorkerTabs.site)
const ServersLive = Layer.scoped(Servers, House.servers({ tokenSeconds: 30 }))

/** A tab of a browser without a past, or beside another tab, on the page. */
const open = (
  { before, beside, path }: { readonly before?: string; readonly beside?: Tab; readonly path?: string } = {}
) =>
  Effect.gen(function*() {
    const context = beside?.context() ?? (yield* House.profile)
    return yield* WorkerTabs.open(context, yield* Servers, { before, path })
  })

const errorOf = (
  outcome: { readonly value: unknown } | {
    readonly error: { readonly tag?: string | undefined; readonly reason?: string | undefined }
  }
) => "error" in outcome ? [outcome.error.tag, outcome.error.reason] : undefined

layer(Layer.provideMerge(ServersLive, HouseLive), { excludeTestServices: true, timeout: 60_000 })(
  "TokenWorker",
  (it) => {
    it.scoped("S70 the worker signs in, calls the API, renews and signs out, and the page sees no token", () =>
      Effect.gen(function*() {
        const { api, server } = yield* Servers
        const tab = yield* open()
        yield* promise(() => tab.evaluate(() => page.listen("dedicated")))
        const completed = yield* signIn(tab, "dedicated")
        const again = yield* promise(() =>
          tab.evaluate(([kind, url, pending]) => page.complete(kind, url, pending), completed)
        )
        assert.deepEqual(errorOf(again), ["AuthorizationResponseError", "TransactionConsumed"])
        const url = `${api.origin}/hello?a=1`
        const got = valueOf(yield* promise(() => tab.evaluate((url) => page.get("dedicated", url), url)))
        assert.strictEqual(got.status, 200)
        assert.deepInclude(JSON.parse(got.text), { hello: "ada", path: "/hello?a=1" })
        const before = valueOf(yield* promise(() => tab.evaluate(() => page.status("dedicated"))))
        assert.deepInclude(before, { isAuthorized: true, generation: 1 })
        valueOf(yield* promise(() => tab.evaluate(() => page.refresh("dedicated"))))
        assert.deepInclude(valueOf(yield* promise(() => tab.evaluate(() => page.status("dedicated")))), {
          generation: 2
        })
        const out = valueOf(yield* promise(() => tab.evaluate(() => page.signOut("dedicated"))))
        assert.strictEqual(out, "Revoked")
        const after = valueOf(yield* promise(() => tab.evaluate(() => page.status("dedicated"))))
        assert.strictEqual(after.isAuthorized, false)
        const heard = yield* promise(() => tab.evaluate(() => page.heard))
        assert.deepStrictEqual(heard.map(({ event }) => event), ["Authorized", "Refreshed", "SignedOut"])
        const refused = yield* promise(() => tab.evaluate((url) => page.get("dedicated", url), url))
        assert.deepEqual(errorOf(refused), ["ReauthorizationRequired", "NoSession"])
        assert.isTrue(server.seen.tokens.length >= 4)
      }))

    it.scoped("R01 S61 tabs share one session of a SharedWorker, and renew it once", () =>
      Effect.gen(function*() {
        const { api, server } = yield* Servers
        const first = yield* open()
        yield* signIn(first, "shared")
        const second = yield* open({ beside: first })
        yield* server.withdraw
        const before = server.seen.tokenRequests.length
        const statuses = yield* Effect.forEach(
          [first, second],
          (tab) => promise(() => tab.evaluate((url) => page.many("shared", url, 20), `${api.origin}/many`)),
          {
            concurrency: "unbounded"
          }
        )
        assert.deepStrictEqual(
          statuses.flatMap(valueOf),
          Array.from({ length: 40 }, () => 200)
        )
        assert.deepStrictEqual(server.seen.tokenRequests.slice(before), [{ grantType: "refresh_token", status: 200 }])
        yield* promise(() => first.close())
        assert.deepInclude(valueOf(yield* promise(() => second.evaluate(() => page.status("shared")))), {
          isAuthorized: true
        })
      }))

    it.scoped("S05 S66 the worker sends the token to the origins that it was given, whatever the page asks for", () =>
      Effect.gen(function*() {
        const { origin } = yield* House.House
        const { api, server } = yield* Servers
        const tab = yield* open()
        yield* signIn(tab, "dedicated")
        const calls = api.seen.calls.length
        const refusal = (url: string, headers = {}) =>
          Effect.map(
            promise(() =>
              tab.evaluate(([url, headers]) => page.get("dedicated", url, headers), [url, headers] as const)
            ),
            (outcome) => errorOf(outcome)?.[0]
          )
        assert.strictEqual(yield* refusal(`${origin}/steal`), "OriginNotAllowed")
        assert.strictEqual(yield* refusal(`${server.issuer}/token`), "OriginNotAllowed")
        assert.strictEqual(yield* refusal("/relative"), "OriginNotAllowed")
        assert.strictEqual(yield* refusal(`${api.origin}/x`, { authorization: "Bearer mine" }), "InputError")
        assert.strictEqual(api.seen.calls.length, calls)
        const posted = valueOf(
          yield* promise(() => tab.evaluate((url) => page.post("dedicated", url), `${api.origin}/form`))
        )
        assert.deepInclude(posted[0], { method: "POST", body: "text" })
        assert.deepInclude(posted[1], { body: "{\"a\":1}" })
        assert.match(String((posted[2] as { body: string }).body), /name="name"\r\n\r\nada/)
        assert.deepInclude(posted[3], { body: "ab" })
      }))

    it.scoped(
      "S70 a script in the page can use the session, and finds no token by any means",
      () =>
        Effect.gen(function*() {
          const { api, server } = yield* Servers
          const tab = yield* open({ before: `(${listenIn.toString()})()` })
          yield* promise(() =>
            tab.evaluate(() => {
              page.listen("dedicated")
              page.listen("shared")
            })
          )
          yield* promise(() => tab.evaluate(setTraps))
          yield* signIn(tab, "dedicated")
          yield* signIn(tab, "shared")
          yield* promise(() => tab.evaluate((url) => page.get("dedicated", url), `${api.origin}/used`))
          for (const kind of ["dedicated", "shared"] as const) {
            valueOf(yield* promise(() => tab.evaluate((kind) => page.refresh(kind), kind)))
            valueOf(yield* promise(() => tab.evaluate((kind) => page.status(kind), kind)))
          }
          const address = `/worker.js?issuer=${server.issuer}&api=${api.origin}`
          const loot = yield* promise(() => tab.evaluate(plunder, [address, `${api.origin}/loot`] as const))
          for (const proof of ["hello", "login_hint", "codeVerifier", "Greeted", "Refreshed"]) {
            assert.include(loot, proof, "whoever looks sees what there is to see")
          }
          assert.isTrue(server.seen.tokens.length >= 8)
          assert.deepStrictEqual(server.seen.tokens.filter((token) => loot.includes(token)), [])
          assert.notInclude(loot, "eyJ", "no ID token either")
        }),
      60_000
    )

    it.scoped(
      "S70 a caller that stops waiting ends nothing, and a worker that is not there is a typed error",
      () =>
        Effect.gen(function*() {
          const { api } = yield* Servers
          const tab = yield* open()
          yield* signIn(tab, "dedicated")
          const answer = valueOf(
            yield* promise(() => tab.evaluate((url) => page.interrupted("dedicated", url), `${api.origin}/slow`))
          )
          assert.isDefined(answer)
          assert.include(yield* promise(() => tab.evaluate(() => page.missing())), "worker: does not answer")
        }),
      30_000
    )

    it.scoped("a worker that has ended leaves nobody waiting, whether they asked before or after", () =>
      Effect.gen(function*() {
        const { server } = yield* Servers
        const tab = yield* open()
        yield* signIn(tab, "dedicated")
        server.delayAnswers(60_000)
        yield* Effect.addFinalizer(() => Effect.sync(() => server.delayAnswers(0)))
        const [before, after] = yield* promise(() =>
          tab.evaluate(async () => {
            const before = page.refresh("dedicated")
            await new Promise((resolve) => setTimeout(resolve, 200))
            page.terminate()
            return [await before, await page.status("dedicated")] as const
          })
        )
        for (const outcome of [before, after]) {
          assert("error" in outcome)
          assert.strictEqual(outcome.error.tag, "ConfigurationError")
          assert.include(outcome.error.message, "worker: has ended. Reload the page")
        }
      }))

    it.scoped("under a policy that trusts one maker of script addresses, both kinds of worker start and work", () =>
      Effect.gen(function*() {
        const { api } = yield* Servers
        const tab = yield* open({ path: "/trusted-worker-page" })
        const refused = yield* promise(() =>
          tab.evaluate(() => {
            try {
              new Worker("/worker.js", { type: "module" })
              return "started"
            } catch (error) {
              return (error as Error).name
            }
          })
        )
        assert.strictEqual(refused, "TypeError", "the policy is in force")
        for (const kind of ["dedicated", "shared"] as const) {
          yield* signIn(tab, kind)
          const got = valueOf(
            yield* promise(() =>
              tab.evaluate(([kind, url]) => page.get(kind, url), [kind, `${api.origin}/trusted`] as const)
            )
          )
          assert.strictEqual(got.status, 200)
          valueOf(yield* promise(() => tab.evaluate((kind) => page.refresh(kind), kind)))
        }
      }))

    it.scoped("a page of another version is told to reload, and not left waiting", () =>
      Effect.gen(function*() {
        const tab = yield* open()
        const answer = JSON.stringify(yield* promise(() => tab.evaluate(() => page.askOfTheFuture())))
        assert.include(answer, "ConfigurationError")
        assert.include(answer, "does not understand this page. Reload all pages of the site")
      }))

    it.scoped("S17 a parameter that is a secret does not reach the worker, nor a URL", () =>
      Effect.gen(function*() {
        const tab = yield* open()
        const outcome = yield* promise(() => tab.evaluate(() => page.beginWithSecret("dedicated")))
        assert("error" in outcome)
        assert.strictEqual(outcome.error.tag, "InputError")
        assert.notInclude(outcome.error.message, "hush")
      }))
  }
)

/** Runs before everything else in the page, and keeps all that passes by. */
const listenIn = () => {
  const loot: Array<unknown> = []
  Object.assign(globalThis, { loot })
  const tap = (owner: object, name: string) => {
    const original: unknown = Reflect.get(owner, name)
    if (typeof original !== "function") throw new Error(`There is no ${name}`)
    Object.defineProperty(owner, name, {
      configurable: true,
      writable: true,
      value(this: unknown, ...args: Array<unknown>): unknown {
        loot.push(...args)
        const result: unknown = Reflect.apply(original, this, args)
        loot.push(result)
        if (result instanceof Promise) void result.then((value: unknown) => loot.push(value), () => {})
        return result
      }
    })
  }
  tap(globalThis, "fetch")
  for (const kind of [Worker, MessagePort, BroadcastChannel]) tap(kind.prototype, "postMessage")
  for (const method of ["set", "get"]) {
    tap(Map.prototype, method)
    tap(WeakMap.prototype, method)
    tap(Headers.prototype, method)
  }
  for (const method of ["text", "json", "arrayBuffer"]) tap(Response.prototype, method)
  tap(Storage.prototype, "setItem")
  tap(JSON, "parse")
  tap(JSON, "stringify")
  tap(TextDecoder.prototype, "decode")
  tap(TextEncoder.prototype, "encode")
  const listen = EventTarget.prototype.addEventListener
  EventTarget.prototype.addEventListener = function(type, listener, options) {
    if (type === "message") listen.call(this, type, (event) => loot.push((event as MessageEvent).data), options)
    listen.call(this, type, listener, options)
  }
}

/** From now on, whoever gives an object a member of such a name tells it. */
const setTraps = () => {
  const loot = (globalThis as unknown as { readonly loot: Array<unknown> }).loot
  for (const name of ["access_token", "refresh_token", "accessToken", "refreshToken"]) {
    Object.defineProperty(Object.prototype, name, {
      configurable: true,
      set(this: object, value: unknown) {
        loot.push(value)
        Object.defineProperty(this, name, { value, configurable: true, enumerable: true, writable: true })
      }
    })
  }
}

/** Looks everywhere, asks the worker for everything, and returns all that was found as one text. */
const plunder = async ([address, url]: readonly [string, string]): Promise<string> => {
  const loot = (globalThis as unknown as { readonly loot: Array<unknown> }).loot
  for (const name of ["access_token", "refresh_token", "accessToken", "refreshToken"]) {
    Reflect.deleteProperty(Object.prototype, name)
  }
  const worker = new SharedWorker(address, { type: "module", name: "tokens" })
  worker.port.onmessage = ({ data }) => void loot.push(data)
  const pending = {
    version: 1,
    sessionKey: "user",
    state: "s",
    clientId: "page",
    server: "",
    redirectUri: "",
    expiresAt: 9e15
  }
  const questions: ReadonlyArray<unknown> = [
    { _tag: "Hello" },
    { _tag: "Begin", sessionKey: "user", parameters: [] },
    { _tag: "Complete", callback: "/?code=x&state=s", pending: { ...pending, codeVerifier: "v" } },
    { _tag: "Status", sessionKey: "user" },
    { _tag: "Refresh", sessionKey: "user" },
    { _tag: "Token", sessionKey: "user" },
    { _tag: "__proto__", sessionKey: "constructor" },
    ...[url, address, "https://user:password@example.com/", "data:text/html,x", "javascript:1"].flatMap((url) =>
      ["GET", "POST", "TRACE", "CONNECT"].map((method) => ({
        _tag: "Execute",
        sessionKey: "user",
        method,
        url,
        headers: []
      }))
    ),
    null,
    "token",
    { toString: 1 }
  ]
  for (const [id, question] of questions.entries()) worker.port.postMessage({ id, question })
  worker.port.postMessage(loot.length)
  loot.push({ ...localStorage }, { ...sessionStorage }, document.cookie, globalThis.location.href, window.name)
  for (const { name } of await indexedDB.databases()) loot.push(name)
  loot.push(await caches.keys(), performance.getEntries().map(({ name }) => name))
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const seen = new Set<unknown>()
  const texts: Array<string> = []
  const walk = (value: unknown): void => {
    if (typeof value === "string") return void texts.push(value)
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return
    seen.add(value)
    if (seen.size > 200_000 || value instanceof Node || value === globalThis) return
    if (ArrayBuffer.isView(value)) return void texts.push(new TextDecoder().decode(value))
    if (value instanceof ArrayBuffer) return value.byteLength > 0 ? walk(new Uint8Array(value)) : undefined
    if (value instanceof Map) { for (const entry of value) walk(entry) }
    if (value instanceof Set) { for (const item of value) walk(item) }
    for (const key of Reflect.ownKeys(value)) {
      try {
        walk(Reflect.get(value, key))
      } catch {
        // what throws holds nothing
      }
    }
  }
  walk([...loot])
  walk(page)
  return texts.join("\n")
}
