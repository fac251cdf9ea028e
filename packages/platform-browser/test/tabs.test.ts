/** One session in many tabs, in a real browser against a real server. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { Page as Tab } from "playwright-core"
import * as Tabs from "../../../support/browser/tabs.js"
import * as House from "./support/house.js"
import * as SessionTabs from "./support/sessionTabs.js"
import * as WorkerTabs from "./support/workerTabs.js"

const HouseLive = House.layer({
  scripts: { ...WorkerTabs.site.scripts, ...SessionTabs.site.scripts },
  files: { ...WorkerTabs.site.files, ...SessionTabs.site.files }
})

/** Where the session is, and what is missing in the browser. */
const kinds: Readonly<
  Record<Kind, (servers: House.Servers) => Effect.Effect<Telling, never, House.House | Scope.Scope>>
> = {
  "IndexedDB": (servers: House.Servers) => SessionTabs.make(servers, { custody: "IndexedDB" }),
  "IndexedDB, without Web Locks": (servers: House.Servers) =>
    Effect.tap(SessionTabs.make(servers, { custody: "IndexedDB" }), ({ context }) => House.withoutWebLocks(context)),
  "localStorage": (servers: House.Servers) => SessionTabs.make(servers, { custody: "localStorage" }),
  "a SharedWorker": WorkerTabs.make
}
type Kind = "IndexedDB" | "IndexedDB, without Web Locks" | "localStorage" | "a SharedWorker"

interface Telling extends Tabs.Driver<Tab, House.House> {
  /** What the tabs told each other. */
  readonly told?: Effect.Effect<ReadonlyArray<unknown>>
}

const tokenSeconds = 4
const expiries = 10

interface Outcome {
  readonly rounds: ReadonlyArray<Tabs.Round>
  readonly server: House.Servers["server"]
  readonly told: ReadonlyArray<unknown>
}

/** The tokens of all run out at the same time: that takes long, and is waited for once. */
class Outcomes extends Context.Tag("Outcomes")<Outcomes, Readonly<Record<Kind, Effect.Effect<Outcome>>>>() {}

const tabs = 8
const calls = 20

const OutcomesLive = Layer.scoped(
  Outcomes,
  Effect.gen(function*() {
    const turn = yield* Effect.makeSemaphore(1)
    const outcomeOf = (kind: Kind) =>
      Effect.gen(function*() {
        const servers = yield* House.servers({ tokenSeconds })
        const driver = yield* kinds[kind](servers)
        const rounds = yield* Tabs.rounds(driver, servers.server, { tabs, calls, expiries, tokenSeconds, turn })
        return { rounds, told: yield* driver.told ?? Effect.succeed([]), server: servers.server }
      }).pipe(Effect.scoped, Effect.forkScoped, Effect.map(Fiber.join))
    return {
      "IndexedDB": yield* outcomeOf("IndexedDB"),
      "IndexedDB, without Web Locks": yield* outcomeOf("IndexedDB, without Web Locks"),
      "localStorage": yield* outcomeOf("localStorage"),
      "a SharedWorker": yield* outcomeOf("a SharedWorker")
    }
  })
)

layer(Layer.provideMerge(OutcomesLive, HouseLive), { excludeTestServices: true, timeout: 60_000 })("tabs", (it) => {
  for (const kind of Object.keys(kinds) as ReadonlyArray<Kind>) {
    it.scoped(`R01 S61 eight tabs, twenty calls each, ten expiries: ten refreshes, and every call is answered (${kind})`, () =>
      Effect.gen(function*() {
        const { rounds, server } = yield* (yield* Outcomes)[kind]
        const expected = { answered: 160, failed: [], refreshes: 1 }
        assert.deepStrictEqual(rounds, Array.from({ length: expiries }, () => expected))
        assert.deepStrictEqual(
          server.seen.tokenRequests.slice(1),
          Array.from({ length: expiries }, () => ({ grantType: "refresh_token", status: 200 }))
        )
        assert.strictEqual(server.seen.grantsRevoked(), 0)
      }))
  }

  for (const kind of ["IndexedDB", "IndexedDB, without Web Locks", "localStorage"] as const) {
    it.scoped(`what the tabs tell each other is a key and a generation, and no token (${kind})`, () =>
      Effect.gen(function*() {
        const { server, told } = yield* (yield* Outcomes)[kind]
        assert.isAtLeast(told.length, expiries)
        for (const message of told) assert.isTrue(isNews(message), JSON.stringify(message))
        const heard = JSON.stringify(told)
        assert.isAtLeast(server.seen.tokens.length, 2 * expiries)
        assert.deepStrictEqual(server.seen.tokens.filter((token) => heard.includes(token)), [])
      }))
  }
})

const isNews = (message: unknown): message is { readonly key: string; readonly generation: number } =>
  Predicate.isRecord(message) && Object.keys(message).join() === "key,generation" &&
  typeof message["key"] === "string" && typeof message["generation"] === "number"
