/** What is kept is encrypted, opens only where it was put, and what does not open stays as it is. */
import {
  AesGcm,
  EncryptedStore,
  OAuth2Client,
  PendingAuthorizations,
  SessionRecord,
  TokenStore
} from "@effect-oauth2/core"
import type { Token } from "@effect-oauth2/core"
import { StoreLaws, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Either, Fiber, Layer, Option, Redacted, Schema } from "effect"
import { publicClient } from "./fixtures.js"
import * as WatchedStore from "./reliability/WatchedStore.js"

const key = (id: string, byte: number) =>
  Effect.orDie(AesGcm.importKey(id, Redacted.make(new Uint8Array(32).fill(byte))))

const token: Token.Token = {
  accessToken: Redacted.make("canary-access"),
  tokenType: "Bearer",
  issuedAt: 5_000,
  expiresAt: 3_605_000,
  refreshToken: Redacted.make("canary-refresh"),
  scope: ["profile"],
  idToken: Redacted.make("canary-id"),
  extra: Redacted.make(new Map<string, unknown>([["instance_url", "https://canary.example"]]))
}

const encoded = Schema.encodeSync(SessionRecord.SessionRecord)

const hold = Duration.seconds(10)

/** An encrypted store, and the one beneath it. */
const opened = (options?: Partial<EncryptedStore.Options>) =>
  Effect.gen(function*() {
    const inner = yield* TokenStore.makeMemory
    const keys = [yield* key("first", 1)] as const
    return { inner, store: yield* EncryptedStore.make(inner, { keys, ...options }) }
  })

const stored = (store: TokenStore.TokenStoreService, key = "key") => Effect.map(store.get(key), Option.getOrThrow)

