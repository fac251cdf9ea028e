import { OAuth2Client, OAuth2HttpClient, OAuth2Session, Telemetry } from "@effect-oauth2/core"
import { Fault, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Metric, Redacted, TestClock } from "effect"
import { layer } from "./fixtures.js"
import { recorder } from "./spans.js"

const Server = TestAuthorizationServer.TestAuthorizationServer

/** The life of a session: begun, used, renewed, in trouble, signed out. */
const life = Effect.gen(function*() {
  const server = yield* Server
  const client = yield* OAuth2Client.OAuth2Client
  const http = yield* OAuth2HttpClient.OAuth2HttpClient
  const { pending, url } = yield* client.begin({ sessionKey: "session-key-of-the-application" })
  const callback = yield* server.authorize(url)
  const session = yield* client.complete({ callback, pending })
  const use = Effect.exit(http.get("https://api.test/x")).pipe(
    Effect.provideService(OAuth2Session.CurrentSession, session)
  )
  yield* use
  yield* TestClock.adjust("2 hours")
  yield* use
  yield* TestClock.adjust("2 hours")
  yield* server.inject("token", Fault.status(503, { retryAfter: "5" }))
  yield* use
  yield* TestClock.adjust("2 hours")
  yield* use
  yield* session.signOut
  const families = yield* server.families
  return {
    pending,
    secrets: [
      Redacted.value(pending.codeVerifier),
      callback.searchParams.get("code") ?? "",
      ...families.flatMap(({ accessToken, refreshToken }) =>
        [accessToken, refreshToken].flatMap((secret) => secret === undefined ? [] : [Redacted.value(secret)])
      )
    ]
  }
})

describe("Telemetry", () => {
  it.effect("S75 S77 the spans of a session have these names and attributes, and no key, prefix or piece of a secret", () => {
    const { layer: tracer, spans } = recorder()
    return Effect.gen(function*() {
      const { pending, secrets } = yield* life
      const ours = spans.filter(({ name }) => name.startsWith("oauth2."))
      assert.includeMembers([...new Set(ours.map(({ name }) => name))], [
        "oauth2.callback",
        "oauth2.authorize",
        "oauth2.token_request",
        "oauth2.commit",
        "oauth2.renew",
        "oauth2.begin",
        "oauth2.sign_out",
        "oauth2.revocation_request"
      ])
      const known = [
        "http.request.method",
        "server.address",
        "oauth2.grant_type",
        "http.response.status_code",
        "error.type"
      ]
      for (const { attributes, events, links } of ours) {
        assert.deepStrictEqual([...attributes.keys()].filter((name) => !known.includes(name)), [])
        assert.deepStrictEqual([events, links], [[], []])
        const text = JSON.stringify([...attributes.values()])
        for (const secret of [pending.sessionKey, pending.state, ...secrets]) {
          assert.notInclude(text, secret.slice(0, 8))
        }
      }
      assert.isTrue(ours.some(({ attributes }) => attributes.get("error.type") === "InvalidResponse"))
    }).pipe(Effect.provide(layer().pipe(Layer.provideMerge(tracer))), Effect.provide(tracer))
  })

  it.effect("B401 the library itself logs nothing, at any level", () => {
    const lines: Array<unknown> = []
    const logger = Layer.merge(
      Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => void lines.push(message))),
      Logger.minimumLogLevel(LogLevel.All)
    )
    return Effect.gen(function*() {
      yield* Effect.log("the logger works")
      yield* life
      assert.deepStrictEqual(lines, [["the logger works"]])
    }).pipe(Effect.provide(layer().pipe(Layer.provideMerge(logger))), Effect.provide(logger))
  })

  it.effect("S74 S77 the metrics have these names, and labels of a few values that are nobody's", () =>
    Effect.gen(function*() {
      const { pending, secrets } = yield* life
      const ours = (yield* Metric.snapshot).filter(({ metricKey }) => metricKey.name.startsWith("oauth2_"))
      const names = new Set(ours.map(({ metricKey }) => metricKey.name))
      assert.includeMembers([...names], ["oauth2_refreshes_total", "oauth2_token_wait_millis", "oauth2_sessions"])
      const labels = ours.flatMap(({ metricKey }) => metricKey.tags.map(({ key, value }) => `${key}=${value}`))
      for (const label of labels) assert.match(label, /^(outcome=[a-zA-Z]+|client_id=[a-z]+)$/)
      const text = JSON.stringify(ours)
      for (const secret of [pending.sessionKey, ...secrets]) assert.notInclude(text, secret.slice(0, 8))
    }).pipe(Effect.provide(layer())))

  it.effect("S74 a step names its failure by the tag, and that of a refusal by what was refused", () =>
    Effect.gen(function*() {
      const { spans, tracer } = recorder()
      const failing = <E extends { readonly _tag: string; readonly error?: { readonly _tag: string } }>(error: E) =>
        Effect.fail(error).pipe(Telemetry.step("oauth2.test"), Effect.exit, Effect.withTracer(tracer))
      yield* failing({ _tag: "Plain" })
      yield* failing({ _tag: "Refused", error: { _tag: "Reason" } })
      assert.deepStrictEqual(spans.map(({ attributes }) => attributes.get("error.type")), ["Plain", "Reason"])
      assert.deepStrictEqual(spans.map(({ name }) => name), ["oauth2.test", "oauth2.test"])
    }))
})
