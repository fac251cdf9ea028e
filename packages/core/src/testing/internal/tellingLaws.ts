/** The laws of what a store can tell of all its sessions. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SessionRecord from "../../SessionRecord.js"
import type { TokenStoreService } from "../../TokenStore.js"
import { holds, law, LawBroken, same } from "./law.js"
import { claim, record, sealedRecord } from "./lawValues.js"
import { long, type StoreLaw, type StoreWorld } from "./tokenStoreLaws.js"

/** What the store says that it can do is what it can do. */
export const nature = (expected: { readonly idle: boolean; readonly changes: boolean }): ReadonlyArray<StoreLaw> => [
  law("R39 a store tells what it is, and has what it says that it has", function*({ service }) {
    yield* holds("durability", ["volatile", "durable"].includes(service.durability), service.durability)
    const sharings = ["process", "tab", "origin", "machine", "network"]
    yield* holds("sharing", sharings.includes(service.sharing), service.sharing)
    yield* same("idle", service.idle !== undefined, expected.idle)
    yield* same("changes", service.changes !== undefined, expected.changes)
  })
]

const idleOf = (store: TokenStoreService, prefix = "", renewedBefore = 1_000, limit = 100) =>
  store.idle?.({ prefix, renewedBefore, limit }) ?? Effect.dieMessage("the store has no idle")

export const idle: ReadonlyArray<StoreLaw> = [
  law("R39 idle names the sessions renewed before an instant, the longest ago first", function*({ service }) {
    for (const [key, at] of [["c", 300], ["a", 100], ["e", 500], ["d", 400], ["b", 200]] as const) {
      yield* service.replace(key, record(0, key, at))
    }
    yield* same("before 400", yield* idleOf(service, "", 400), ["a", "b", "c"])
    yield* same("before 401", yield* idleOf(service, "", 401), ["a", "b", "c", "d"])
    yield* same("before 0", yield* idleOf(service, "", 0), [])
  }),
  law("R39 idle names no more than it is asked for, and those with the beginning alone", function*({ service }) {
    const keys = ["app:1", "app:2", "app:3", "App:4", "apple", "other:app:5", "a%p:6", "a_p:7", "", "%", "_x"]
    for (const [index, key] of keys.entries()) yield* service.replace(key, record(0, key, index))
    yield* same("app:", yield* idleOf(service, "app:"), ["app:1", "app:2", "app:3"])
    yield* same("two of app:", yield* idleOf(service, "app:", 1_000, 2), ["app:1", "app:2"])
    yield* same("none of app:", yield* idleOf(service, "app:", 1_000, 0), [])
    yield* same("a%", yield* idleOf(service, "a%"), ["a%p:6"])
    yield* same("a_", yield* idleOf(service, "a_"), ["a_p:7"])
    yield* same("%", yield* idleOf(service, "%"), ["%"])
    yield* same("any", yield* idleOf(service), keys)
  }),
  law("R39 idle leaves out what is dead", function*({ service }) {
    yield* service.replace("live", record(0, "live", 1))
    yield* service.replace("dead", SessionRecord.dead(record(0, "dead", 1), "InvalidGrant"))
    yield* service.replace("dying", record(0, "dying", 1))
    yield* service.begin("dying", claim("a"), long)
    yield* service.commit("dying", claim("a"), SessionRecord.dead(record(1, "dying", 1), "InvalidGrant"))
    yield* same("idle", yield* idleOf(service), ["live"])
  }),
  law("R39 a session that is renewed, renamed or removed is idle as what it is now", function*({ service }) {
    for (const key of ["renewed", "renamed", "removed", "redeemed"]) yield* service.replace(key, record(0, key, 10))
    yield* service.begin("renewed", claim("a"), long)
    yield* service.commit("renewed", claim("a"), record(2, "renewed", 5_000))
    yield* service.rename("renamed", "to another", long)
    yield* service.remove("removed")
    yield* service.begin("redeemed", claim("a"), long)
    const found = yield* idleOf(service)
    yield* same("idle", [...found].sort(), ["redeemed", "to another"])
  }),
  law("R39 a sealed session is idle by the time that stands beside the seal", function*({ service }) {
    yield* service.replace("later", sealedRecord(0, 300))
    yield* service.replace("sooner", sealedRecord(0, 200))
    yield* service.replace("fresh", sealedRecord(0, 5_000))
    yield* same("idle", yield* idleOf(service), ["sooner", "later"])
  })
]

