import type { OAuth2Error, SessionEvent } from "@effect-oauth2/core"
import { CurrentSession } from "@effect-oauth2/core/OAuth2Session"
import * as SessionRecord from "@effect-oauth2/core/SessionRecord"
import { Fault, RequestLog, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Layer, Logger, LogLevel, Schema, Stream } from "effect"
import {
  assertIntact,
  assertOnePresentation,
  Client,
  hour,
  HttpClient,
  layer,
  minute,
  open,
  second,
  Server,
  signIn,
  textOf,
  watchDigests,
  watchEvents
} from "./house.js"
import * as Simulation from "./Simulation.js"
import * as Watched from "./WatchedStore.js"
import { unavailable, WatchedStore } from "./WatchedStore.js"

const writes = new Set(["commit", "replace"])

/** Writes fail from now on, so many times or until a test says otherwise. */
const breakWrites = (times: number, how: Effect.Effect<never, OAuth2Error.StoreError> = unavailable("commit")) =>
  Effect.map(WatchedStore, (store) => {
    let left = times
    store.before = (operation) => writes.has(operation) && left-- > 0 ? how : Effect.void
    return (): void => {
      left = 0
    }
  })

const tagsOf = (events: ReadonlyArray<SessionEvent.SessionEvent>) => events.map(({ _tag }) => _tag)

const waitUntilExpired = Effect.sleep(2 * hour)

describe("R19 persist before use", () => {
  it("R19 every use of an access token comes after the commit of its generation", () =>
    Simulation.run(19, (world) =>
      Effect.gen(function*() {
        const [server, store, http, session] = yield* Effect.all([Server, WatchedStore, HttpClient, signIn()])
        const durable = new Map<string, number>()
        let committed = 0
        store.after = () =>
          Effect.map(store.stored(), (record) => {
            const text = textOf(record?.token?.accessToken)
            if (text !== undefined && !durable.has(text)) durable.set(text, ++committed)
          })
        // Slow writes, so that a use before the commit would have the time to happen
        store.before = (operation) => writes.has(operation) ? Effect.sleep(200) : Effect.void
        const uses: Array<string> = []
        yield* server.inject(
          "resource",
          Fault.make("spy", (act) => act),
          {
            times: Infinity,
            where: (exchange) => {
              const token = RequestLog.header(exchange, "authorization")?.slice(7) ?? ""
              if (uses.at(-1) !== token) {
                assert.isTrue(durable.has(token) || uses.length === 0, "used before it was written")
                uses.push(token)
              }
              return true
            }
          }
        )
        for (let round = 0; round < 50; round++) {
          yield* Effect.sleep(Math.floor(world.random() * 75 * minute))
          if (world.random() < 0.2) yield* server.revokeToken((yield* session.token).accessToken)
          yield* Effect.all(
            Array.from({ length: 8 }, () =>
              Effect.delay(http.get("https://api.test/things"), Math.floor(world.random() * 400))),
            { concurrency: "unbounded" }
          ).pipe(Effect.provideService(CurrentSession, session))
        }
        assert.isAbove(uses.length, 20)
        yield* assertOnePresentation
      }).pipe(Effect.provide(layer()))))
})

