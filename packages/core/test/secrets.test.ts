import {
  BearerToken,
  ClientAuthentication,
  Grant,
  OAuth2Client,
  OAuth2HttpClient,
  OAuth2Session,
  PendingAuthorizations,
  TokenStore
} from "@effect-oauth2/core"
import { Fault, RequestLog, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Logger, LogLevel, Metric, Redacted, Stream, TestClock, Tracer } from "effect"
import { confidentialClient, layer } from "./fixtures.js"
import { leaks } from "./secrecy.js"

const clientSecret = "canary-client-secret-8d1f0c5e"

/** All that a program could print, log, trace or measure. */
class Seen {
  readonly values: Array<readonly [what: string, value: unknown]> = []
  readonly secrets = new Set<string>([clientSecret])

  /** Something that a program may hold in its hand. */
  readonly see = (what: string, value: unknown): void => {
    this.values.push([what, value])
  }

  /** Something that must not be in it. */
  readonly isSecret = (...texts: ReadonlyArray<Redacted.Redacted<string> | string | undefined>): void => {
    for (const text of texts) {
      if (text !== undefined) this.secrets.add(Redacted.isRedacted(text) ? Redacted.value(text) : text)
    }
  }

  readonly leaks = (): ReadonlyArray<string> =>
    this.values.flatMap(([what, value]) => leaks(value, [...this.secrets]).map((leak) => `${what}, ${leak}`))
}

/** Keeps every span, with all that was ever said of it. */
const tracer = (seen: Seen): Tracer.Tracer =>
  Tracer.make({
    context: (f) => f(),
    span: (name, parent, context, links, startTime, kind, options) => {
      const attributes = new Map<string, unknown>(Object.entries(options?.attributes ?? {}))
      seen.see("span", { name, attributes, links })
      return {
        _tag: "Span",
        name,
        spanId: name,
        traceId: "trace",
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links,
        sampled: true,
        kind,
        end: (_, exit) => seen.see(`end of span ${name}`, name.startsWith("oauth2.") ? exit : whatTracersKeep(exit)),
        attribute: (key, value) => attributes.set(key, value),
        event: (...event) => seen.see(`event of span ${name}`, event),
        addLinks: (links) => seen.see(`links of span ${name}`, links)
      }
    }
  })

/** Of the transport's own spans, which end with its own response and request: the text of a failure. */
const whatTracersKeep = (exit: Exit.Exit<unknown, unknown>) => Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "ok"

/** Effect's own loggers, each writing into what is seen. */
const loggers = (seen: Seen) =>
  Layer.mergeAll(
    Logger.replace(Logger.defaultLogger, Logger.map(Logger.stringLogger, (line) => seen.see("string logger", line))),
    Logger.add(Logger.map(Logger.jsonLogger, (line) => seen.see("JSON logger", line))),
    Logger.add(Logger.map(Logger.logfmtLogger, (line) => seen.see("logfmt logger", line))),
    Logger.add(Logger.map(Logger.structuredLogger, (entry) => seen.see("structured logger", entry))),
    Logger.minimumLogLevel(LogLevel.All)
  )

/** An error as a program has it: in its hand, and in its log. */
const told = (seen: Seen, what: string, failed: Exit.Exit<unknown, unknown>) => {
  seen.see(what, failed)
  if (Exit.isFailure(failed) && failed.cause._tag === "Fail") seen.see(`${what}, the error`, failed.cause.error)
  return Exit.isFailure(failed) ? Effect.logError(what, failed.cause) : Effect.void
}

