/** What the reliability tests are made of: a client, the server in memory, a store to watch, and sessions signed in. */
import { OAuth2Client, OAuth2Crypto, OAuth2HttpClient, PendingAuthorizations, SessionRecord } from "@effect-oauth2/core"
import type { OAuth2Session, SessionEvent } from "@effect-oauth2/core"
import { Fault, type ServerOptions, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, Stream } from "effect"
import { createHash } from "node:crypto"
import { publicClient } from "../fixtures.js"
import * as WatchedStore from "./WatchedStore.js"

export const second = 1_000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

export const Server = TestAuthorizationServer.TestAuthorizationServer
export const Client = OAuth2Client.OAuth2Client
export const HttpClient = OAuth2HttpClient.OAuth2HttpClient

export interface Setup<R = never> {
  readonly client?: Partial<OAuth2Client.Options<R>>
  readonly server?: ServerOptions.Options
}

/** The client with its authorized http client, over the server in memory and a store to watch. */
export const layer = <R = never>(setup: Setup<R> = {}) =>
  clientLayer<R>(setup.client).pipe(
    Layer.provideMerge(Layer.effect(WatchedStore.WatchedStore, WatchedStore.make())),
    Layer.provideMerge(TestAuthorizationServer.layer(setup.server))
  )

/** A client with its authorized http client, for whatever store and server there are. */
export const clientLayer = <R = never>(client: Partial<OAuth2Client.Options<R>> = {}) =>
  OAuth2Client.layerHttpClient({ origins: ["https://api.test"] }).pipe(
    Layer.provideMerge(OAuth2Client.layer<R>({ ...publicClient, ...client })),
    Layer.provide(WatchedStore.layerTokenStore),
    Layer.provideMerge(PendingAuthorizations.layerMemory),
    Layer.provide(Layer.succeed(OAuth2Crypto.OAuth2Crypto, atOnce))
  )

/** A process of its own on the store and the server that there are: a client that shares nothing else with others. */
export const open = (options?: Partial<OAuth2Client.Options>) =>
  Effect.map(Layer.build(Layer.fresh(clientLayer(options))), (context) => Context.get(context, Client))

/** Digests that are there at once: a promise would be waited for in real time. */
const atOnce: OAuth2Crypto.OAuth2CryptoService = {
  randomBytes: OAuth2Crypto.webCrypto.randomBytes,
  sha256: (bytes) => Effect.sync(() => new Uint8Array(createHash("sha256").update(bytes).digest()))
}

/** A session just signed in, as a server would have it. */
export const signIn = (
  sessionKey?: string
): Effect.Effect<OAuth2Session.OAuth2Session, never, OAuth2Client.OAuth2Client | ServerTag> =>
  Effect.gen(function*() {
    const token = yield* (yield* Server).issue()
    return yield* Effect.orDie((yield* Client).restore(token, { sessionKey }))
  })

type ServerTag = TestAuthorizationServer.TestAuthorizationServer

/** All that happens to sessions from now on. */
export const watchEvents: Effect.Effect<Array<SessionEvent.SessionEvent>, never, OAuth2Client.OAuth2Client> = Effect
  .gen(function*() {
    const seen: Array<SessionEvent.SessionEvent> = []
    const { events } = yield* Client
    yield* Effect.forkDaemon(Stream.runForEach(events, (event) => Effect.sync(() => seen.push(event))))
    yield* Effect.sleep(1)
    return seen
  })

export const textOf = (secret: Redacted.Redacted<string> | undefined): string | undefined =>
  secret === undefined ? undefined : Redacted.value(secret)

/** What is stored can be redeemed: it is the refresh token that the server holds for live. */
export const assertIntact = (sessionKey?: string): Effect.Effect<void, never, ServerTag | WatchedStore.WatchedStore> =>
  Effect.gen(function*() {
    const record = yield* (yield* WatchedStore.WatchedStore).stored(sessionKey)
    const refreshToken = record && SessionRecord.refreshToken(record)
    assert.isDefined(refreshToken, `${sessionKey ?? "the session"} has a refresh token`)
    const family = yield* (yield* Server).family(refreshToken)
    assert.isUndefined(family.revoked, `${sessionKey ?? "the session"} is not revoked`)
    assert.strictEqual(textOf(refreshToken), textOf(family.refreshToken), "the store holds the live refresh token")
    assert.strictEqual(record?.state._tag, "Idle")
  })

/** No refresh token was presented twice, neither at a time nor one after the other. */
export const assertOnePresentation: Effect.Effect<void, never, ServerTag> = Effect.gen(function*() {
  const { concurrentPresentations, reuses } = yield* (yield* Server).counts
  assert.isAtMost(concurrentPresentations, 1, "presentations at a time")
  assert.strictEqual(reuses, 0, "refresh tokens presented again")
})

/** Tells when the server computes the digest of a code verifier, which is the one thing that takes real time. */
export const watchDigests = () => {
  let under = 0
  const begin = Effect.sync(() => void under++)
  const end = Effect.sync(() => void under--)
  return {
    fault: Fault.make("watched digest", (act) => Effect.acquireUseRelease(begin, () => act, () => end)),
    isWaiting: () => under > 0
  }
}
