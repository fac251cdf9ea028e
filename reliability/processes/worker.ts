/** A program that uses sessions, in a process that may be killed at any time. */
import {
  FetchTransport,
  OAuth2Client,
  ReadOnlySession,
  SessionRecord,
  SharedKeeper,
  Token,
  TokenStore
} from "@effect-oauth2/core"
import { HttpClient } from "@effect/platform"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Clock, Effect, Layer, Option, Redacted, Schema, Stream } from "effect"
import { answer, settings, tell } from "./answering.js"
import { custodyOf } from "./custody.js"
import type { Outcome, WorkerAnswers, WorkerPoint, WorkerQuestions, WorkerSettings } from "./messages.js"

const { persistDeadline, requestDeadline, rotation, server, store } = settings<WorkerSettings>()

let stopsAt: WorkerPoint | undefined

/** Goes on, unless this is where the worker is to be killed. */
const passing = (point: WorkerPoint): Effect.Effect<void> =>
  Effect.suspend(() => stopsAt === point ? Effect.zipRight(tell({ at: point }), Effect.never) : Effect.void)

const Transport = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(
    HttpClient.HttpClient,
    HttpClient.transform((request) =>
      passing("before the request").pipe(
        Effect.zipRight(request),
        Effect.zipLeft(passing("answer received"))
      )
    )
  )
).pipe(Layer.provide(FetchTransport.layer()))

/** The store's own names for the sessions that were looked at here. */
const storeKeys = new Set<string>()

const tellCommitted = (key: string) => Effect.suspend(() => tell({ event: "Committed", key, time: Date.now() }))

const Custody = Layer.effect(
  TokenStore.TokenStore,
  Effect.map(TokenStore.TokenStore, (inner) => ({
    ...inner,
    keeper: SharedKeeper.make,
    get: (key: string) => {
      storeKeys.add(key)
      return inner.get(key)
    },
    commit: (...commit: Parameters<typeof inner.commit>) =>
      passing("before the write").pipe(
        Effect.zipRight(inner.commit(...commit)),
        Effect.tap(({ _tag }) => _tag === "Committed" ? tellCommitted(commit[0]) : Effect.void),
        Effect.zipLeft(passing("after the write"))
      )
  }))
).pipe(Layer.provideMerge(custodyOf(store)))

const ClientLive = OAuth2Client.layer({
  clientId: "rig",
  issuer: "https://as.test",
  tokenEndpoint: `${server}/token`,
  allowInsecureLoopback: true,
  requestDeadline,
  refreshPolicy: { rotation, persistDeadline, earlyWindow: 0 }
}).pipe(Layer.provide(Transport), Layer.provideMerge(Custody))

const decodeToken = Schema.decodeUnknown(Token.Token)

const reveal = (secret: Redacted.Redacted<string> | undefined) => secret && Redacted.value(secret)

const main = Effect.gen(function*() {
  const [client, custody] = yield* Effect.all([OAuth2Client.OAuth2Client, TokenStore.TokenStore])
  yield* Effect.forkScoped(
    Stream.runForEach(
      client.events,
      (event) =>
        Effect.flatMap(Clock.currentTimeMillis, (time) => tell({ event: event._tag, key: event.sessionKey, time }))
    )
  )

  const outcome = (token: Effect.Effect<Token.Token, { readonly _tag: string }>): Effect.Effect<Outcome> =>
    Effect.suspend(() => {
      const asked = Date.now()
      return Effect.match(token, {
        onFailure: (error): Outcome => ({
          error: "reason" in error ? `${error._tag} ${String(error.reason)}` : error._tag,
          asked,
          answered: Date.now()
        }),
        onSuccess: ({ issuedAt }): Outcome => ({ issuedAt, asked, answered: Date.now() })
      })
    })

  const drive = ({ duration, every, fibers, key }: WorkerQuestions["drive"]) =>
    Effect.gen(function*() {
      const failures: Record<string, number> = {}
      const session = client.session(key)
      const end = performance.now() + duration
      let calls = 0
      let slowest = 0
      const call = Effect.gen(function*() {
        const asked = performance.now()
        const got = yield* outcome(session.token)
        calls++
        slowest = Math.max(slowest, performance.now() - asked)
        if ("error" in got) failures[got.error] = (failures[got.error] ?? 0) + 1
        yield* Effect.sleep(every)
      })
      const fiber = Effect.repeat(call, { while: () => performance.now() < end })
      yield* Effect.all(Array.from({ length: fibers }, () => fiber), { concurrency: "unbounded", discard: true })
      return { calls, failures, slowest: Math.round(slowest) }
    })

  yield* answer<WorkerQuestions, WorkerAnswers, never>({
    restore: ({ key, token }) =>
      Effect.as(Effect.flatMap(decodeToken(token), (token) => client.restore(token, { sessionKey: key })), null),
    token: ({ key }) => outcome(client.session(key).token),
    refresh: ({ key }) => outcome(client.session(key).refresh),
    drive,
    jump: ({ millis }) =>
      Effect.sync(() => {
        ahead += millis
        return null
      }),
    stopAt: ({ point }) =>
      Effect.sync(() => {
        stopsAt = point
        return null
      }),
    stored: ({ key }) =>
      Effect.gen(function*() {
        const isOf = (storeKey: string) => storeKey.endsWith(JSON.stringify(key))
        // One that this process has not used yet is looked at once, which renews nothing
        if (![...storeKeys].some(isOf)) yield* Effect.ignore(ReadOnlySession.make(client, key).token)
        const storeKey = [...storeKeys].find(isOf)
        const record = storeKey === undefined ? undefined : Option.getOrUndefined(yield* custody.get(storeKey))
        return record === undefined ? null : {
          generation: record.generation,
          state: record.state._tag,
          refreshToken: reveal(SessionRecord.refreshToken(record)),
          alternate: reveal(record.alternate)
        }
      })
  })
  return yield* Effect.never
})

/** How far, in milliseconds, the process's clock has been set from the machine's. Waiting goes on undisturbed. */
let ahead = 0

const system = Clock.make()
const clock: Clock.Clock = {
  [Clock.ClockTypeId]: Clock.ClockTypeId,
  unsafeCurrentTimeMillis: () => system.unsafeCurrentTimeMillis() + ahead,
  unsafeCurrentTimeNanos: () => system.unsafeCurrentTimeNanos() + BigInt(ahead) * 1_000_000n,
  currentTimeMillis: Effect.sync(() => clock.unsafeCurrentTimeMillis()),
  currentTimeNanos: Effect.sync(() => clock.unsafeCurrentTimeNanos()),
  sleep: (duration) => system.sleep(duration)
}

NodeRuntime.runMain(Effect.withClock(Effect.scoped(Effect.provide(main, ClientLive)), clock))