describe("R20 the store does not write", () => {
  it.each([1, 2, 3, 4, 5])(
    "R20 %i failed writes after the rotation lose nothing, and nobody notices",
    (times) =>
      Simulation.run(times, () =>
        Effect.gen(function*() {
          const session = yield* signIn()
          const events = yield* watchEvents
          yield* breakWrites(times)
          yield* waitUntilExpired
          yield* session.token
          yield* assertIntact()
          yield* Effect.sleep(1)
          assert.deepStrictEqual(tagsOf(events), ["Refreshed"])
          assert.strictEqual(yield* (yield* Server).tokenRequests(), 1)
        }).pipe(Effect.provide(layer())))
  )

  it("R20 a store that fails for long is served from memory, is told of, and gets the token once it writes again", () =>
    Simulation.run(6, () =>
      Effect.gen(function*() {
        const [server, store, session] = yield* Effect.all([Server, WatchedStore, signIn()])
        const events = yield* watchEvents
        yield* waitUntilExpired
        const mend = yield* breakWrites(Infinity)
        const [token, refreshed] = [yield* session.token, yield* session.token]
        assert.strictEqual(token, refreshed)
        yield* Effect.sleep(20 * minute)
        assert.strictEqual(yield* session.token, token)
        assert.strictEqual(yield* server.tokenRequests(), 1, "what is not written is not redeemed")
        assert.isBelow(store.count("commit"), 300, "it backs off")
        assert.isAtLeast(store.count("commit"), 200, "it does not give up")
        mend()
        yield* Effect.sleep(6 * second)
        yield* assertIntact()
        assert.deepStrictEqual(tagsOf(events), ["SaveFailed", "Refreshed", "Saved"])
        yield* waitUntilExpired
        yield* session.token
        yield* assertIntact()
        yield* assertOnePresentation
      }).pipe(Effect.provide(layer()))))

  it("R20 a store that dies in the midst of a write loses nothing", () =>
    Simulation.run(7, () =>
      Effect.gen(function*() {
        const session = yield* signIn()
        yield* waitUntilExpired
        yield* breakWrites(3, Effect.dieMessage("the driver is broken"))
        const token = yield* session.token
        yield* Effect.sleep(minute)
        yield* assertIntact()
        assert.strictEqual(yield* session.token, token)
        yield* assertOnePresentation
      }).pipe(Effect.provide(layer()))))

  it("R20 a store that writes and then fails has the token all the same", () =>
    Simulation.run(8, () =>
      Effect.gen(function*() {
        const [store, session] = yield* Effect.all([WatchedStore, signIn()])
        let failures = 3
        store.after = (operation) => operation === "commit" && failures-- > 0 ? unavailable("commit") : Effect.void
        yield* waitUntilExpired
        const token = yield* session.token
        yield* assertIntact()
        assert.strictEqual(yield* session.token, token)
        yield* assertOnePresentation
      }).pipe(Effect.provide(layer()))))

  it("R20 a store that hangs holds nobody up for longer than the persist deadline", () =>
    Simulation.run(9, () =>
      Effect.gen(function*() {
        const [store, session] = yield* Effect.all([WatchedStore, signIn()])
        yield* waitUntilExpired
        store.before = (operation) => operation === "commit" ? Effect.never : Effect.void
        const before = yield* Clock.currentTimeMillis
        yield* session.token
        assert.strictEqual((yield* Clock.currentTimeMillis) - before, 2 * second)
        store.before = () => Effect.void
      }).pipe(Effect.provide(layer()))))

  const strict = layer({ client: { refreshPolicy: { strictPersistence: true } } })

  it("R20 under strictPersistence a token that is not written is never served, and the old one is while it lasts", () =>
    Simulation.run(10, () =>
      Effect.gen(function*() {
        const [server, session, http] = yield* Effect.all([Server, signIn(), HttpClient])
        const old = yield* session.token
        const mend = yield* breakWrites(Infinity)
        // Early renewal: the server issues another token, and the store does not take it
        yield* Effect.sleep(59 * minute)
        assert.strictEqual(yield* session.token, old)
        yield* Effect.sleep(10 * second)
        assert.strictEqual(yield* server.tokenRequests(), 1)
        assert.strictEqual(yield* session.token, old, "law 4")
        yield* Effect.sleep(minute)
        for (let call = 0; call < 3; call++) {
          const refused = yield* Effect.flip(session.token)
          assert.strictEqual(refused._tag, "StoreError")
          const request = http.get("https://api.test/things").pipe(Effect.provideService(CurrentSession, session))
          assert.strictEqual((yield* Effect.flip(request))._tag, "StoreError")
        }
        assert.strictEqual((yield* server.counts).requests.resource, 0)
        mend()
        yield* Effect.sleep(10 * second)
        assert.notStrictEqual(yield* session.token, old)
        assert.strictEqual(yield* server.tokenRequests(), 1)
        yield* assertIntact()
      }).pipe(Effect.provide(strict))))

  it("R20 under strictPersistence a 401 is not answered with a token that is not written", () =>
    Simulation.run(11, () =>
      Effect.gen(function*() {
        const [server, session, http] = yield* Effect.all([Server, signIn(), HttpClient])
        yield* breakWrites(Infinity)
        yield* server.revokeToken((yield* session.token).accessToken)
        const request = http.get("https://api.test/things").pipe(Effect.provideService(CurrentSession, session))
        for (let call = 0; call < 3; call++) yield* Effect.ignore(request)
        const used = (yield* server.exchanges("resource")).map(({ tokenNumber }) => tokenNumber)
        assert.deepStrictEqual([...new Set(used)], [1])
      }).pipe(Effect.provide(strict))))

  it("R20 what is not written yet survives a rename", () =>
    Simulation.run(12, () =>
      Effect.gen(function*() {
        const [client, session] = yield* Effect.all([Client, signIn("anonymous")])
        yield* waitUntilExpired
        const mend = yield* breakWrites(Infinity)
        const token = yield* session.token
        yield* Effect.sleep(minute)
        mend()
        yield* client.rename("anonymous", "user")
        assert.strictEqual(
          textOf((yield* client.session("user").token).accessToken),
          textOf(token.accessToken)
        )
        yield* Effect.sleep(minute)
        yield* assertIntact("user")
        assert.isUndefined(yield* (yield* WatchedStore).stored("anonymous"))
      }).pipe(Effect.provide(layer()))))

  it("R20 a sign-out revokes what is not written yet, and nothing comes back", () =>
    Simulation.run(13, () =>
      Effect.gen(function*() {
        const [server, store, session] = yield* Effect.all([Server, WatchedStore, signIn()])
        yield* waitUntilExpired
        yield* breakWrites(Infinity)
        const token = yield* session.token
        assert.deepStrictEqual(yield* session.signOut, { revocation: "Revoked" })
        assert.strictEqual((yield* server.family(token.refreshToken!)).revoked?.reason, "revocation_request")
        store.before = () => Effect.void
        yield* Effect.sleep(minute)
        assert.isUndefined(yield* store.stored())
        assert.strictEqual((yield* Effect.flip(session.token))._tag, "ReauthorizationRequired")
      }).pipe(Effect.provide(layer()))))

  it("R20 a sign-in that the store does not take is kept in memory, and written as soon as it can be", () =>
    Simulation.run(14, () =>
      Effect.gen(function*() {
        const events = yield* Effect.zipRight(Effect.void, watchEvents)
        const mend = yield* breakWrites(Infinity)
        const session = yield* signIn()
        yield* session.token
        yield* Effect.sleep(minute)
        mend()
        yield* Effect.sleep(10 * second)
        yield* assertIntact()
        assert.deepStrictEqual(tagsOf(events), ["SaveFailed", "Authorized", "Saved"])
      }).pipe(Effect.provide(layer()))))
})

