/** The store of one process alone: no other writes to it, and yet several clients of the process may. */
import { OAuth2Client, PendingAuthorizations, SessionRecord, TokenStore } from "@effect-oauth2/core"
import { Fault, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer, Option } from "effect"
import { publicClient } from "../fixtures.js"
import { assertOnePresentation, Client, hour, second, Server, signIn, textOf } from "./house.js"
import * as Simulation from "./Simulation.js"

const layer = Layer.merge(TokenStore.layerMemory, TestAuthorizationServer.layer())

const open = (options?: Partial<OAuth2Client.Options>) =>
  Effect.map(
    Layer.build(
      Layer.fresh(
        OAuth2Client.layer({ ...publicClient, ...options }).pipe(Layer.provide(PendingAuthorizations.layerMemory))
      )
    ),
    (context) => Context.get(context, Client)
  )

const signInto = (client: OAuth2Client.OAuth2ClientService) => Effect.provideService(signIn(), Client, client)

/** The one record that is stored. */
const stored = Effect.gen(function*() {
  const store = yield* TokenStore.TokenStore
  const [key = ""] = yield* store.idle?.({ prefix: "", renewedBefore: Infinity, limit: 2 }) ?? Effect.succeed([])
  return Option.getOrUndefined(yield* store.get(key))
})

/** What is stored is what the server holds for live. */
const assertIntact = Effect.gen(function*() {
  const record = yield* stored
  const refreshToken = record && SessionRecord.refreshToken(record)
  assert.isDefined(refreshToken)
  const family = yield* (yield* Server).family(refreshToken)
  assert.isUndefined(family.revoked)
  assert.strictEqual(textOf(refreshToken), textOf(family.refreshToken))
  assert.strictEqual(record?.state._tag, "Idle")
})

