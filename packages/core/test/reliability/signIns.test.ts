/** Somebody signs in, or out, beside what is under way for the session that was there before. */
import { ClientAuthentication, Grant, type OAuth2Client, SessionRecord } from "@effect-oauth2/core"
import { Fault, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Redacted } from "effect"
import { Client, hour, layer, minute, open, second, Server, textOf } from "./house.js"
import * as Simulation from "./Simulation.js"
import * as WatchedStore from "./WatchedStore.js"
import { unavailable } from "./WatchedStore.js"

const shared = Layer.merge(
  Layer.effect(WatchedStore.WatchedStore, WatchedStore.make({ sharing: "network" })),
  TestAuthorizationServer.layer({ rotation: "strict" })
)

/** By whose sign-in the server issued it. */
const subjectOf = (refreshToken: Redacted.Redacted<string> | undefined) =>
  Effect.gen(function*() {
    assert.isDefined(refreshToken)
    const { refreshToken: live, subject } = yield* (yield* Server).family(refreshToken)
    return textOf(live) === textOf(refreshToken) ? subject : `${subject}, out of date`
  })

const stored = Effect.gen(function*() {
  const record = yield* (yield* WatchedStore.WatchedStore).stored()
  assert.isDefined(record)
  assert.isUndefined(record.alternate)
  return yield* subjectOf(SessionRecord.refreshToken(record))
})

const served = (client: OAuth2Client.OAuth2ClientService) =>
  Effect.flatMap(client.session().token, ({ refreshToken }) => subjectOf(refreshToken))

const signedIn = (subject: string) =>
  Effect.gen(function*() {
    const [client, server, store] = yield* Effect.all([open(), Server, WatchedStore.WatchedStore])
    yield* client.restore(yield* server.issue({ subject }))
    return { client, server, store }
  })

/** The store takes no sign-in, and has just refused one when it does again. */
const signedInWithoutStore = (client: OAuth2Client.OAuth2ClientService, subject: string) =>
  Effect.gen(function*() {
    const [server, store] = yield* Effect.all([Server, WatchedStore.WatchedStore])
    store.before = (operation) => operation === "replace" ? unavailable(operation) : Effect.void
    yield* client.restore(yield* server.issue({ subject }))
    yield* Effect.sleep(minute)
    const tries = store.count("replace")
    while (store.count("replace") === tries) yield* Effect.sleep(50)
    store.before = () => Effect.void
  })