describe("R20 the store is away for all", () => {
  const everyone = (rotation: Parameters<typeof TestAuthorizationServer.layer>[0]) =>
    Layer.merge(
      Layer.effect(WatchedStore, Watched.make({ sharing: "network" })),
      TestAuthorizationServer.layer(rotation)
    )

  const outages = [
    { mode: "strict", rotation: "strict", outage: 5 },
    { mode: "strict", rotation: "strict", outage: 30 },
    { mode: "grace", rotation: { grace: "1 minute" }, outage: 90 }
  ] as const

  it.each(outages)(
    "R20 for $outage s after a rotation ($mode server): whoever has the token writes it before another takes over",
    async ({ mode, outage, rotation }) => {
      for (let seed = 1; seed <= 25; seed++) {
        await Simulation.run(seed, (world) =>
          Effect.gen(function*() {
            const policy = { refreshPolicy: { rotation: mode } }
            const [here, there, server, store] = yield* Effect.all([
              open(policy),
              open(policy),
              Server,
              WatchedStore
            ])
            yield* here.restore(yield* server.issue())
            yield* Effect.sleep(2 * hour)
            let isAway = false
            store.before = (operation) => {
              isAway ||= operation === "commit"
              return isAway ? unavailable(operation) : Effect.void
            }
            yield* Effect.fork(here.session().token)
            yield* Effect.fork(Effect.forever(Effect.delay(Effect.exit(there.session().token), second)))
            yield* Effect.sleep((outage + world.random() * 10) * second)
            store.before = () => Effect.void
            yield* Effect.sleep(minute)
            yield* here.session().token
            yield* there.session().token
            assert.strictEqual(yield* server.tokenRequests(), 1)
            yield* assertIntact()
          }).pipe(Effect.scoped, Effect.provide(everyone({ rotation }))))
      }
    }
  )

  it("R12 R20 a store that fails now and then keeps nobody from taking over for long", () =>
    Simulation.run(10, () =>
      Effect.gen(function*() {
        const [client, server, store] = yield* Effect.all([open(), Server, WatchedStore])
        yield* client.restore(yield* server.issue())
        yield* client.restore(yield* server.issue(), { sessionKey: "other" })
        yield* Effect.sleep(2 * hour)
        const { key } = store.asked.find(({ key }) => !key.includes("other"))!
        yield* store.service.begin(key, { generation: 1, attempt: "killed" }, Duration.seconds(13))
        const began = yield* Clock.currentTimeMillis
        store.before = (operation, of) => operation === "get" && of !== key ? unavailable(operation) : Effect.void
        yield* Effect.fork(Effect.forever(Effect.delay(Effect.exit(client.session("other").token), second)))
        yield* Effect.sleep(second)
        yield* client.session().token
        const took = (yield* Clock.currentTimeMillis) - began
        assert.isAtMost(took, 14 * second + 100)
        assert.strictEqual(yield* server.tokenRequests(), 1)
      }).pipe(Effect.scoped, Effect.provide(everyone({ rotation: "strict" })))))

  it("R20 what is written too late is told as adopted, and not as saved", () =>
    Simulation.run(9, () =>
      Effect.gen(function*() {
        const [here, there, server, store] = yield* Effect.all([open(), open(), Server, WatchedStore])
        yield* here.restore(yield* server.issue())
        const events = yield* Effect.provideService(watchEvents, Client, here)
        yield* Effect.sleep(2 * hour)
        let isAway = true
        store.before = (operation) => isAway && operation === "commit" ? unavailable(operation) : Effect.void
        yield* here.session().token
        yield* there.restore(yield* server.issue())
        isAway = false
        yield* Effect.sleep(10 * second)
        assert.deepStrictEqual(events.map(({ _tag }) => _tag), ["SaveFailed", "Refreshed", "Adopted"])
        assert.strictEqual(
          textOf((yield* here.session().token).accessToken),
          textOf((yield* there.session().token).accessToken)
        )
      }).pipe(Effect.scoped, Effect.provide(everyone({ rotation: "strict" })))))
})

