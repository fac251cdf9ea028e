/**
 * The worker's side of {@link "TokenWorker"}: it holds the tokens, renews them, and makes the page's requests to the API.
 * Nothing that it says to a page has a token in it; what an API answers is the API's.
 *
 * @since 0.1.0
 */
import { OAuth2Client, type OAuth2ClientService } from "@effect-oauth2/core/OAuth2Client"
import { OAuth2Crypto } from "@effect-oauth2/core/OAuth2Crypto"
import { ConfigurationError, InputError, OAuth2Error, ScopeMismatch } from "@effect-oauth2/core/OAuth2Error"
import * as OAuth2HttpClient from "@effect-oauth2/core/OAuth2HttpClient"
import { CurrentSession } from "@effect-oauth2/core/OAuth2Session"
import * as ReadOnlySession from "@effect-oauth2/core/ReadOnlySession"
import type { SessionEvent } from "@effect-oauth2/core/SessionEvent"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpMethod } from "@effect/platform/HttpMethod"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { encodeBase64Url } from "effect/Encoding"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Answer, Event, FromWorker, type Port, type Question, ToWorker } from "./internal/tokenWorkerMessages.js"

/**
 * `origins`: those that the page may have requests made to, with the session's token. Whoever can run a script in the page
 * can have them made as well.
 *
 * @since 0.1.0
 * @category models
 */
export type Options = Pick<OAuth2HttpClient.Options, "origins" | "placement">

/**
 * Serves every page that connects, until the worker ends. It is the whole program of a `SharedWorker`, or of a dedicated
 * `Worker`, which listens from the moment that it is run. Keep the tokens in memory: what is in a database or a storage
 * of the origin can be read by the page as well.
 *
 * Fails with `ConfigurationError`, and as the layer does; the pages that connect are then told so.
 *
 * @example
 * import { Custody, OAuth2Client } from "@effect-oauth2/core"
 * import { BrowserPlatform, TokenWorkerRunner } from "@effect-oauth2/platform-browser"
 * import { Effect, Layer } from "effect"
 *
 * const ClientLive = OAuth2Client.layer({
 *   clientId: "page",
 *   authorizationEndpoint: "https://as.example.com/authorize",
 *   tokenEndpoint: "https://as.example.com/token",
 *   redirectUri: "https://app.example.com/callback"
 * }).pipe(Layer.provide(Custody.layerMemory), Layer.provideMerge(BrowserPlatform.layer))
 *
 * export const program = TokenWorkerRunner.launch(ClientLive, { origins: ["https://api.example.com"] })
 * // In the worker's script: Effect.runFork(program)
 *
 * @since 0.1.0
 * @category constructors
 */
export const launch = <E>(
  client: Layer.Layer<OAuth2Client | HttpClient.HttpClient, E>,
  options: Options
): Effect.Effect<never, E | ConfigurationError> =>
  Effect.gen(function*() {
    const connected = yield* listen
    const ready = yield* Deferred.make<Answering, E | ConfigurationError>()
    const { runFork } = yield* Effect.map(Effect.runtime(), (runtime) => ({ runFork: Runtime.runFork(runtime) }))
    connected((port) => runFork(serve(port, Deferred.await(ready))))
    yield* Effect.intoDeferred(
      Effect.flatMap(Layer.build(client), (context) => Effect.provide(answering(options), context)),
      ready
    )
    yield* Deferred.await(ready)
    return yield* Effect.never
  }).pipe(Effect.scoped)

type Answering = (question: Question) => Effect.Effect<Answer, OAuth2Error | HttpClientError>

/** Pages connect from the first moment on: those that come before there is anyone to serve them are kept. */
const listen: Effect.Effect<(onPort: (port: Port) => void) => void> = Effect.sync(() => {
  // The types are a page's; this runs in a worker
  const scope = globalThis as unknown as Port & EventTarget & { readonly DedicatedWorkerGlobalScope?: unknown }
  if ("DedicatedWorkerGlobalScope" in scope) return (onPort) => onPort(scope)
  const waiting: Array<Port> = []
  let use = (port: Port): void => void waiting.push(port)
  scope.addEventListener("connect", (event) => use((event as MessageEvent).ports[0]!))
  return (onPort) => {
    use = onPort
    waiting.splice(0).forEach(onPort)
  }
})