const faults: Readonly<Record<string, Fault.Fault>> = {
  refused: Fault.connectionRefused,
  reset: Fault.reset,
  "lost answer": Fault.afterActing(Fault.status(502)),
  html: Fault.html,
  "wrong status": Fault.editReply((reply) => ({ ...reply, status: 201 })),
  "wrong type": Fault.editReply((reply) => ({ ...reply, headers: { "content-type": "text/plain" } })),
  truncated: Fault.truncated(60),
  "no token type": Fault.editMembers((members) => ({ ...members, token_type: undefined })),
  "token with a line break": Fault.editMembers((members) => ({
    ...members,
    access_token: `${String(members["access_token"])}\r\n`
  })),
  "token in a list": Fault.editMembers((members) => ({ ...members, access_token: [members["access_token"]] })),
  "secret as a life": Fault.editMembers((members) => ({ ...members, expires_in: members["access_token"] })),
  "secret as a type": Fault.editMembers((members) => ({ ...members, token_type: members["refresh_token"] })),
  "repeated member": Fault.editBody((body) => body.replace("{", "{\"access_token\":\"canary-repeated-5b1e\",")),
  "description that repeats the secret": Fault.status(401, {
    error: "invalid_client",
    description: `not ${clientSecret}`
  })
}

const Live = layer({
  client: {
    ...confidentialClient,
    clientAuthentication: ClientAuthentication.clientSecretBasic(Redacted.make(clientSecret))
  },
  server: {
    rotation: { grace: "1 day" },
    clients: [{
      id: "service",
      secret: clientSecret,
      authentication: "client_secret_basic",
      redirectUris: ["https://service.test/callback"]
    }]
  }
})

/** A program that meets everything which these rooms can say. */
const everything = (seen: Seen) =>
  Effect.gen(function*() {
    const server = yield* TestAuthorizationServer.TestAuthorizationServer
    const client = yield* OAuth2Client.OAuth2Client
    const http = yield* OAuth2HttpClient.OAuth2HttpClient
    yield* Effect.forkDaemon(Stream.runForEach(client.events, (event) => Effect.sync(() => seen.see("event", event))))
    yield* Effect.yieldNow()
    seen.see("services", [
      client,
      http,
      yield* TokenStore.TokenStore,
      yield* PendingAuthorizations.PendingAuthorizations
    ])

    const begun = yield* client.begin({ sessionKey: "user" })
    seen.isSecret(begun.pending.codeVerifier)
    seen.see("begun", begun)
    const callback = yield* server.authorize(begun.url)
    const code = callback.searchParams.get("code") ?? ""
    seen.isSecret(code)
    const strange = new URL(callback)
    strange.searchParams.set("state", "another")
    for (
      const [what, url] of [["another state", strange], ["twice the code", `${callback.href}&code=${code}`]] as const
    ) {
      yield* told(seen, what, yield* exitOf(client.complete({ callback: url, pending: begun.pending })))
    }
    const session = yield* client.complete({ callback, pending: begun.pending })
    yield* told(seen, "a second callback", yield* exitOf(client.complete({ callback, pending: begun.pending })))
    seen.see("session", session)
    seen.see("grants", [
      Grant.authorizationCode({
        code: Redacted.make(code),
        redirectUri: "https://x.test/",
        codeVerifier: begun.pending.codeVerifier
      }),
      Grant.refreshToken({ refreshToken: Redacted.make(clientSecret) }),
      Grant.extension("urn:x", { assertion: Redacted.make(clientSecret) })
    ])
    seen.see("client authentication", [
      ClientAuthentication.clientSecretBasic(Redacted.make(clientSecret)),
      ClientAuthentication.clientSecretPost(Redacted.make(clientSecret)),
      yield* ClientAuthentication.clientSecretBasic(Redacted.make(clientSecret)).authenticate({
        clientId: "service",
        endpoint: new URL("https://as.test/token")
      })
    ])

    const calls = Effect.gen(function*() {
      const token = yield* session.token
      seen.isSecret(token.accessToken, token.refreshToken, token.idToken)
      seen.see("token", token)
      const response = yield* http.get("https://api.test/things")
      seen.see("response", response)
      yield* response.text
      seen.see("response whose body was read", response)
      yield* server.inject("resource", Fault.reset)
      yield* told(seen, "a resource that hangs up", yield* exitOf(http.get("https://api.test/things")))
      yield* told(
        seen,
        "a resource whose status is refused",
        yield* exitOf(
          HttpClient.filterStatusOk(http).get("https://api.test/missing-scope").pipe(
            Effect.zipLeft(Effect.void)
          )
        )
      )
      yield* told(seen, "another origin", yield* exitOf(http.get("https://evil.test/?token=x")))
      yield* told(
        seen,
        "a header of the caller's",
        yield* exitOf(http.execute(HttpClientRequest.bearerToken(HttpClientRequest.get("https://api.test/"), "x")))
      )
      yield* told(
        seen,
        "a token by hand on http",
        yield* exitOf(BearerToken.authorize(HttpClientRequest.get("http://api.test/"), token))
      )
    }).pipe(Effect.provideService(OAuth2Session.CurrentSession, session))

    yield* calls
    for (const [what, fault] of Object.entries(faults)) {
      yield* TestClock.adjust("2 hours")
      yield* server.inject("token", fault)
      yield* told(seen, what, yield* exitOf(session.token))
      yield* TestClock.adjust("2 minutes")
      yield* calls
    }
    yield* server.expireAccessTokens
    yield* calls
    yield* server.inject(
      "revocation",
      Fault.status(400, { error: "unsupported_token_type", description: "of that kind" })
    )
    seen.see("sign-out", yield* session.signOut)
    yield* told(seen, "a session that is signed out", yield* exitOf(session.token))
    yield* client.authorize(Grant.clientCredentials()).pipe(Effect.flatMap((session) => session.token))
    for (const family of yield* server.families) seen.isSecret(family.accessToken, family.refreshToken)
    for (const exchange of yield* server.exchanges("token")) {
      seen.isSecret(RequestLog.parameter(exchange, "refresh_token"))
    }
    seen.see("metrics", yield* Metric.snapshot)
    return server
  })