describe("R21 nothing that goes wrong around a refresh loses its token", () => {
  it("R21 R17 B368 a subscriber to events that dies, hangs or never reads stands in nobody's way", () =>
    Simulation.run(21, () =>
      Effect.gen(function*() {
        const [{ events }, session] = yield* Effect.all([Client, signIn()])
        yield* Effect.forkDaemon(Stream.runForEach(events, () => Effect.dieMessage("a bad subscriber")))
        yield* Effect.forkDaemon(Stream.runForEach(events, () => Effect.never))
        yield* Effect.forkDaemon(Stream.runForEach(events, () => Effect.fail("a failing subscriber")))
        yield* Effect.sleep(1)
        // More events than are kept for a subscriber that is slow
        for (let count = 0; count < 1_100; count++) yield* session.signOut
        yield* signIn()
        for (let round = 0; round < 20; round++) yield* Effect.zipRight(waitUntilExpired, session.token)
        yield* assertIntact()
        yield* assertOnePresentation
      }).pipe(Effect.provide(layer()))))

  it("R21 a logger that throws stands in nobody's way, even where everything is logged", () => {
    const throwing = Logger.make(() => {
      throw new Error("the disk is full")
    })
    return Simulation.run(22, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        for (let round = 0; round < 5; round++) {
          yield* waitUntilExpired
          yield* server.inject("token", Fault.connectionRefused)
          const refused = yield* Effect.flip(session.token)
          assert.strictEqual(refused._tag, "RefreshFailed")
          yield* Effect.sleep(minute)
          yield* session.token
          yield* assertIntact()
        }
      }).pipe(
        Effect.provide(layer()),
        Effect.provide(Logger.replace(Logger.defaultLogger, throwing)),
        Logger.withMinimumLogLevel(LogLevel.All)
      ))
  })

  it("R21 a judgement of failures that throws leaves the session as it was", () => {
    let calls = 0
    const client = {
      refreshPolicy: {
        outcome: () => {
          calls++
          throw new Error("a bad hook")
        }
      }
    }
    return Simulation.run(23, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        yield* waitUntilExpired
        yield* server.inject("token", Fault.reset)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(session.token)))
        assert.strictEqual(calls, 1)
        yield* Effect.sleep(minute)
        yield* session.token
        yield* assertIntact()
      }).pipe(Effect.provide(layer({ client }))))
  })

  it("R21 a transport that dies after the rotation leaves a session whose end is told as what it is", () =>
    Simulation.run(24, () =>
      Effect.gen(function*() {
        const [server, session] = yield* Effect.all([Server, signIn()])
        yield* waitUntilExpired
        yield* server.inject(
          "token",
          Fault.make("dies", (act) => Effect.zipRight(act, Effect.dieMessage("a bad driver")))
        )
        assert.isTrue(Exit.isFailure(yield* Effect.exit(session.token)))
        yield* Effect.sleep(minute)
        const refused = yield* Effect.flip(session.token)
        assert.strictEqual(refused._tag === "ReauthorizationRequired" && refused.reason, "RotationOutcomeUnknown")
      }).pipe(Effect.provide(layer()))))
})

