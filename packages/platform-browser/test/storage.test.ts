/** What each place to keep sessions promises is there, is there, and nothing else, wherever one looks. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page as Tab } from "playwright-core"
import type { Page, Settings } from "./pages/sessionPage.js"
import * as House from "./support/house.js"
import { promise } from "./support/house.js"
import { type Found, type Place, placesOf, scan } from "./support/scan.js"
import * as SessionTabs from "./support/sessionTabs.js"
import * as WorkerTabs from "./support/workerTabs.js"

declare const page: Page

interface Promised {
  readonly accessTokens: ReadonlyArray<Place>
  readonly refreshTokens: ReadonlyArray<Place>
}

/** How each one begins. */
const idToken = "eyJhbGciOi"

const nowhere = { accessTokens: [], refreshTokens: [] }

/** As the documentation says. */
const promised: Readonly<Record<Settings["custody"], Promised>> = {
  memory: nowhere,
  sessionStorage: { accessTokens: ["sessionStorage"], refreshTokens: ["sessionStorage"] },
  split: { accessTokens: [], refreshTokens: ["sessionStorage"] },
  IndexedDB: nowhere,
  localStorage: { accessTokens: ["localStorage"], refreshTokens: ["localStorage"] }
}

const refresh = (tab: Tab) => promise(() => tab.evaluate(() => page.refresh()))

/** What a script of the page can do with the key of the database. */
const tryKey = (tab: Tab) =>
  promise(() =>
    tab.evaluate(async () => {
      const settled = <A>(request: IDBRequest<A>) =>
        new Promise<A>((resolve) => {
          request.onsuccess = () => resolve(request.result)
        })
      const database = await settled(indexedDB.open("effect-oauth2"))
      const keys = await settled(
        database.transaction("keys").objectStore("keys").getAll()
      ) as ReadonlyArray<{ readonly key: CryptoKey }>
      database.close()
      return await Promise.all(keys.map(async ({ key }) => ({
        isKey: key instanceof CryptoKey,
        extractable: key.extractable,
        exported: await Promise.all(
          (["raw", "jwk"] as const).map((format) =>
            crypto.subtle.exportKey(format, key).then(() => "exported", (error: Error) => error.name)
          )
        )
      })))
    })
  )

const HouseLive = House.layer({
  scripts: { ...WorkerTabs.site.scripts, ...SessionTabs.site.scripts },
  files: {
    ...WorkerTabs.site.files,
    ...SessionTabs.site.files,
    "/blank": { type: "text/html", body: "<!doctype html><title>blank</title>" }
  }
})

layer(HouseLive, { excludeTestServices: true, timeout: 60_000 })("what is stored", (it) => {
  for (const custody of ["memory", "sessionStorage", "split", "IndexedDB", "localStorage"] as const) {
    it.scoped(`S59 S70 is where it is promised to be, and what was replaced is nowhere (${custody})`, () =>
      Effect.gen(function*() {
        const servers = yield* House.servers({ tokenSeconds: 600 })
        const { seen } = servers.server
        const driver = yield* SessionTabs.make(servers, { custody })
        const tab = yield* driver.open
        /** What the server gave out last is where it was promised to be, and all that it gave out before is nowhere. */
        const check = (found: Found) => {
          const { accessTokens, refreshTokens } = promised[custody]
          assert.deepStrictEqual(placesOf(found, seen.accessTokens.slice(-1)), accessTokens, "access token")
          assert.deepStrictEqual(placesOf(found, seen.refreshTokens.slice(-1)), refreshTokens, "refresh token")
          const before = [...seen.accessTokens.slice(0, -1), ...seen.refreshTokens.slice(0, -1)]
          assert.deepStrictEqual(placesOf(found, before), [], "what was replaced")
          // The browser itself tells by which address a document came, for as long as it is there
          assert.deepStrictEqual(placesOf(found, seen.codes), ["entries"], "the code, which is used up")
          assert.deepStrictEqual(placesOf(found, [idToken]), accessTokens, "ID token")
        }
        yield* driver.signIn(tab)
        yield* driver.call(tab, 2)
        check(yield* scan(tab))
        yield* refresh(tab)
        yield* refresh(tab)
        yield* driver.call(tab, 2)
        assert.strictEqual(seen.tokens.length, 6)
        check(yield* scan(tab))
        if (custody === "IndexedDB") {
          const refused = { isKey: true, extractable: false, exported: ["InvalidAccessError", "InvalidAccessError"] }
          assert.deepStrictEqual(yield* tryKey(tab), [refused])
        }
        assert.deepStrictEqual(yield* promise(() => tab.evaluate(() => page.signOut())), { value: "Revoked" })
        yield* promise(() => tab.reload())
        assert.deepStrictEqual(placesOf(yield* scan(tab), [...seen.tokens, ...seen.codes, idToken]), [])
      }))
  }

  for (const kind of ["dedicated", "shared"] as const) {
    it.scoped(`S70 is nothing at all, with a ${kind} token worker`, () =>
      Effect.gen(function*() {
        const servers = yield* House.servers({ tokenSeconds: 600 })
        const { seen } = servers.server
        const tab = yield* WorkerTabs.open(yield* House.profile, servers)
        yield* WorkerTabs.signIn(tab, kind)
        const call = WorkerTabs.get(tab, kind, `${servers.api.origin}/call`)
        yield* call
        yield* WorkerTabs.refresh(tab, kind)
        assert.strictEqual((yield* call).status, 200)
        assert.strictEqual(seen.tokens.length, 4)
        assert.deepStrictEqual(placesOf(yield* scan(tab), [...seen.tokens, ...seen.codes, idToken]), [])
      }))
  }

  it.scoped("S70 whoever looks finds what there is to find, in every place and as whatever it is kept", () =>
    Effect.gen(function*() {
      const tab = yield* House.open(yield* House.profile, "/blank")
      yield* promise(() => tab.evaluate(hide, "canary"))
      assert.sameMembers([...placesOf(yield* scan(tab), ["canary"])], places)
    }))
})

const places: Array<Place> = [
  "localStorage",
  "sessionStorage",
  "IndexedDB",
  "cookies",
  "caches",
  "address",
  "entries"
]

/** Leaves the text in every place. */
const hide = async (text: string): Promise<void> => {
  localStorage.setItem("a", `{"b":"${text}"}`)
  sessionStorage.setItem("a", text)
  document.cookie = `a=${text}`
  history.replaceState({ a: text }, "")
  await (await fetch(`/blank?${text}`)).text()
  await (await caches.open("a")).put("/a", new Response(text))
  await new Promise<void>((resolve) => {
    const request = indexedDB.open("a")
    request.onupgradeneeded = () => {
      request.result.createObjectStore("a").put({ a: new Map([["b", new TextEncoder().encode(text)]]) }, "a")
    }
    request.onsuccess = () => {
      request.result.close()
      resolve()
    }
  })
}