/** How often a change is made until it has to have been told: a store may miss some. */
const attempts = 60

/** Makes a change again and again, until enough has been told. */
const tells = (
  { pass, service }: StoreWorld,
  what: string,
  isEnough: (heard: ReadonlySet<string>) => boolean,
  change: (attempt: number) => Effect.Effect<unknown, unknown>
) =>
  Effect.gen(function*() {
    const heard = new Set<string>()
    const listening = Stream.runForEach(service.changes ?? Stream.empty, (key) => Effect.sync(() => heard.add(key)))
    yield* pass(1)
    yield* Effect.forkScoped(listening)
    yield* pass(1)
    for (let attempt = 0; attempt < attempts; attempt++) {
      yield* change(attempt)
      for (let wait = 0; wait < 5; wait++) {
        if (isEnough(heard)) return
        yield* pass(0.2)
      }
    }
    return yield* new LawBroken({ what, expected: "to be told of it", seen: JSON.stringify([...heard]).slice(0, 600) })
  })

const has = (...keys: ReadonlyArray<string>) => (heard: ReadonlySet<string>) => keys.every((key) => heard.has(key))

/** One session for each attempt, before anyone listens. */
const fillMany = (store: TokenStoreService) =>
  Effect.forEach(
    Array.from({ length: attempts }, (_, index) => `from ${index}`),
    (key) => store.replace(key, record(0, "first"))
  )

const odd = ["", "é\u{1f511}", "' OR '1'='1", "x".repeat(4_096), `${"é".repeat(2_048)}`]

export const changes: ReadonlyArray<StoreLaw> = [
  law("R39 changes tells of what is renewed", function*(world) {
    const { service } = world
    const filled = yield* fillMany(service)
    yield* tells(world, "commit", (heard) => heard.size > 0, (attempt) =>
      Effect.gen(function*() {
        const key = `from ${attempt}`
        yield* holds("there are as many", attempt < filled.length)
        yield* service.begin(key, claim("a"), long)
        yield* service.commit(key, claim("a"), record(2, "next"))
      }))
  }),
  law("R39 changes tells of new sign-ins", function*(world) {
    yield* tells(world, "replace", has("key"), () => world.service.replace("key", record(0, "first")))
  }),
  law("R39 changes tells of what is removed", function*(world) {
    yield* fillMany(world.service)
    yield* tells(world, "remove", (heard) => heard.size > 0, (attempt) => world.service.remove(`from ${attempt}`))
  }),
  law("R39 changes tells of both keys of a rename", function*(world) {
    yield* fillMany(world.service)
    const isEnough = (heard: ReadonlySet<string>) =>
      [...heard].some((key) => key.startsWith("from") && heard.has(key.replace("from", "to")))
    yield* tells(world, "rename", isEnough, (attempt) => world.service.rename(`from ${attempt}`, `to ${attempt}`, long))
  }),
  law("R39 changes tells of keys whatever is in them", function*(world) {
    yield* tells(
      world,
      "replace",
      has(...odd),
      () => Effect.forEach(odd, (key) => world.service.replace(key, record(0, "first")))
    )
  })
]

export const sharedChanges: ReadonlyArray<StoreLaw> = [
  law("R39 changes tells of what another handle changed", function*(world) {
    const other = yield* world.another
    yield* tells(world, "replace elsewhere", has("key"), () => other.replace("key", record(0, "first")))
  }),
  law("R39 changes tells everyone who listens", function*(world) {
    const other = yield* world.another
    yield* tells(world, "here", has("key"), () => other.replace("key", record(0, "first")))
    yield* tells({ ...world, service: other }, "there", has("key"), () => other.replace("key", record(0, "first")))
  })
]