describe("R46 a reply is refused, but its refresh token can be read", () => {
  const edit = (f: (members: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>) =>
    Fault.editMembers(f)
  const refusals: Readonly<Record<string, Fault.Fault>> = {
    "no access token": edit((members) => ({ ...members, access_token: undefined })),
    "an empty access token": edit((members) => ({ ...members, access_token: "" })),
    "an access token with a control character": edit((members) => ({ ...members, access_token: "a\u0000b" })),
    "an access token with a character beyond ASCII": edit((members) => ({ ...members, access_token: "aé" })),
    "an access token with a space": edit((members) => ({ ...members, access_token: "a b" })),
    "an access token that is a number": edit((members) => ({ ...members, access_token: 1 })),
    "an access token of 64 KiB and more": edit((members) => ({ ...members, access_token: "a".repeat(65_537) })),
    "no type": edit((members) => ({ ...members, token_type: undefined })),
    "another type": edit((members) => ({ ...members, token_type: "DPoP" })),
    "a type that is a number": edit((members) => ({ ...members, token_type: 1 })),
    "a life that is no number": edit((members) => ({ ...members, expires_in: "soon" })),
    "a life that is an object": edit((members) => ({ ...members, expires_in: {} })),
    "a scope that is a number": edit((members) => ({ ...members, scope: 7 })),
    "an ID token that is an object": edit((members) => ({ ...members, id_token: {} })),
    "a repeated member": Fault.editBody((body) => body.replace("{", `{"access_token":"another",`)),
    "33 levels": edit((members) => ({ ...members, deep: JSON.parse(`${"[".repeat(33)}${"]".repeat(33)}`) as unknown })),
    "a letter in ISO 8859-1": Fault.and(
      Fault.editReply((reply) => ({ ...reply, body: Uint8Array.from(reply.body as string, (c) => c.charCodeAt(0)) })),
      edit((members) => ({ ...members, user: "José" }))
    ),
    "status 201": Fault.editReply((reply) => ({ ...reply, status: 201 })),
    "status 500": Fault.editReply((reply) => ({ ...reply, status: 500 })),
    "status 404": Fault.editReply((reply) => ({ ...reply, status: 404 })),
    "no content type": Fault.editReply((reply) => ({ ...reply, headers: {} })),
    "content type text/html": Fault.editReply((reply) => ({ ...reply, headers: { "content-type": "text/html" } }))
  }

  it.each(Object.keys(refusals))(
    "R46 %s: the successor is durable, and the next refresh uses it",
    (name) =>
      Simulation.run(46, () =>
        Effect.gen(function*() {
          const [server, store, session] = yield* Effect.all([Server, WatchedStore, signIn()])
          yield* waitUntilExpired
          yield* server.inject("token", refusals[name]!)
          const refused = yield* Effect.flip(session.token)
          assert.strictEqual(refused._tag === "RefreshFailed" && refused.reason, "Attempt")
          yield* assertIntact()
          assert.isUndefined((yield* store.stored())?.token?.refreshToken, "the predecessor is gone")
          yield* Effect.sleep(2 * second)
          yield* session.token
          yield* assertIntact()
          yield* assertOnePresentation
          assert.strictEqual(yield* server.tokenRequests(), 2)
        }).pipe(Effect.provide(layer())))
  )

  it.each(Object.keys(refusals))(
    "R46 %s in an early refresh: the old access token is served on",
    (name) =>
      Simulation.run(47, () =>
        Effect.gen(function*() {
          const [server, session] = yield* Effect.all([Server, signIn()])
          const token = yield* session.token
          yield* Effect.sleep(58 * minute)
          yield* server.inject("token", refusals[name]!)
          yield* session.token
          yield* Effect.sleep(100)
          yield* assertIntact()
          assert.strictEqual(textOf((yield* session.token).accessToken), textOf(token.accessToken))
          yield* Effect.sleep(3 * second)
          yield* session.token
          yield* Effect.sleep(100)
          assert.notStrictEqual(textOf((yield* session.token).accessToken), textOf(token.accessToken))
          yield* assertIntact()
          yield* assertOnePresentation
        }).pipe(Effect.provide(layer())))
  )

  it("R46 a sign-in whose reply is refused keeps the refresh token, and the session is there", () => {
    const digests = watchDigests()
    return Simulation.run(48, () =>
      Effect.gen(function*() {
        const [server, client] = yield* Effect.all([Server, Client])
        yield* server.inject("token", Fault.and(digests.fault, refusals["no type"]!))
        const { pending, url } = yield* client.begin({ sessionKey: "user" })
        const callback = yield* server.authorize(url)
        const refused = yield* Effect.flip(client.complete({ callback, pending }))
        assert.strictEqual(refused._tag, "InvalidResponse")
        yield* assertIntact("user")
        yield* client.session("user").token
        yield* assertIntact("user")
      }).pipe(Effect.provide(layer())), digests)
  })
})

describe("S49 S59 what is stored after a refresh", () => {
  const replies: Readonly<Record<string, unknown>> = { missing: undefined, null: null, empty: "" }

  it.each(Object.keys(replies))(
    "S49 a refresh token that is %s keeps the stored one",
    (name) =>
      Simulation.run(49, () =>
        Effect.gen(function*() {
          const [server, session] = yield* Effect.all([Server, signIn()])
          for (let round = 0; round < 3; round++) {
            yield* waitUntilExpired
            yield* server.inject(
              "token",
              Fault.editMembers((members) => ({ ...members, refresh_token: replies[name] }))
            )
            yield* session.token
            yield* assertIntact()
          }
        }).pipe(Effect.provide(layer({ server: { rotation: "none" } }))))
  )

  it("S49 S59 a refresh token that is there replaces the stored one, of which nothing is left", () =>
    Simulation.run(59, () =>
      Effect.gen(function*() {
        const [store, session] = yield* Effect.all([WatchedStore, signIn()])
        const old = textOf((yield* session.token).refreshToken)
        yield* waitUntilExpired
        yield* session.token
        const record = yield* store.stored()
        const text = JSON.stringify(yield* Schema.encode(SessionRecord.SessionRecord)(record!))
        assert.include(text, textOf(record!.token?.refreshToken)!)
        assert.notInclude(text, old!)
        yield* assertIntact()
      }).pipe(Effect.provide(layer()))))
})
