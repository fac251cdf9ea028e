/**
 * A page that signs in in every way, keeps its session wherever it is told to, and calls an API with it. Under `/callback`
 * it answers at once. What it needs to know is in its storage.
 */
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import type { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import type { PendingAuthorizations } from "@effect-oauth2/core/PendingAuthorizations"
import type * as RefreshPolicy from "@effect-oauth2/core/RefreshPolicy"
import type { TokenStore } from "@effect-oauth2/core/TokenStore"
import * as BrowserCustody from "@effect-oauth2/platform-browser/BrowserCustody"
import * as BrowserPlatform from "@effect-oauth2/platform-browser/BrowserPlatform"
import * as PopupSignIn from "@effect-oauth2/platform-browser/PopupSignIn"
import * as RedirectSignIn from "@effect-oauth2/platform-browser/RedirectSignIn"
import * as SessionStoragePendingAuthorizations from "@effect-oauth2/platform-browser/SessionStoragePendingAuthorizations"
import * as SignInCallback from "@effect-oauth2/platform-browser/SignInCallback"
import * as SignOut from "@effect-oauth2/platform-browser/SignOut"
import * as SilentSignIn from "@effect-oauth2/platform-browser/SilentSignIn"
import * as UnsafeLocalStorageTokenStore from "@effect-oauth2/platform-browser/UnsafeLocalStorageTokenStore"
import * as Wake from "@effect-oauth2/platform-browser/Wake"
import * as WebLocksLease from "@effect-oauth2/platform-browser/WebLocksLease"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** What a page is told. */
export interface Settings {
  readonly issuer: string
  readonly redirectUri: string
  /** The origin that it calls. */
  readonly api: string
  readonly custody: keyof typeof custodies
  /** In milliseconds. Default: as for every program. */
  readonly requestDeadline?: number | undefined
  /** Times are numbers of milliseconds. Default: as for every program. */
  readonly refreshPolicy?:
    | Pick<RefreshPolicy.Options, "rotation" | "persistDeadline" | "hold" | "earlyFraction">
    | undefined
}

const custodies = {
  memory: BrowserCustody.layerMemory,
  sessionStorage: BrowserCustody.layerSessionStorage,
  split: BrowserCustody.layerSplit,
  IndexedDB: BrowserCustody.layerIndexedDb(),
  localStorage: Layer.mergeAll(
    UnsafeLocalStorageTokenStore.layer,
    SessionStoragePendingAuthorizations.layer,
    WebLocksLease.layer
  )
} satisfies Record<string, Layer.Layer<TokenStore | PendingAuthorizations, ConfigurationError>>

const settings = JSON.parse(localStorage.getItem("settings") ?? "{}") as Settings
const CustodyLive: Layer.Layer<TokenStore | PendingAuthorizations, ConfigurationError> = custodies[settings.custody]

const ClientLive = OAuth2Client.layerHttpClient({ origins: [settings.api] }).pipe(
  Layer.provideMerge(OAuth2Client.layer({
    clientId: "page",
    issuer: settings.issuer,
    authorizationEndpoint: `${settings.issuer}/auth`,
    tokenEndpoint: `${settings.issuer}/token`,
    revocationEndpoint: `${settings.issuer}/token/revocation`,
    redirectUri: settings.redirectUri,
    scope: "openid read",
    requestDeadline: settings.requestDeadline,
    refreshPolicy: settings.refreshPolicy,
    allowInsecureLoopback: true
  })),
  Layer.provideMerge(CustodyLive),
  Layer.provide(BrowserPlatform.layer)
)

const runtime = ManagedRuntime.make(ClientLive)

/** What came of an effect, as a plain value. */
const run = async <A>(
  effect: Effect.Effect<A, unknown, ManagedRuntime.ManagedRuntime.Context<typeof runtime>>
): Promise<{ readonly value: A } | { readonly error: ReadonlyArray<string | undefined> }> => {
  const exit = await runtime.runPromiseExit(effect)
  if (Exit.isSuccess(exit)) return { value: exit.value }
  if (Cause.isInterruptedOnly(exit.cause)) return { error: ["interrupted"] }
  const error = Cause.squash(exit.cause) as { _tag?: string; reason?: string; code?: string; message: string }
  return { error: [error._tag, error.reason ?? error.code ?? error.message] }
}

const client = OAuth2Client.OAuth2Client
const keyOf = Effect.map(({ key }: { readonly key: string }) => key)

const fibers: Array<Fiber.RuntimeFiber<unknown, unknown>> = []

const page = {
  redirect: (options?: RedirectSignIn.Options) =>
    run(Effect.flatMap(client, (client) => RedirectSignIn.start(client, options))),
  /** As in a click: the window is there when this returns. */
  popup: (options?: PopupSignIn.Options) => {
    const fiber = runtime.runFork(Effect.flatMap(client, (client) => keyOf(PopupSignIn.signIn(client, options))))
    fibers.push(fiber)
    return run(Effect.flatten(Fiber.await(fiber)))
  },
  interrupt: () => run(Fiber.interruptAll(fibers)),
  silent: (options?: SilentSignIn.Options) =>
    run(Effect.flatMap(client, (client) => keyOf(SilentSignIn.signIn(client, options)))),
  isAuthorized: (key?: string) => run(Effect.flatMap(client, (client) => client.session(key).isAuthorized)),
  isExpiringWithin: (millis: number) =>
    run(
      Effect.flatMap(client, (client) =>
        Effect.map(client.session().token, ({ expiresAt = Infinity }) => expiresAt - Date.now() < millis))
    ),
  refresh: () => run(Effect.flatMap(client, (client) => Effect.asVoid(client.session().refresh))),
  signOut: () =>
    run(Effect.flatMap(client, (client) => Effect.map(client.session().signOut, ({ revocation }) => revocation))),
  signOutByRedirect: (endSessionEndpoint: string, postLogoutRedirectUri: string) =>
    run(Effect.flatMap(client, (client) =>
      SignOut.byRedirect(client.session(), {
        endSessionEndpoint,
        postLogoutRedirectUri,
        clientId: "page",
        allowInsecureLoopback: true
      }))),
  /** So many calls of the API at once: the statuses, and the names of what went wrong. */
  call: (times: number): Promise<ReadonlyArray<string>> =>
    runtime.runPromise(
      Effect.gen(function*() {
        const http = yield* OAuth2Client.httpClientFor((yield* client).session())
        const call = Effect.flatMap(http.get(`${settings.api}/call`), (response) =>
          Effect.as(response.text, String(response.status)))
        const named = Effect.catchAll(call, (error) =>
          Effect.succeed("reason" in error ? `${error._tag} ${error.reason}` : error._tag))
        return yield* Effect.forEach(Array.from({ length: times }), () =>
          named, { concurrency: "unbounded" })
      })
    ),
  /** What happened to the session, by the names of the events. */
  events: new Array<string>(),
  keepFresh: () => run(Effect.flatMap(client, (client) => Wake.keepFresh(client.session()))),
  answered: undefined as ReturnType<typeof answer> | undefined,
  /** Once more in the same document, as where a page is drawn twice. */
  answerAgain: () => answer()
}

const answer = () =>
  run(
    Effect.flatMap(client, (client) =>
      Effect.map(SignInCallback.answer(client), (answered) =>
        Option.match(answered, {
          onNone: () => "none",
          onSome: (answered) => answered._tag === "Completed" ? `${answered._tag} ${answered.returnTo}` : answered._tag
        })))
  )

runtime.runFork(
  Effect.flatMap(
    client,
    ({ events }) => Stream.runForEach(events, ({ _tag }) => Effect.sync(() => page.events.push(_tag)))
  )
)
if (location.pathname.endsWith("callback")) page.answered = answer()

Object.assign(globalThis, { page })
export type Page = typeof page
