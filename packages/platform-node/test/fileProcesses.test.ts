/** Real processes that share a folder, and that are killed at any moment. */
import { SessionRecord, type TokenStore } from "@effect-oauth2/core"
import { FileTokenStore } from "@effect-oauth2/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type { ChildProcess } from "node:child_process"
import { readdirSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { chainOf, privateFolder } from "./support/folders.js"
import { bundle, ended, startBundle } from "./support/processes.js"

/** How many processes are killed. To look closer: `FILE_KILLS=10000`. */
const kills = Number(process.env["FILE_KILLS"] ?? 200)

const program = bundle(new URL("./support/fileRenewer.ts", import.meta.url))

const record = SessionRecord.authorized(0, {
  accessToken: Redacted.make("0.".repeat(8_192)),
  tokenType: "Bearer",
  issuedAt: 0,
  refreshToken: Redacted.make("0.".repeat(8_192))
})

const seconds = Effect.map(Effect.clockWith((clock) => clock.currentTimeMillis), (millis) => millis / 1_000)

/** Waits until the process says something. */
const heard = (child: ChildProcess): Effect.Effect<void> =>
  Effect.async((resume) => {
    child.stdout?.once("data", () => resume(Effect.void))
    child.once("close", () => resume(Effect.void))
  })

const killed = (child: ChildProcess): Effect.Effect<void> =>
  Effect.async((resume) => {
    child.once("close", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

/** A generation that only grows, of a record that is one generation's from its beginning to its end. */
const wholeGeneration = (store: TokenStore.TokenStoreService, key: string, before: number) =>
  Effect.map(store.get(key), (found) => {
    if (Option.isNone(found)) {
      assert.strictEqual(before, 0, "a session was lost")
      return 0
    }
    const { generation, token } = found.value
    assert.isAtLeast(generation, before, "a generation went back")
    if (token === undefined) return generation
    const text = `${token.issuedAt}.`.repeat(8_192).slice(0, 16_384)
    assert.isTrue(Redacted.value(token.accessToken) === text, "a record was torn")
    assert.isTrue(token.refreshToken && Redacted.value(token.refreshToken) === text, "a record was torn")
    return generation
  })

const draftsIn = (folder: string) => readdirSync(folder).filter((name) => /draft|sweep/.test(name))

describe("processes on one folder", () => {
  it.scopedLive("R39 S61 eight processes renew one session as fast as they can: each generation is written once", () =>
    Effect.gen(function*() {
      const [bundled, folder] = yield* Effect.all([program, privateFolder])
      const [processes, rounds] = [8, 12]
      const children = Array.from({ length: processes }, (_, i) => startBundle(bundled, [folder, `${i}`, `${rounds}`]))
      const results = yield* Effect.forEach(children, ended, { concurrency: "unbounded" })
      assert.deepStrictEqual(results.map(({ code }) => code), Array.from({ length: processes }, () => 0))
      const generations = results.flatMap(({ output }) => output.trim().split("\n").map(Number)).sort((a, b) => a - b)
      assert.deepStrictEqual(generations, Array.from({ length: processes * rounds }, (_, i) => i + 1))
      const store = yield* FileTokenStore.make({ directory: folder })
      assert.strictEqual(yield* wholeGeneration(store, "shared", 0), processes * rounds)
      assert.deepStrictEqual(draftsIn(folder), [])
    }))

  it.scopedLive(`R12 R16 R39 ${kills} processes killed while they write: no record is ever torn, lost or older than before`, () =>
    Effect.gen(function*() {
      const [bundled, folder] = yield* Effect.all([program, privateFolder])
      const store = yield* FileTokenStore.make({ directory: folder })
      yield* store.replace("shared", record)
      const reads = yield* Ref.make(0)
      const reader = yield* Effect.fork(Effect.iterate(0, {
        while: () => true,
        body: (before) =>
          Effect.delay(wholeGeneration(store, "shared", before), "1 millis").pipe(
            Effect.tap(Ref.update(reads, (n) => n + 1))
          )
      }))
      const worker = (name: string, count: number) =>
        Effect.gen(function*() {
          let [shared, own] = [0, 0]
          for (let i = 0; i < count; i++) {
            const child = startBundle(bundled, [folder, name, "endlessly"])
            yield* heard(child)
            yield* Effect.sleep(Duration.millis((i * 7) % 40))
            yield* killed(child)
            shared = yield* wholeGeneration(store, "shared", shared)
            own = yield* wholeGeneration(store, `of ${name}`, own)
          }
          return own
        })
      const renewed = yield* Effect.all([
        worker("a", Math.ceil(kills / 2)),
        worker("b", Math.floor(kills / 2))
      ], { concurrency: 2 })
      const shared = yield* wholeGeneration(store, "shared", 0)
      yield* Fiber.interrupt(reader)
      // They were killed at work, and somebody read meanwhile.
      assert.isAbove(shared + renewed[0] + renewed[1], kills)
      assert.isAbove(yield* Ref.get(reads), kills)
      assert.isAbove(draftsIn(folder).length, 0, "nobody was killed in the midst of a write")
      const begun = yield* store.begin("shared", { generation: shared, attempt: "late" }, Duration.seconds(60)).pipe(
        Effect.repeat({ until: ({ _tag }) => _tag === "Begun" }),
        Effect.timeout("2 seconds")
      )
      assert.strictEqual(begun._tag, "Begun")
    }))

  it.scopedLive("R12 what a killed holder held is taken over when its time is up, and within a second", () =>
    Effect.gen(function*() {
      const [bundled, folder] = yield* Effect.all([program, privateFolder])
      const store = yield* FileTokenStore.make({ directory: folder })
      yield* store.replace("shared", record)
      const begin = (attempt: string) => store.begin("shared", { generation: 1, attempt }, Duration.seconds(60))
      for (const hold of [300, 900]) {
        const child = startBundle(bundled, [folder, `holder-${hold}`, "hold", String(hold)])
        yield* heard(child)
        yield* killed(child)
        const held = yield* begin("early")
        const until = held._tag === "Busy" ? held.until / 1_000 : yield* seconds
        const begun = yield* begin(`taker-${hold}`).pipe(
          Effect.delay("10 millis"),
          Effect.repeat({ until: ({ _tag }) => _tag === "Begun" })
        )
        assert.isBelow(yield* seconds, until + 1)
        assert.isTrue(begun._tag === "Begun" && SessionRecord.isUnresolved(begun.record))
        yield* store.release("shared", { generation: 1, attempt: `taker-${hold}` }, { unresolved: false })
      }
    }))

  it.scopedLive("R12 drafts and sweeps that were left behind block nobody, and go when they are a minute old", () =>
    Effect.gen(function*() {
      const folder = yield* privateFolder
      const store = yield* FileTokenStore.make({ directory: folder })
      yield* store.replace("shared", record)
      const chain = chainOf("session", "shared")
      const left = (what: string, age: number) => {
        const file = join(folder, `${chain}.1.${age.toString(16).padStart(24, "0")}.${what}`)
        writeFileSync(file, "half a rec", { mode: 0o600 })
        const at = Date.now() / 1_000 - age
        utimesSync(file, at, at)
      }
      for (const age of [61, 2]) {
        left("draft", age)
        left("sweep", age)
      }
      const [began, ended] = yield* Effect.all([
        seconds,
        Effect.zipRight(store.replace("shared", record), Effect.zipRight(store.remove("shared"), seconds))
      ])
      assert.isBelow(ended - began, 1)
      assert.isTrue(Option.isNone(yield* store.get("shared")))
      assert.lengthOf(draftsIn(folder), 1, "the one that may still have a writer")
      left("draft", 62)
      left("sweep", 63)
      yield* FileTokenStore.make({ directory: folder })
      assert.lengthOf(draftsIn(folder), 1)
      yield* store.replace("shared", record)
      assert.strictEqual((yield* store.remove("shared"))._tag, "Some")
    }))
})
