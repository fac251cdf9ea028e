/** A page with a token worker. What a test asks of it, it does; what an attacker could ask of it, the test does itself. */
import { PendingAuthorization } from "@effect-oauth2/core/PendingAuthorization"
import * as TokenWorker from "@effect-oauth2/platform-browser/TokenWorker"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

type Kind = "shared" | "dedicated"

const address = `/worker.js${globalThis.location.search}`

interface TrustedTypes {
  readonly createPolicy: (name: string, rules: { readonly createScriptURL: (url: string) => string }) => {
    /** What it returns can be given wherever an address of a script is asked for. */
    readonly createScriptURL: (url: string) => URL
  }
}

/** TypeScript's library does not know them yet. */
declare const trustedTypes: TrustedTypes

const script = trustedTypes.createPolicy("tokens", { createScriptURL: (url) => url }).createScriptURL(address)

const dedicated: Array<Worker> = []
const spawn = (kind: Kind) => () => {
  if (kind === "shared") return new SharedWorker(script, { type: "module", name: "tokens" })
  const worker = new Worker(script, { type: "module" })
  dedicated.push(worker)
  return worker
}

const runtimes = {
  shared: ManagedRuntime.make(TokenWorker.layer(spawn("shared"))),
  dedicated: ManagedRuntime.make(TokenWorker.layer(spawn("dedicated")))
}

/** What came of an effect, as a plain value. */
const run = async <A, E>(kind: Kind, effect: Effect.Effect<A, E, TokenWorker.TokenWorker>) => {
  const exit = await runtimes[kind].runPromiseExit(effect)
  if (Exit.isSuccess(exit)) return { value: exit.value }
  const error = Cause.squash(exit.cause) as {
    readonly _tag?: string
    readonly reason?: string
    readonly message: string
  }
  return { error: { tag: error._tag, reason: error.reason, message: error.message } }
}

const encodePending = Schema.encodeSync(PendingAuthorization)
const decodePending = Schema.decodeSync(PendingAuthorization)
const heard: Array<TokenWorker.WorkerEvent> = []

const page = {
  begin: (kind: Kind) =>
    run(
      kind,
      Effect.flatMap(TokenWorker.TokenWorker, ({ begin }) =>
        Effect.map(begin({ sessionKey: "user", parameters: { login_hint: "ada" } }), ({ pending, url }) => ({
          url: url.href,
          pending: encodePending(pending)
        })))
    ),
  beginWithSecret: (kind: Kind) =>
    run(
      kind,
      Effect.flatMap(TokenWorker.TokenWorker, ({ begin }) =>
        Effect.map(begin({ parameters: { hint: Redacted.make("hush") } }), ({ url }) => url.href))
    ),
  complete: (kind: Kind, callback: string, pending: typeof PendingAuthorization.Encoded) =>
    run(
      kind,
      Effect.flatMap(TokenWorker.TokenWorker, ({ complete }) =>
        Effect.map(complete({ callback, pending: decodePending(pending) }), ({ key }) => key))
    ),
  status: (kind: Kind) => run(kind, Effect.flatMap(TokenWorker.TokenWorker, ({ session }) => session("user").status)),
  refresh: (kind: Kind) => run(kind, Effect.flatMap(TokenWorker.TokenWorker, ({ session }) => session("user").refresh)),
  signOut: (kind: Kind) =>
    run(
      kind,
      Effect.flatMap(TokenWorker.TokenWorker, ({ session }) =>
        Effect.map(session("user").signOut, ({ revocation }) => revocation))
    ),
  get: (kind: Kind, url: string, headers: Record<string, string> = {}) =>
    run(
      kind,
      Effect.flatMap(TokenWorker.TokenWorker, ({ session }) =>
        Effect.flatMap(session("user").httpClient.get(url, { headers }), (response) =>
          Effect.map(response.text, (text) => ({ status: response.status, text }))))
    ),
  many: (kind: Kind, url: string, times: number) =>
    run(
      kind,
      Effect.flatMap(TokenWorker.TokenWorker, ({ session }) =>
        Effect.forEach(
          Array.from({ length: times }),
          () => Effect.map(session("user").httpClient.get(url), ({ status }) => status),
          { concurrency: "unbounded" }
        ))
    ),
  post: (kind: Kind, url: string) =>
    run(
      kind,
      Effect.flatMap(TokenWorker.TokenWorker, ({ session }) =>
        Effect.gen(function*() {
          const { httpClient } = session("user")
          const form = new FormData()
          form.set("name", "ada")
          const bodies = [
            HttpClientRequest.post(url).pipe(HttpClientRequest.bodyText("text")),
            yield* HttpClientRequest.post(url).pipe(HttpClientRequest.bodyJson({ a: 1 })),
            HttpClientRequest.post(url).pipe(HttpClientRequest.bodyFormData(form)),
            HttpClientRequest.post(url).pipe(
              HttpClientRequest.bodyStream(Stream.make(new TextEncoder().encode("a"), new TextEncoder().encode("b")))
            )
          ]
          return yield* Effect.forEach(
            bodies,
            (request) => Effect.flatMap(httpClient.execute(request), (response) => response.json)
          )
        }))
    ),
  interrupted: (kind: Kind, url: string) =>
    run(
      kind,
      Effect.flatMap(TokenWorker.TokenWorker, ({ session }) =>
        Effect.timeoutOption(session("user").httpClient.get(url), "200 millis"))
    ),
  listen: (kind: Kind) =>
    void runtimes[kind].runFork(
      Effect.flatMap(TokenWorker.TokenWorker, ({ events }) =>
        Stream.runForEach(events, (event) => Effect.sync(() => heard.push(event))))
    ),
  heard,
  /** The worker of this page ends, as when it crashes. */
  terminate: () => dedicated.forEach((worker) => worker.terminate()),
  /** What the worker answers to something that it does not know. */
  askOfTheFuture: () =>
    new Promise<unknown>((resolve) => {
      const { port } = new SharedWorker(script, { type: "module", name: "tokens" })
      port.onmessage = ({ data }: MessageEvent<{ readonly id?: number }>) => {
        if (data.id === 7) resolve(data)
      }
      port.postMessage({ id: 7, question: { _tag: "OfTheFuture" } })
    }),
  missing: async () => {
    const exit = await Effect.runPromiseExit(
      Effect.scoped(TokenWorker.make(() => new Worker("/nowhere.js", { type: "module" })))
    )
    return Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "there"
  }
}

Object.assign(globalThis, { page })
export type Page = typeof page
