/** A key that the operating system keeps, and what is said where it cannot. */
import { AesGcm, EncryptedStore, SessionRecord, TokenStore } from "@effect-oauth2/core"
import { Keyring } from "@effect-oauth2/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"
import { withEnvironment } from "./support/environment.js"

const entry = { service: "effect-oauth2-test", account: "sessions" }

/** A keyring in memory: what it holds, and how often it was written to. */
const inMemory = () => {
  const secrets = new Map<string, Redacted.Redacted<string>>()
  const nameOf = ({ account, service }: Keyring.Entry) => JSON.stringify([service, account])
  let writes = 0
  const service: Keyring.KeyringService = {
    get: (entry) => Effect.sync(() => secrets.get(nameOf(entry))),
    set: (entry, secret) =>
      Effect.sync(() => {
        writes++
        secrets.set(nameOf(entry), secret)
      })
  }
  return { service, secrets, writes: () => writes }
}

const provide = (service: Keyring.KeyringService) => Effect.provideService(Keyring.Keyring, service)

const failureOf = <A, E>(exit: Exit.Exit<A, E>) => Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "none"

describe("Keyring", () => {
  it.live("S69 a key is made once, of 256 bits, and is the same for whoever asks again", () =>
    Effect.gen(function*() {
      const keyring = inMemory()
      const first = yield* provide(keyring.service)(Keyring.key(entry))
      const second = yield* provide(keyring.service)(Keyring.key(entry))
      const other = yield* provide(keyring.service)(Keyring.key({ ...entry, account: "other" }))
      assert.strictEqual(keyring.writes(), 2)
      assert.strictEqual(first.id, second.id)
      assert.notStrictEqual(first.id, other.id)
      assert.match(first.id, /^keyring-[0-9a-f]{16}$/)
      for (const secret of keyring.secrets.values()) {
        assert.lengthOf(Effect.runSync(Encoding.decodeBase64(Redacted.value(secret))), 32)
      }
      const iv = new Uint8Array(AesGcm.ivLength)
      const sealed = yield* AesGcm.encrypt(first, iv, iv, new Uint8Array([1, 2, 3]))
      assert.deepStrictEqual(yield* AesGcm.decrypt(second, iv, iv, sealed), new Uint8Array([1, 2, 3]))
      assert.isFalse(first.key.extractable)
    }))

  it.live("S69 of many who make a key at once, all use the one that stayed", () =>
    Effect.gen(function*() {
      const keyring = inMemory()
      const slow: Keyring.KeyringService = {
        get: (entry) => Effect.delay(keyring.service.get(entry), "10 millis"),
        set: (entry, secret) => Effect.delay(keyring.service.set(entry, secret), "10 millis")
      }
      const keys = yield* Effect.replicateEffect(provide(slow)(Keyring.key(entry)), 20, { concurrency: 20 })
      assert.strictEqual(keyring.writes(), 20)
      assert.strictEqual(new Set(keys.map(({ id }) => id)).size, 1)
    }))

  it.live("S69 a record that was encrypted with a key that the keyring has lost is UnknownKey, and stays", () =>
    Effect.gen(function*() {
      const inner = yield* TokenStore.makeMemory
      const open = Effect.flatMap(
        Effect.suspend(() => provide(inMemory().service)(Keyring.key(entry))),
        (key) => EncryptedStore.make(inner, { keys: [key] })
      )
      yield* (yield* open).replace("key", { version: 1, generation: 0, state: SessionRecord.idle })
      const error = yield* Effect.flip((yield* open).get("key"))
      assert.deepInclude(error, { _tag: "StoreError", reason: "UnknownKey" })
      assert.isTrue((yield* inner.get("key"))._tag === "Some")
    }))

  it.live("what is in the keyring and is no key is told, left alone, and not shown", () =>
    Effect.gen(function*() {
      for (const secret of ["canary", "Y2FuYXJ5", ""]) {
        const keyring = inMemory()
        yield* keyring.service.set(entry, Redacted.make(secret))
        const exit = yield* Effect.exit(provide(keyring.service)(Keyring.key(entry)))
        assert.match(failureOf(exit), /is no key/)
        assert.notMatch(failureOf(exit) + inspect(exit, { depth: 20 }), /canary|Y2FuYXJ5/)
        assert.strictEqual(keyring.writes(), 1)
      }
    }))

  it.scopedLive("without a keyring the error says what to do instead", () =>
    Effect.gen(function*() {
      yield* withEnvironment({ DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent/bus" })
      const error = yield* Effect.flip(Keyring.key(entry))
      assert.deepInclude(error, { _tag: "KeyringError", reason: "Unavailable", remedy: "operator" })
      assert.include(error.message, "AesGcm.importKey")
      assert.include(error.message, "FileTokenStore")
      assert.deepStrictEqual(yield* Schema.encode(Keyring.KeyringError)(error), {
        _tag: "KeyringError",
        reason: "Unavailable"
      })
    }))
})