/** Each question of a page is a fiber of its own, which the page may interrupt: that ends its waiting and nothing else. */
const serve = <E>(port: Port, ready: Effect.Effect<Answering, E>): Effect.Effect<void> =>
  Effect.flatMap(Effect.runtime(), (runtime) =>
    Effect.sync(() => {
      const running = new Map<number, Fiber.RuntimeFiber<unknown>>()
      const runFork = Runtime.runFork(runtime)
      port.addEventListener("message", ({ data }) => {
        const asked = decode(data)
        if (asked === undefined) {
          if (Predicate.hasProperty(data, "id") && typeof data.id === "number") post(port, data.id, notUnderstood)
          return
        }
        const { id, question } = asked
        if (question === undefined) {
          const fiber = running.get(id)
          if (fiber !== undefined) runFork(Fiber.interrupt(fiber))
          return
        }
        const fiber = runFork(
          Effect.flatMap(Effect.exit(Effect.flatMap(ready, (answering) => answering(question))), (exit) =>
            Effect.sync(() => post(port, id, answerOf(exit))))
        )
        running.set(id, fiber)
        fiber.addObserver(() =>
          running.delete(id)
        )
      })
      port.start?.()
    }))

/** By a page of another version, as after a deployment. */
const notUnderstood: Answer = {
  _tag: "Failed",
  error: new ConfigurationError({
    field: "worker",
    problem: "does not understand this page. Reload all pages of the site"
  })
}

const decodeToWorker = Schema.decodeUnknownOption(ToWorker)
const encodeFromWorker = Schema.encodeSync(FromWorker)
const encodeEvent = Schema.encodeSync(Event)

const decode = (data: unknown): typeof ToWorker.Type | undefined => {
  const decoded = decodeToWorker(data)
  return decoded._tag === "Some" ? decoded.value : undefined
}

const post = (port: Port, id: number, answer: Answer): void =>
  port.postMessage(
    encodeFromWorker({ id, answer }),
    answer._tag === "Responded" ? [answer.body.buffer as ArrayBuffer] : []
  )

const answerOf = (exit: Exit.Exit<Answer, unknown>): Answer => {
  if (Exit.isSuccess(exit)) return exit.value
  const { cause } = exit
  return cause._tag === "Fail" ? failed(cause.error) : { _tag: "Died" }
}

const isOAuth2Error = Schema.is(OAuth2Error)

const failed = (error: unknown): Answer => {
  const known = error as OAuth2Error | HttpClientError
  if (known._tag === "RequestError") {
    return {
      _tag: "Failed",
      error: { _tag: "HttpFailure", reason: known.reason, description: known.description ?? "" }
    }
  }
  if (known._tag === "ResponseError") {
    return { _tag: "Failed", error: { _tag: "HttpFailure", reason: "Transport", description: known.reason } }
  }
  // What the program's own layer fails with is nothing that a page could read
  if (!isOAuth2Error(known)) return { _tag: "Died" }
  return { _tag: "Failed", error: known._tag === "ScopeMismatch" ? withoutToken(known) : known }
}

/** The session is kept here; the page learns of the scopes. */
const withoutToken = ({ additional, granted, missing, token }: ScopeMismatch): ScopeMismatch =>
  new ScopeMismatch({
    granted,
    missing,
    additional,
    token: { accessToken: Redacted.make("in-the-worker"), tokenType: token.tokenType, issuedAt: token.issuedAt }
  })

/** What the questions are answered with. */
const answering = (
  options: Options
): Effect.Effect<Answering, ConfigurationError, OAuth2Client | HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function*() {
    const client = yield* OAuth2Client
    const transport = yield* HttpClient.HttpClient
    const http = yield* OAuth2HttpClient.make(transport, client.registration, CurrentSession, options)
    const channel = `effect-oauth2 worker ${encodeBase64Url(yield* (yield* OAuth2Crypto).randomBytes(16))}`
    yield* tell(client, channel)
    yield* alive(channel)
    return (question) => answer(client, http, channel, question)
  })