describe("EncryptedStore", () => {
  const laws = StoreLaws.tokenStore({
    storage: TokenStore.makeMemory,
    open: (inner) => Effect.flatMap(key("first", 1), (key) => EncryptedStore.make(inner, { keys: [key] })),
    hold: 60
  })
  for (const law of laws) it.scopedLive(law.title, () => law.check)

  it.effect("S69 what lies in the store holds nothing of the tokens, and comes back whole", () =>
    Effect.gen(function*() {
      const { inner, store } = yield* opened()
      yield* store.replace("key", {
        ...SessionRecord.authorized(0, token),
        alternate: Redacted.make("canary-alternate")
      })
      const beneath = JSON.stringify(encoded(yield* stored(inner)))
      assert.notInclude(beneath, "canary")
      assert.notInclude(beneath, "profile")
      assert.include(beneath, "\"renewedAt\":5000")
      const record = yield* stored(store)
      assert.deepStrictEqual(
        encoded(record),
        encoded({
          ...SessionRecord.authorized(1, token),
          alternate: Redacted.make("canary-alternate")
        })
      )
    }))

  it.effect("S69 the same record is never encrypted to the same text twice", () =>
    Effect.gen(function*() {
      const { inner, store } = yield* opened()
      const seen = new Set<string | undefined>()
      for (let n = 0; n < 50; n++) {
        yield* store.replace("key", SessionRecord.authorized(0, token))
        seen.add((yield* stored(inner)).sealed)
      }
      assert.strictEqual(seen.size, 50)
    }))

  it.effect("S69 a record that was moved to another session's key does not open, and is not removed", () =>
    Effect.gen(function*() {
      const { inner, store } = yield* opened()
      yield* store.replace("mallory", SessionRecord.authorized(0, token))
      yield* inner.replace("victim", yield* stored(inner, "mallory"))
      const error = yield* Effect.flip(store.get("victim"))
      assert.deepInclude(error, { _tag: "StoreError", operation: "get", reason: "Corrupt" })
      assert.isDefined((yield* stored(inner, "victim")).sealed)
    }))

  it.effect("S69 no change of a single character opens", () =>
    Effect.gen(function*() {
      const { inner, store } = yield* opened()
      yield* store.replace("key", SessionRecord.authorized(0, token))
      const record = yield* stored(inner)
      const sealed = record.sealed!
      for (let at = 0; at < sealed.length; at += 7) {
        const other = sealed[at] === "A" ? "B" : "A"
        yield* inner.replace("key", { ...record, sealed: sealed.slice(0, at) + other + sealed.slice(at + 1) })
        const error = yield* Effect.flip(store.get("key"))
        // The last character of base64url may hold bits that say nothing; none is hit by this step
        assert.strictEqual(error._tag, "StoreError")
      }
    }))

  it.effect("S69 a new key encrypts, an old one still opens, and without it the error says so", () =>
    Effect.gen(function*() {
      const inner = yield* TokenStore.makeMemory
      const [first, second] = yield* Effect.all([key("2025", 1), key("2026", 2)])
      const old = yield* EncryptedStore.make(inner, { keys: [first] })
      yield* old.replace("key", SessionRecord.authorized(0, token))
      const both = yield* EncryptedStore.make(inner, { keys: [second, first] })
      const record = yield* stored(both)
      assert.strictEqual(Redacted.value(record.token!.accessToken), "canary-access")
      yield* both.replace("key", record)
      const error = yield* Effect.flip(old.get("key"))
      assert.deepInclude(error, { reason: "UnknownKey", remedy: "operator" })
      assert.include(error.message, "Give the store the key")
      const onlyNew = yield* EncryptedStore.make(inner, { keys: [second] })
      assert.strictEqual(Redacted.value((yield* stored(onlyNew)).token!.accessToken), "canary-access")
    }))

  it.effect("S69 a record that is not encrypted is refused, unless an option takes it", () =>
    Effect.gen(function*() {
      const { inner, store } = yield* opened()
      yield* inner.replace("key", SessionRecord.authorized(0, token))
      assert.deepInclude(yield* Effect.flip(store.get("key")), { reason: "Corrupt" })
      const lenient = yield* EncryptedStore.make(inner, { keys: [yield* key("first", 1)], acceptUnencrypted: true })
      assert.strictEqual(Redacted.value((yield* stored(lenient)).token!.accessToken), "canary-access")
    }))

  it.effect("R40 a form that is newer is a typed error, and is not removed", () =>
    Effect.gen(function*() {
      const { inner, store } = yield* opened()
      yield* store.replace("key", SessionRecord.authorized(0, token))
      const record = yield* stored(inner)
      yield* inner.replace("key", { ...record, sealed: record.sealed!.replace(/^v1/, "v2") })
      assert.deepInclude(yield* Effect.flip(store.get("key")), { reason: "NewerVersion" })
      assert.match((yield* stored(inner)).sealed!, /^v2/)
    }))

  it.effect("a session moves to another key, and opens there alone", () =>
    Effect.gen(function*() {
      const { inner, store } = yield* opened()
      yield* store.replace("from", SessionRecord.authorized(0, token))
      assert.deepStrictEqual(yield* store.rename("from", "to", hold), { _tag: "Renamed" })
      assert.isTrue(Option.isNone(yield* inner.get("from")))
      const record = yield* stored(store, "to")
      assert.strictEqual(Redacted.value(record.token!.refreshToken!), "canary-refresh")
      assert.strictEqual(record.state._tag, "Idle")
      assert.deepStrictEqual(yield* store.rename("nobody", "to", hold), { _tag: "Missing" })
    }))

  it.live("S61 a session that is being renewed is moved afterwards", () =>
    Effect.gen(function*() {
      const { store } = yield* opened()
      yield* store.replace("from", SessionRecord.authorized(0, token))
      const claim = { generation: 1, attempt: "a" }
      yield* store.begin("from", claim, Duration.seconds(11))
      assert.strictEqual((yield* store.rename("from", "to", hold))._tag, "Busy")
      const next = { ...token, refreshToken: Redacted.make("canary-successor") }
      yield* store.commit("from", claim, SessionRecord.authorized(2, next))
      assert.strictEqual((yield* store.rename("from", "to", hold))._tag, "Renamed")
      assert.strictEqual(Redacted.value((yield* stored(store, "to")).token!.refreshToken!), "canary-successor")
    }))

  describe("a rename over a store that fails", () => {
    /** An encrypted store with a session under "from", and the one beneath it, which goes wrong on demand. */
    const watched = Effect.gen(function*() {
      const beneath = yield* WatchedStore.make({ sharing: "network" })
      const store = yield* EncryptedStore.make(beneath.service, { keys: [yield* key("first", 1)] })
      yield* store.replace("from", SessionRecord.authorized(0, token))
      return { beneath, store }
    })

    /** Where the refresh token can be redeemed. */
    const placesOf = (store: TokenStore.TokenStoreService) =>
      Effect.filter(
        ["from", "to"],
        (key) => Effect.map(store.get(key), (found) => Option.exists(found, ({ state }) => state._tag === "Idle"))
      )

    it.live.each(["begin", "replace", "get", "remove"] as const)(
      "S61 the session is in one place alone, when the answer to %s is lost",
      (lost) =>
        Effect.gen(function*() {
          const { beneath, store } = yield* watched
          let hasLost = false
          // The first look has nothing to do with it
          const isNear = () => lost !== "get" || beneath.count("replace") > 1
          beneath.after = (operation) =>
            Effect.suspend(() => {
              if (operation !== lost || hasLost || !isNear()) return Effect.void
              hasLost = true
              return WatchedStore.unavailable(operation)
            })
          const outcome = yield* Effect.either(store.rename("from", "to", hold))
          assert.isTrue(hasLost)
          // Nobody gives back a claim that was not known to hold: it runs out
          assert.deepStrictEqual(yield* placesOf(store), lost === "begin" ? [] : ["to"])
          assert.strictEqual(Either.isRight(outcome), lost !== "begin")
          assert.strictEqual(Option.isSome(yield* store.get("from")), lost === "begin")
        })
    )

    it.live("S61 the session stays where it was, redeemable, when it cannot be written", () =>
      Effect.gen(function*() {
        const { beneath, store } = yield* watched
        beneath.before = (operation) => operation === "replace" ? WatchedStore.unavailable(operation) : Effect.void
        assert.deepInclude(yield* Effect.flip(store.rename("from", "to", hold)), { reason: "Unavailable" })
        assert.deepStrictEqual(yield* placesOf(store), ["from"])
      }))

    it.live("S61 the session is redeemed by nobody while it cannot be told where it is", () =>
      Effect.gen(function*() {
        const { beneath, store } = yield* watched
        let isCut = false
        beneath.before = (operation) => isCut ? WatchedStore.unavailable(operation) : Effect.void
        beneath.after = (operation) =>
          Effect.suspend(() => {
            isCut ||= operation === "replace"
            return isCut ? WatchedStore.unavailable(operation) : Effect.void
          })
        assert.deepInclude(yield* Effect.flip(store.rename("from", "to", hold)), { reason: "Unavailable" })
        isCut = false
        beneath.after = () => Effect.void
        assert.deepStrictEqual(yield* placesOf(store), ["to"])
        assert.strictEqual((yield* store.begin("from", { generation: 1, attempt: "next" }, hold))._tag, "Busy")
      }))

    it.live("S61 who gave up before it was written finds the session where it was", () =>
      Effect.gen(function*() {
        const { beneath, store } = yield* watched
        beneath.before = (operation) => operation === "begin" ? Effect.sleep("100 millis") : Effect.void
        const moving = yield* Effect.fork(store.rename("from", "to", hold))
        yield* Effect.sleep("30 millis")
        yield* Fiber.interrupt(moving)
        assert.deepStrictEqual(yield* placesOf(store), ["from"])
      }))

    it.live("S61 a client waits for a sibling for longer than the store has for a write, and then it has moved", () =>
      Effect.gen(function*() {
        const { beneath, store } = yield* watched
        const client = yield* Effect.map(
          Layer.build(
            OAuth2Client.layer({ ...publicClient, refreshPolicy: { persistDeadline: "300 millis" } }).pipe(
              Layer.provide([Layer.succeed(TokenStore.TokenStore, store), PendingAuthorizations.layerMemory]),
              Layer.provide(TestAuthorizationServer.layer())
            )
          ),
          Context.get(OAuth2Client.OAuth2Client)
        )
        yield* client.restore(token, { sessionKey: "anonymous" })
        const place = beneath.asked.at(-1)?.key ?? ""
        yield* beneath.service.begin(place, { generation: 1, attempt: "sibling" }, Duration.seconds(1))
        const [waited, moved] = yield* Effect.timed(client.rename("anonymous", "user"))
        assert.isTrue(moved)
        assert.isAtLeast(Duration.toMillis(waited), 900)
        assert.isUndefined(yield* beneath.stored("anonymous"))
        assert.isDefined(yield* beneath.stored("user"))
      }).pipe(Effect.scoped))
  })

  it.effect.each(
    [
      ["no key", []],
      ["two keys of one name", ["same", "same"]]
    ] as const
  )("%s is a configuration error that names the field", ([, ids]) =>
    Effect.gen(function*() {
      const keys = yield* Effect.forEach(ids, (id, index) => key(id, index))
      const inner = yield* TokenStore.makeMemory
      // The type refuses no key at all; a program in JavaScript may still give none
      const options = { keys: keys as unknown as EncryptedStore.Options["keys"] }
      assert.deepInclude(yield* Effect.flip(EncryptedStore.make(inner, options)), {
        _tag: "ConfigurationError",
        field: "keys"
      })
    }))

  it.effect("a key for something else is a configuration error that names it and not its bytes", () =>
    Effect.gen(function*() {
      const short = yield* Effect.flip(AesGcm.importKey("short", Redacted.make(new Uint8Array(16).fill(7))))
      assert.deepInclude(short, { field: "keys", problem: "short does not have 32 bytes" })
      const inner = yield* TokenStore.makeMemory
      const unfit = yield* Effect.promise(() =>
        globalThis.crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, false, ["encrypt", "decrypt"])
      )
      const error = yield* Effect.flip(EncryptedStore.make(inner, { keys: [{ id: "small", key: unfit }] }))
      assert.match(error.problem, /^small is not an AES-GCM key of 256 bits/)
    }))

  it.live("a client signs in, renews once for all, is renamed and signs out over it as over any store", () =>
    Effect.gen(function*() {
      const server = yield* TestAuthorizationServer.TestAuthorizationServer
      const client = yield* OAuth2Client.OAuth2Client
      const session = yield* client.restore(yield* server.issue())
      const tokens = yield* Effect.all(Array.from({ length: 20 }, () => session.refresh), { concurrency: "unbounded" })
      assert.strictEqual(new Set(tokens.map(({ accessToken }) => Redacted.value(accessToken))).size, 1)
      assert.strictEqual(yield* server.tokenRequests(), 1)
      assert.isTrue(yield* client.rename("default", "someone"))
      const renewed = yield* client.session("someone").refresh
      assert.notStrictEqual(Redacted.value(renewed.accessToken), Redacted.value(tokens[0]!.accessToken))
      assert.deepStrictEqual(yield* client.session("someone").signOut, { revocation: "Revoked" })
    }).pipe(Effect.provide(
      OAuth2Client.layer(publicClient).pipe(
        Layer.provide(EncryptedStore.layer(Effect.map(key("first", 1), (key) => ({ keys: [key] })))),
        Layer.provide([TokenStore.layerMemory, PendingAuthorizations.layerMemory]),
        Layer.provideMerge(TestAuthorizationServer.layer())
      )
    )))
})