describe("a sign-in", () => {
  it.each(["here", "elsewhere"])(
    "while a renewal is in the air gets nothing of what that gives (%s)",
    (where) =>
      Simulation.run(1, () =>
        Effect.gen(function*() {
          const [here, there, server] = yield* Effect.all([open(), open(), Server])
          yield* here.restore(yield* server.issue({ subject: "ada" }))
          yield* Effect.sleep(2 * hour)
          yield* server.inject("token", Fault.afterActing(Fault.delay(3_000)))
          const renewing = yield* Effect.fork(Effect.exit(here.session().token))
          yield* Effect.sleep(100)
          const token = yield* server.issue({ subject: "bob" })
          yield* (where === "here" ? here : there).restore(token)
          yield* renewing
          yield* Effect.sleep(second)
          assert.strictEqual(yield* stored, "bob")
          assert.strictEqual(yield* served(here), "bob")
          yield* server.revokeFamily(token.refreshToken!)
          yield* Effect.sleep(2 * hour)
          assert.deepInclude(yield* Effect.flip(there.session().token), { reason: "InvalidGrant" })
        }).pipe(Effect.scoped, Effect.provide(shared)))
  )

  it.each(["here", "elsewhere"])(
    "R20 is not written over by an earlier one that could not be written (%s)",
    (where) =>
      Simulation.run(2, () =>
        Effect.gen(function*() {
          const [here, there, server] = yield* Effect.all([open(), open(), Server])
          yield* signedInWithoutStore(here, "ada")
          yield* Effect.sleep(second)
          yield* (where === "here" ? here : there).restore(yield* server.issue({ subject: "bob" }))
          yield* Effect.sleep(10 * second)
          assert.strictEqual(yield* stored, "bob")
          assert.strictEqual(yield* served(here), "bob")
          assert.strictEqual(yield* served(there), "bob")
        }).pipe(Effect.scoped, Effect.provide(shared)))
  )

  it("R20 that was written, though nobody said so, does not undo what a sibling made of it", () =>
    Simulation.run(3, () =>
      Effect.gen(function*() {
        const [here, there, server, store] = yield* Effect.all([open(), open(), Server, WatchedStore.WatchedStore])
        let isCutOff = false
        store.after = (operation) => {
          if (operation !== "replace") return Effect.void
          isCutOff = true
          return unavailable(operation)
        }
        store.before = (operation) => isCutOff && operation === "replace" ? unavailable(operation) : Effect.void
        yield* here.restore(yield* server.issue({ subject: "ada" }))
        store.after = () => Effect.void
        yield* Effect.sleep(59 * minute)
        yield* there.session().token
        yield* Effect.sleep(20 * second)
        assert.strictEqual(yield* server.tokenRequests(), 1)
        isCutOff = false
        yield* Effect.sleep(10 * second)
        assert.strictEqual(yield* stored, "ada")
        yield* Effect.sleep(2 * hour)
        assert.strictEqual(yield* served(there), "ada")
        assert.strictEqual(yield* served(here), "ada")
        assert.strictEqual((yield* server.counts).reuses, 0)
      }).pipe(Effect.scoped, Effect.provide(shared))))

  it("R20 that the store does not take is kept, also when somebody asks for the session meanwhile", () =>
    Simulation.run(4, () =>
      Effect.gen(function*() {
        const [client, server, store] = yield* Effect.all([Client, Server, WatchedStore.WatchedStore])
        yield* server.inject("token", Fault.afterActing(Fault.delay(1_000)))
        store.before = (operation) => operation === "replace" ? unavailable(operation) : Effect.void
        const signingIn = yield* Effect.fork(client.authorize(Grant.clientCredentials(), { sessionKey: "user" }))
        yield* Effect.sleep(100)
        assert.isFalse(yield* client.session("user").isAuthorized)
        yield* signingIn
        yield* client.session("user").token
        assert.strictEqual(yield* server.tokenRequests(), 1)
      }).pipe(Effect.provide(layer({ client: service })))))

  it("R20 that the store does not take is kept, also when the one before is looked up meanwhile", () =>
    Simulation.run(8, () =>
      Effect.gen(function*() {
        const { client, server, store } = yield* signedIn("ada")
        yield* Effect.sleep(2 * minute)
        store.before = (operation) => operation === "replace" ? unavailable(operation) : Effect.void
        const signingIn = yield* Effect.fork(client.restore(yield* server.issue({ subject: "bob" })))
        yield* Effect.sleep(100)
        assert.strictEqual(yield* served(client), "ada")
        yield* signingIn
        assert.strictEqual(yield* served(client), "bob")
        yield* Effect.sleep(minute)
        store.before = () => Effect.void
        yield* Effect.sleep(10 * second)
        assert.strictEqual(yield* stored, "bob")
      }).pipe(Effect.scoped, Effect.provide(shared))))

  it("is served from then on, although a look at the store is answered later with what was there before", () =>
    Simulation.run(5, () =>
      Effect.gen(function*() {
        const { client, server, store } = yield* signedIn("ada")
        yield* Effect.sleep(2 * minute)
        store.after = (operation) => operation === "get" ? Effect.sleep(200) : Effect.void
        const asking = yield* Effect.fork(client.session().token)
        yield* Effect.sleep(50)
        yield* client.restore(yield* server.issue({ subject: "bob" }))
        yield* asking
        assert.strictEqual(yield* served(client), "bob")
        yield* Effect.sleep(30 * second)
        assert.strictEqual(yield* served(client), "bob")
      }).pipe(Effect.scoped, Effect.provide(shared))))

  it("is served from then on, although a renewal of what was there before cannot be written", () =>
    Simulation.run(6, () =>
      Effect.gen(function*() {
        const { client, server, store } = yield* signedIn("ada")
        yield* Effect.sleep(2 * hour)
        store.before = (operation) => operation === "commit" ? Effect.never : Effect.void
        yield* Effect.fork(Effect.exit(client.session().token))
        yield* Effect.sleep(second)
        yield* client.restore(yield* server.issue({ subject: "bob" }))
        for (const pause of [0, 10 * second, 5 * minute]) {
          yield* Effect.sleep(pause)
          assert.strictEqual(yield* served(client), "bob")
        }
        store.before = () => Effect.void
        yield* Effect.sleep(10 * second)
        assert.strictEqual(yield* served(client), "bob")
        assert.strictEqual(yield* stored, "bob")
      }).pipe(Effect.scoped, Effect.provide(shared))))
})

describe("a sign-out", () => {
  it("whose removal was done, though nobody said so, still revokes at the server when it is tried again", () =>
    Simulation.run(7, () =>
      Effect.gen(function*() {
        const [client, server, store] = yield* Effect.all([open(), Server, WatchedStore.WatchedStore])
        const token = yield* server.issue()
        yield* client.restore(token)
        store.after = (operation) => operation === "remove" ? unavailable(operation) : Effect.void
        assert.isTrue(Exit.isFailure(yield* Effect.exit(client.session().signOut)))
        store.after = () => Effect.void
        assert.deepStrictEqual(yield* client.session().signOut, { revocation: "Revoked" })
        assert.isDefined((yield* server.family(token.refreshToken!)).revoked)
      }).pipe(Effect.scoped, Effect.provide(shared))))

  it("S61 of a key whose session was moved elsewhere leaves that session alone", () =>
    Simulation.run(9, () =>
      Effect.gen(function*() {
        const [here, there, server] = yield* Effect.all([open(), open(), Server])
        yield* here.restore(yield* server.issue({ subject: "ada" }), { sessionKey: "visitor" })
        yield* there.rename("visitor", "ada")
        assert.deepStrictEqual(yield* here.session("visitor").signOut, { revocation: "NothingHeld" })
        yield* Effect.sleep(2 * hour)
        assert.strictEqual(
          yield* Effect.flatMap(here.session("ada").token, (token) => subjectOf(token.refreshToken)),
          "ada"
        )
      }).pipe(Effect.scoped, Effect.provide(shared))))
})

const service = {
  clientId: "service",
  clientAuthentication: ClientAuthentication.clientSecretBasic(Redacted.make("service-secret"))
}
