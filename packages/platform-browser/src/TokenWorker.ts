/**
 * A session whose tokens the page never holds: a worker keeps them, renews them, and makes the page's requests to the
 * API. A script that was injected into the page can use the session while it is there, and cannot take it along. One that is
 * there while the user signs in can: code and verifier pass through the page.
 *
 * With a `SharedWorker` all tabs of the origin that start it from the same address have one session; with a dedicated
 * `Worker`, for browsers without the other, each page has its own. Nothing is stored: the worker ends with the last page
 * that uses it, also when that page is reloaded or goes on to another, and a new sign-in follows, which may be silent. So
 * sign in by popup or silently, or go on within the page that the redirect came back to.
 *
 * @since 0.1.0
 */
import type { BeginOptions, Begun } from "@effect-oauth2/core/OAuth2Client"
import { type AttemptError, ConfigurationError, InputError, type OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import type * as OAuth2HttpClient from "@effect-oauth2/core/OAuth2HttpClient"
import * as Parameters from "@effect-oauth2/core/Parameters"
import type { PendingAuthorization } from "@effect-oauth2/core/PendingAuthorization"
import * as Scope_ from "@effect-oauth2/core/Scope"
import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { HttpFailure } from "./internal/tokenWorkerMessages.js"
import { type Answer, Event, FromWorker, type Port, type Question, ToWorker } from "./internal/tokenWorkerMessages.js"

/**
 * What is known of a session, without its tokens.
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  /** Whether a request would be sent with a token, now or after a renewal. */
  readonly isAuthorized: boolean
  readonly generation?: number | undefined
  /** When the access token expires, in epoch milliseconds. */
  readonly expiresAt?: number | undefined
  readonly scope?: ReadonlyArray<string> | undefined
}

/**
 * What happened to a session: the tag of core's `SessionEvent`, and what of it is no secret.
 *
 * @since 0.1.0
 * @category models
 */
export interface WorkerEvent {
  readonly event: string
  readonly sessionKey: string
  readonly generation?: number | undefined
  readonly reason?: string | undefined
}

/**
 * A session that the worker holds.
 *
 * @since 0.1.0
 * @category models
 */
export interface WorkerSession {
  readonly key: string
  /** Fails with `StoreError`. */
  readonly status: Effect.Effect<Status, OAuth2Error>
  /** Renews the session although its token may still be valid. Fails as `OAuth2Session.refresh` does. */
  readonly refresh: Effect.Effect<void, OAuth2Error>
  /** Ends the session, and revokes its token where the client has a revocation endpoint. */
  readonly signOut: Effect.Effect<
    {
      readonly revocation: "Revoked" | "NotConfigured" | "NothingHeld" | "Failed"
      readonly error?: AttemptError | undefined
    },
    OAuth2Error
  >
  /**
   * Sends requests through the worker, which puts the token on them, to the origins that it was given. Bodies travel
   * whole, in both directions. Fails as core's `OAuth2HttpClient` does; an `HttpClientError` has the page's request.
   */
  readonly httpClient: HttpClient.HttpClient.With<OAuth2HttpClient.Failure>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface TokenWorkerService {
  /** As `OAuth2Client.begin`. The pending value is the page's to keep: it holds the verifier, and no token. */
  readonly begin: (options?: BeginOptions) => Effect.Effect<Begun, OAuth2Error>
  /** As `OAuth2Client.complete`: the worker exchanges the code, and keeps what it is given for it. */
  readonly complete: (options: {
    readonly callback: string | URL
    readonly pending: PendingAuthorization
  }) => Effect.Effect<WorkerSession, OAuth2Error>
  /** The session under the key, `"default"` if none is named. */
  readonly session: (sessionKey?: string) => WorkerSession
  /** What happens to sessions, from the subscription on. */
  readonly events: Stream.Stream<WorkerEvent>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class TokenWorker extends Context.Tag("@effect-oauth2/platform-browser/TokenWorker")<
  TokenWorker,
  TokenWorkerService
>() {}

/**
 * Starts the worker, or joins the one that is there, until the scope closes. See `TokenWorkerRunner` for the worker's
 * side.
 *
 * Fails with `ConfigurationError`, field `worker`, when it does not answer within ten seconds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  spawn: () => SharedWorker | Worker
): Effect.Effect<TokenWorkerService, ConfigurationError, Scope.Scope> =>
  Effect.gen(function*() {
    const port = yield* open(spawn)
    const { ask, end } = yield* asking(port)
    const greeted = yield* ask({ _tag: "Hello" }).pipe(
      Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => noWorker }),
      Effect.catchAll((error) => Effect.fail(error._tag === "ConfigurationError" ? error : noWorker))
    )
    yield* onEnd(greeted.channel, end)
    const session = (sessionKey = "default") => sessionOf(ask, sessionKey)
    return {
      begin: ({ parameters, redirectUri, scope, sessionKey } = {}) =>
        Effect.flatMap(Effect.forEach(Parameters.make(parameters ?? {}), clear), (parameters) =>
          Effect.map(
            protocol(ask({
              _tag: "Begin",
              sessionKey,
              redirectUri,
              scope: scope === undefined ? undefined : Scope_.make(scope),
              parameters
            })),
            ({ pending, url }) => ({ url: new URL(url), pending })
          )),
      complete: ({ callback, pending }) =>
        Effect.map(
          protocol(ask({ _tag: "Complete", callback: String(callback), pending })),
          ({ sessionKey }) => session(sessionKey)
        ),
      session,
      events: events(greeted.channel)
    }
  })

/**
 * Starts the worker, or joins the one that is there. Name this layer once.
 *
 * Fails with `ConfigurationError`, field `worker`.
 *
 * @example
 * import { TokenWorker } from "@effect-oauth2/platform-browser"
 * import { Effect } from "effect"
 *
 * // The bundler finds the worker's script by this very form
 * export const TokenWorkerLive = TokenWorker.layer(() =>
 *   new SharedWorker(new URL("./worker.js", import.meta.url), { type: "module", name: "tokens" }))
 *
 * export const profile = Effect.gen(function*() {
 *   const { session } = yield* TokenWorker.TokenWorker
 *   const response = yield* session().httpClient.get("https://api.example.com/profile")
 *   return yield* response.json
 * })
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (spawn: () => SharedWorker | Worker): Layer.Layer<TokenWorker, ConfigurationError> =>
  Layer.scoped(TokenWorker, make(spawn))

const noWorker = new ConfigurationError({
  field: "worker",
  problem: "does not answer. It has to run TokenWorkerRunner.launch, and the page's policy has to allow it (worker-src)"
})

/** The way to the worker, and its end. */
const open = (spawn: () => SharedWorker | Worker): Effect.Effect<Port, ConfigurationError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        const worker = spawn()
        if (!("port" in worker)) return { port: worker, close: () => worker.terminate() }
        worker.port.start()
        return { port: worker.port, close: () => worker.port.close() }
      },
      catch: () => noWorker
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ port }): Port => port))