const exitOf = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.exit(effect)

describe("secrets", () => {
  it.effect("S74 S75 S76 no value, error, response, event, span, log or metric shows a secret", () => {
    const seen = new Seen()
    return Effect.gen(function*() {
      yield* everything(seen)
      assert.isAbove(seen.values.length, 400)
      assert.isAbove(seen.secrets.size, 20)
      for (const kind of ["span", "event", "JSON logger", "metrics", "response", "sign-out"]) {
        assert.isTrue(seen.values.some(([what]) => what === kind), kind)
      }
      assert.deepStrictEqual(seen.leaks(), [])
    }).pipe(Effect.provide(Live), Effect.withTracer(tracer(seen)), Effect.provide(loggers(seen)))
  }, 120_000)

  it.effect("S75 the authorization server gets no tracing header, and no span has a URL's query", () => {
    const seen = new Seen()
    return Effect.gen(function*() {
      const server = yield* everything(seen)
      const headers = (yield* server.exchanges("token")).flatMap(({ headerNames }) => headerNames)
      assert.isAbove(headers.length, 0)
      assert.notIncludeMembers(headers, ["traceparent", "b3", "tracestate"])
      const spans = seen.values.filter(([what]) => what === "span").map(([, span]) => span as OfSpan)
      const ours = spans.filter(({ name }) => name.startsWith("oauth2."))
      assert.includeMembers([...new Set(ours.map(({ name }) => name))], [
        "oauth2.callback",
        "oauth2.authorize",
        "oauth2.renew",
        "oauth2.begin",
        "oauth2.commit",
        "oauth2.token_request",
        "oauth2.revocation_request",
        "oauth2.sign_out"
      ])
      for (const { attributes } of ours) {
        assert.isFalse([...attributes.keys()].some((key) => key.startsWith("url.")), [...attributes.keys()].join())
      }
    }).pipe(Effect.provide(Live), Effect.withTracer(tracer(seen)), Effect.provide(loggers(seen)))
  }, 120_000)

  it("the check can fail: it finds a secret in whatever form it is shown", () => {
    const seen = new Seen()
    seen.see("plain", { token: clientSecret })
    seen.see("in an error", new Error(`refused ${clientSecret}`))
    seen.see("in a header", `Basic ${btoa(`service:${clientSecret}`)}`)
    seen.see("cut", clientSecret.slice(0, 14))
    seen.see("redacted", Redacted.make(clientSecret))
    const found = new Set(seen.leaks().map((leak) => leak.split(",")[0]))
    assert.deepStrictEqual([...found].sort(), ["cut", "in an error", "plain"])
  })
})

interface OfSpan {
  readonly name: string
  readonly attributes: ReadonlyMap<string, unknown>
}
