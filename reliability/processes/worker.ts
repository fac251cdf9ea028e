/** A program that uses sessions, in a process that may be killed at any time. */
import { FetchTransport, OAuth2Client, SessionRecord, SharedKeeper, Token, TokenStore } from "@effect-oauth2/core"
import { HttpClient } from "@effect/platform"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Clock, Duration, Effect, Layer, Option, Redacted, Schema, Stream } from "effect"
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
    Effect.match(token, {
      onFailure: (error) => ({ error: "reason" in error ? `${error._tag} ${String(error.reason)}` : error._tag }),
      onSuccess: ({ issuedAt }) => ({ issuedAt })
    })

  const drive = ({ duration, every, fibers, key }: WorkerQuestions["drive"]) =>
    Effect.gen(function*() {
      const failures: Record<string, number> = {}
      const session = client.session(key)
      const end = (yield* Clock.currentTimeMillis) + duration
      let calls = 0
      let slowest = 0
      const call = Effect.gen(function*() {
        const [waited, got] = yield* Effect.timed(outcome(session.token))
        calls++
        slowest = Math.max(slowest, Duration.toMillis(waited))
        if ("error" in got) failures[got.error] = (failures[got.error] ?? 0) + 1
        yield* Effect.sleep(every)
      })
      const fiber = Effect.repeat(call, { while: () => Effect.map(Clock.currentTimeMillis, (now) => now < end) })
      yield* Effect.all(Array.from({ length: fibers }, () => fiber), { concurrency: "unbounded", discard: true })
      return { calls, failures, slowest }
    })

  yield* answer<WorkerQuestions, WorkerAnswers, never>({
    restore: ({ key, token }) =>
      Effect.as(Effect.flatMap(decodeToken(token), (token) => client.restore(token, { sessionKey: key })), null),
    token: ({ key }) => outcome(client.session(key).token),
    refresh: ({ key }) => outcome(client.session(key).refresh),
    drive,
    stopAt: ({ point }) =>
      Effect.sync(() => {
        stopsAt = point
        return null
      }),
    stored: ({ key }) => {
      const storeKey = [...storeKeys].find((known) => known.endsWith(JSON.stringify(key)))
      return Effect.map(storeKey === undefined ? Effect.succeedNone : custody.get(storeKey), (found) => {
        const record = Option.getOrUndefined(found)
        return record === undefined ? null : {
          generation: record.generation,
          state: record.state._tag,
          refreshToken: reveal(SessionRecord.refreshToken(record)),
          alternate: reveal(record.alternate)
        }
      })
    }
  })
  return yield* Effect.never
})

NodeRuntime.runMain(Effect.scoped(Effect.provide(main, ClientLive)))