type AnswerTo<Q extends Question["_tag"]> = Extract<Answer, {
  readonly _tag: {
    readonly Hello: "Greeted"
    readonly Begin: "Begun"
    readonly Complete: "Completed"
    readonly Status: "Known"
    readonly Refresh: "Refreshed"
    readonly SignOut: "SignedOut"
    readonly Execute: "Responded"
  }[Q]
}>

type Ask = <Q extends Question>(
  question: Q
) => Effect.Effect<AnswerTo<Q["_tag"]>, OAuth2Error | typeof HttpFailure.Type>

const encode = Schema.encodeSync(ToWorker)
const decode = Schema.decodeUnknownOption(FromWorker)

const ended: Answer = {
  _tag: "Failed",
  error: new ConfigurationError({ field: "worker", problem: "has ended. Reload the page, or build its layer again" })
}

/** Runs when the worker has ended, as far as the browser has locks to tell it by. */
const onEnd = (name: string, end: () => void): Effect.Effect<unknown, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const controller = new AbortController()
      const { locks } = globalThis.navigator as { readonly locks?: LockManager }
      locks?.request(name, { signal: controller.signal }, end).catch(() => {})
      return controller
    }),
    (controller) => Effect.sync(() => controller.abort())
  )

/** Questions by number; who stops waiting says so. `end`: there is nobody to answer them any more. */
const asking = (port: Port): Effect.Effect<{ readonly ask: Ask; readonly end: () => void }, never, Scope.Scope> => {
  const waiting = new Map<number, (answer: Answer) => void>()
  let last = 0
  let hasEnded = false
  const end = (): void => {
    hasEnded = true
    for (const answered of [...waiting.values()]) answered(ended)
  }
  const hear = ({ data }: MessageEvent): void => {
    const heard = Option.getOrUndefined(decode(data))
    if (heard !== undefined) waiting.get(heard.id)?.(heard.answer)
  }
  const ask: Ask = <Q extends Question>(question: Q) =>
    Effect.async<AnswerTo<Q["_tag"]>, OAuth2Error | typeof HttpFailure.Type>((resume) => {
      const id = ++last
      waiting.set(id, (answer) => {
        waiting.delete(id)
        if (answer._tag === "Failed") return resume(Effect.fail(answer.error))
        if (answer._tag === "Died") {
          return resume(Effect.dieMessage("The token worker failed. Its own console says by what"))
        }
        // Each question has one kind of answer
        resume(Effect.succeed(answer as AnswerTo<Q["_tag"]>))
      })
      if (hasEnded) return waiting.get(id)?.(ended)
      port.postMessage(encode({ id, question }), [])
      return Effect.sync(() => {
        waiting.delete(id)
        port.postMessage(encode({ id }), [])
      })
    })
  return Effect.as(
    Effect.acquireRelease(
      Effect.sync(() => port.addEventListener("message", hear)),
      () => Effect.sync(() => port.removeEventListener("message", hear))
    ),
    { ask, end }
  )
}