describe("a store of this process alone", () => {
  it("B036 S61 a session that another client redeems is moved afterwards, with what it was issued", () =>
    Simulation.run(62, () =>
      Effect.gen(function*() {
        const [here, there, server] = yield* Effect.all([open(), open(), Server])
        yield* signInto(there)
        yield* Effect.sleep(2 * hour)
        yield* server.inject("token", Fault.delay(3 * second))
        const renewing = yield* Effect.fork(there.session().token)
        yield* Effect.sleep(100)
        assert.isTrue(yield* here.rename("default", "user"))
        yield* renewing
        yield* assertIntact
        yield* here.session("user").token
        assert.strictEqual(yield* server.tokenRequests(), 1)
      }).pipe(Effect.scoped, Effect.provide(layer))))

  it("R01 S61 of 100 fibers of two clients at expiry one redeems, and all are served", () =>
    Simulation.run(61, () =>
      Effect.gen(function*() {
        const clients = yield* Effect.all([open(), open()])
        const server = yield* Server
        yield* signInto(clients[0])
        yield* Effect.forEach(clients, (client) => client.session().token)
        for (let expiry = 1; expiry <= 5; expiry++) {
          yield* Effect.sleep(2 * hour)
          yield* server.inject("token", Fault.delay(300))
          const tokens = yield* Effect.forEach(
            Array.from({ length: 100 }, (_, index) => clients[index % 2]!),
            (client) => client.session().token,
            { concurrency: "unbounded" }
          )
          assert.strictEqual(new Set(tokens.map(({ accessToken }) => textOf(accessToken))).size, 1)
          assert.strictEqual(yield* server.tokenRequests(), expiry)
          yield* assertIntact
        }
        yield* assertOnePresentation
      }).pipe(Effect.scoped, Effect.provide(layer))))

  it("R05 R14 callers that are interrupted at any instant lose nothing", () =>
    Simulation.run(62, (world) =>
      Effect.gen(function*() {
        const client = yield* open()
        const server = yield* Server
        const session = yield* signInto(client)
        for (let round = 0; round < 300; round++) {
          yield* Effect.sleep(2 * second)
          yield* server.inject("token", Fault.delay(100))
          const caller = yield* Effect.fork(session.refresh)
          yield* Effect.sleep(Math.floor(world.random() * 120))
          yield* Fiber.interrupt(caller)
          yield* Effect.sleep(second)
          yield* assertIntact
        }
        yield* assertOnePresentation
        assert.isAbove(yield* server.tokenRequests(), 200)
      }).pipe(Effect.scoped, Effect.provide(layer))))

  it("R14 a sign-in while a renewal is in the air stays, whichever ends first", () =>
    Simulation.run(63, () =>
      Effect.gen(function*() {
        const client = yield* open()
        const server = yield* Server
        for (const delay of [0, 50, 100, 150]) {
          const session = yield* signInto(client)
          yield* Effect.sleep(2 * hour)
          yield* server.inject("token", Fault.delay(100))
          const caller = yield* Effect.fork(session.token)
          yield* Effect.sleep(delay)
          yield* signInto(client)
          yield* Fiber.join(caller)
          yield* assertIntact
          const record = yield* stored
          assert.strictEqual(textOf((yield* session.token).accessToken), textOf(record?.token?.accessToken))
        }
      }).pipe(Effect.scoped, Effect.provide(layer))))

  it("R18 the end waits for a renewal in the air, and what it brought is stored", () =>
    Simulation.run(64, () =>
      Effect.gen(function*() {
        const server = yield* Server
        yield* Effect.scoped(Effect.gen(function*() {
          const session = yield* signInto(yield* open())
          yield* Effect.sleep(2 * hour)
          yield* server.inject("token", Fault.delay(second))
          yield* Effect.fork(session.token)
          yield* Effect.sleep(100)
        }))
        assert.strictEqual(yield* server.tokenRequests(), 1)
        yield* assertIntact
      }).pipe(Effect.provide(layer))))

  it("R28 S60 only a refused grant ends the session, for every client of the process, and once", () =>
    Simulation.run(65, () =>
      Effect.gen(function*() {
        const clients = yield* Effect.all([open(), open()])
        const server = yield* Server
        const session = yield* signInto(clients[0])
        yield* Effect.sleep(2 * hour)
        for (
          const fault of [Fault.connectionRefused, Fault.status(502), Fault.status(401, { error: "invalid_client" })]
        ) {
          yield* server.inject("token", fault)
          assert.strictEqual((yield* Effect.flip(session.token))._tag, "RefreshFailed")
          yield* Effect.sleep(61 * second)
        }
        yield* session.token
        yield* Effect.sleep(2 * hour)
        yield* server.inject("token", Fault.status(400, { error: "invalid_grant" }))
        const ended = yield* Effect.forEach(clients, (client) => Effect.exit(client.session().token))
        assert.isTrue(ended.every(Exit.isFailure))
        const asked = yield* server.tokenRequests()
        for (const client of clients) {
          assert.deepInclude(yield* Effect.flip(client.session().token), {
            _tag: "ReauthorizationRequired",
            reason: "InvalidGrant"
          })
        }
        assert.strictEqual(yield* server.tokenRequests(), asked)
      }).pipe(Effect.scoped, Effect.provide(layer))))

  it("R46 a reply that is refused leaves its refresh token, and the next refresh uses it", () =>
    Simulation.run(66, () =>
      Effect.gen(function*() {
        const server = yield* Server
        const session = yield* signInto(yield* open())
        yield* Effect.sleep(2 * hour)
        yield* server.inject("token", Fault.editMembers((members) => ({ ...members, access_token: "a b" })))
        assert.strictEqual((yield* Effect.flip(session.token))._tag, "RefreshFailed")
        yield* assertIntact
        yield* Effect.sleep(2 * second)
        yield* session.token
        yield* assertIntact
        yield* assertOnePresentation
        assert.strictEqual(yield* server.tokenRequests(), 2)
      }).pipe(Effect.scoped, Effect.provide(layer))))

  it("R19 R21 the token is stored before its observer is told, whatever becomes of that", () =>
    Simulation.run(67, () =>
      Effect.gen(function*() {
        const server = yield* Server
        const { key, token } = yield* Effect.flatMap(open(), signInto).pipe(
          Effect.flatMap((session) => Effect.map(session.token, (token) => ({ key: session.key, token })))
        )
        const told: Array<string | undefined> = []
        const store = yield* TokenStore.TokenStore
        const onToken = () =>
          Effect.flatMap(Effect.orDie(Effect.provideService(stored, TokenStore.TokenStore, store)), (record) => {
            told.push(textOf(record?.token?.accessToken))
            return Effect.dieMessage("a bad observer")
          })
        const session = (yield* open({ onToken })).session(key)
        yield* Effect.sleep(2 * hour)
        const renewed = yield* session.token
        assert.notStrictEqual(textOf(renewed.accessToken), textOf(token.accessToken))
        assert.deepStrictEqual(told, [textOf(renewed.accessToken)])
        assert.strictEqual(yield* server.tokenRequests(), 1)
        yield* assertIntact
      }).pipe(Effect.scoped, Effect.provide(layer))))
})