/** A lock that is free when the worker has ended: so pages learn of it, which nothing else tells them. */
const alive = (name: string): Effect.Effect<unknown, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<() => void>((resume) => {
      const held = () => new Promise<void>((release) => resume(Effect.succeed(release)))
      const { locks } = globalThis.navigator as { readonly locks?: LockManager }
      if (locks === undefined) resume(Effect.succeed(() => {}))
      else locks.request(name, held).catch(() => resume(Effect.succeed(() => {})))
    }),
    (release) => Effect.sync(release)
  )

/** Everybody of the origin may listen: what is told is no secret. */
const tell = ({ events }: OAuth2ClientService, name: string): Effect.Effect<unknown, never, Scope.Scope> =>
  Effect.flatMap(
    Effect.acquireRelease(
      Effect.sync(() => new BroadcastChannel(name)),
      (channel) => Effect.sync(() => channel.close())
    ),
    (channel) =>
      Effect.forkScoped(
        Stream.runForEach(events, (event) => Effect.sync(() => channel.postMessage(encodeEvent(eventOf(event)))))
      )
  )

const eventOf = (event: SessionEvent): typeof Event.Type => ({
  event: event._tag,
  sessionKey: event.sessionKey,
  generation: "generation" in event ? event.generation : undefined,
  reason: "reason" in event ? event.reason : "outcome" in event ? event.outcome : undefined
})

const answer = (
  client: OAuth2ClientService,
  http: OAuth2HttpClient.Service<"default">,
  channel: string,
  question: Question
): Effect.Effect<Answer, OAuth2Error | HttpClientError> => {
  switch (question._tag) {
    case "Hello":
      return Effect.succeed({ _tag: "Greeted", channel })
    case "Begin": {
      const { parameters, redirectUri, scope, sessionKey } = question
      return Effect.map(
        client.begin({ sessionKey, redirectUri, scope, parameters: grouped(parameters) }),
        ({ pending, url }) => ({ _tag: "Begun", url: url.href, pending })
      )
    }
    case "Complete":
      return Effect.map(client.complete(question), ({ key }) => ({ _tag: "Completed", sessionKey: key }))
    case "Status":
      return status(client, question.sessionKey)
    case "Refresh":
      return Effect.as(client.session(question.sessionKey).refresh, { _tag: "Refreshed" })
    case "SignOut":
      return Effect.map(client.session(question.sessionKey).signOut, (signedOut) => ({
        _tag: "SignedOut",
        ...signedOut
      }))
    case "Execute":
      return execute(http, client.session(question.sessionKey), question)
  }
}

const status = (client: OAuth2ClientService, sessionKey: string): Effect.Effect<Answer, OAuth2Error> =>
  Effect.flatMap(
    client.session(sessionKey).isAuthorized,
    (isAuthorized) =>
      Effect.map(
        isAuthorized ? ReadOnlySession.look(client.manager, sessionKey) : Effect.succeed(undefined),
        (held): Answer => ({
          _tag: "Known",
          status: {
            isAuthorized,
            generation: held?.generation,
            expiresAt: held?.token.expiresAt,
            scope: held?.token.scope
          }
        })
      )
  )

const execute = (
  http: OAuth2HttpClient.Service<"default">,
  session: Context.Tag.Service<typeof CurrentSession>,
  { body, headers, method, url }: Extract<Question, { _tag: "Execute" }>
): Effect.Effect<Answer, OAuth2Error | HttpClientError> => {
  if (!methods.has(method)) {
    return new InputError({ field: "method", problem: "is no method of HTTP that a page may use" })
  }
  const request = HttpClientRequest.make(method as HttpMethod)(url, {
    headers,
    // Its type is among the headers
    ...(body === undefined ? undefined : { body: HttpBody.raw(body) })
  })
  return Effect.flatMap(http.execute(request), (response) =>
    Effect.map(response.arrayBuffer, (bytes): Answer => ({
      _tag: "Responded",
      status: response.status,
      headers: Object.entries(response.headers),
      body: new Uint8Array(bytes)
    }))).pipe(Effect.provideService(CurrentSession, session))
}

const methods: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])

/** Parameters as `begin` takes them: those of one name together. */
const grouped = (pairs: ReadonlyArray<readonly [string, string]>): Record<string, Array<string>> => {
  const parameters: Record<string, Array<string>> = Object.create(null) as Record<string, Array<string>>
  for (const [name, value] of pairs) (parameters[name] ??= []).push(value)
  return parameters
}