const sessionOf = (ask: Ask, sessionKey: string): WorkerSession => ({
  key: sessionKey,
  status: Effect.map(protocol(ask({ _tag: "Status", sessionKey })), ({ status }) => status),
  refresh: Effect.asVoid(protocol(ask({ _tag: "Refresh", sessionKey }))),
  signOut: Effect.map(
    protocol(ask({ _tag: "SignOut", sessionKey })),
    ({ error, revocation }) => ({ revocation, error })
  ),
  httpClient: HttpClient.makeWith(
    (preprocessed: Effect.Effect<HttpClientRequest.HttpClientRequest>) =>
      Effect.flatMap(preprocessed, (request) => execute(ask, sessionKey, request)),
    Effect.succeed
  )
})

type Failure = OAuth2Error | typeof HttpFailure.Type

/** Where no request to an API is made, none fails. */
const protocol = <A>(asked: Effect.Effect<A, Failure>): Effect.Effect<A, OAuth2Error> =>
  Effect.catchTag(asked, "HttpFailure", Effect.die)

/** What is secret has no place in a URL (S17), and so does not leave the page. */
const clear = (
  [name, value]: Parameters.Parameters[number]
): Effect.Effect<readonly [string, string], InputError> =>
  Redacted.isRedacted(value)
    ? new InputError({ field: name, problem: "is a secret, and would stand in the URL. Leave it out" })
    : Effect.succeed([name, value])

/** One request, by way of the worker. */
const execute = (
  ask: Ask,
  sessionKey: string,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientResponse.HttpClientResponse, OAuth2HttpClient.Failure> =>
  Effect.gen(function*() {
    const url = yield* Either.mapLeft(
      UrlParams.makeUrl(request.url, request.urlParams, request.hash),
      () => new InputError({ field: "url", problem: "is no URL" })
    )
    const { body, contentType } = yield* bodyOf(request)
    const headers = Object.entries(request.headers).filter(([name]) => name !== "content-type" || !contentType)
    if (contentType) headers.push(["content-type", contentType])
    const answer = yield* ask({ _tag: "Execute", sessionKey, method: request.method, url: url.href, headers, body })
    const { headers: responseHeaders, status } = answer
    return HttpClientResponse.fromWeb(
      request,
      new Response(answer.body.length === 0 ? null : new Uint8Array(answer.body), {
        status,
        headers: responseHeaders.map(([name, value]): [string, string] => [name, value])
      })
    )
  }).pipe(
    Effect.catchTag("HttpFailure", ({ description, reason }) => new RequestError({ request, reason, description }))
  )

/** The request's body as bytes, with the type that it needs, such as a form's with its boundary. */
const bodyOf = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<
  { readonly body?: Uint8Array | undefined; readonly contentType?: string | undefined },
  InputError | RequestError
> => {
  const { body } = request
  switch (body._tag) {
    case "Empty":
      return Effect.succeed({})
    case "Uint8Array":
      return Effect.succeed({ body: body.body, contentType: body.contentType })
    case "Raw":
      return bytesOf(() => new Response(body.body as BodyInit), body.contentType)
    case "FormData":
      return bytesOf(() => new Response(body.formData), undefined)
    case "Stream":
      return Stream.runFold(body.stream, new Array<Uint8Array>(), (chunks, chunk) => [...chunks, chunk]).pipe(
        Effect.mapError(() => new RequestError({ request, reason: "Encode", description: "The body failed" })),
        Effect.flatMap((chunks) =>
          bytesOf(() => new Response(new Blob(chunks.map((chunk) => new Uint8Array(chunk)))), body.contentType)
        )
      )
  }
}

const bytesOf = (response: () => Response, contentType: string | undefined) =>
  Effect.tryPromise({
    try: async () => {
      const whole = response()
      const body = new Uint8Array(await whole.arrayBuffer())
      return { body, contentType: contentType ?? whole.headers.get("content-type") ?? undefined }
    },
    catch: () => new InputError({ field: "body", problem: "is nothing that can be sent" })
  })

const decodeEvent = Schema.decodeUnknownOption(Event)

const events = (name: string): Stream.Stream<WorkerEvent> =>
  Stream.asyncPush<WorkerEvent>((emit) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const channel = new BroadcastChannel(name)
        channel.addEventListener("message", ({ data }) => {
          const event = Option.getOrUndefined(decodeEvent(data))
          if (event !== undefined) emit.single(event)
        })
        return channel
      }),
      (channel) => Effect.sync(() => channel.close())
    ), { bufferSize: 256, strategy: "sliding" })
