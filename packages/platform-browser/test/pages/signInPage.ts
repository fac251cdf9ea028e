/** A page that signs in in every way. Under `/callback` it answers at once. What it needs to know is in its storage. */
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import * as BrowserCustody from "@effect-oauth2/platform-browser/BrowserCustody"
import * as BrowserPlatform from "@effect-oauth2/platform-browser/BrowserPlatform"
import * as PopupSignIn from "@effect-oauth2/platform-browser/PopupSignIn"
import * as RedirectSignIn from "@effect-oauth2/platform-browser/RedirectSignIn"
import * as SignInCallback from "@effect-oauth2/platform-browser/SignInCallback"
import * as SignOut from "@effect-oauth2/platform-browser/SignOut"
import * as SilentSignIn from "@effect-oauth2/platform-browser/SilentSignIn"
import * as Wake from "@effect-oauth2/platform-browser/Wake"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"

const { issuer, redirectUri } = JSON.parse(localStorage.getItem("settings") ?? "{}") as {
  readonly issuer: string
  readonly redirectUri: string
}

const ClientLive = OAuth2Client.layer({
  clientId: "page",
  issuer,
  authorizationEndpoint: `${issuer}/auth`,
  tokenEndpoint: `${issuer}/token`,
  revocationEndpoint: `${issuer}/token/revocation`,
  redirectUri,
  scope: "openid read",
  allowInsecureLoopback: true
}).pipe(Layer.provideMerge(BrowserCustody.layerSessionStorage), Layer.provide(BrowserPlatform.layer))

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
  signOut: (endSessionEndpoint: string, postLogoutRedirectUri: string) =>
    run(Effect.flatMap(client, (client) =>
      SignOut.byRedirect(client.session(), {
        endSessionEndpoint,
        postLogoutRedirectUri,
        clientId: "page",
        allowInsecureLoopback: true
      }))),
  keepFresh: () => run(Effect.flatMap(client, (client) => Wake.keepFresh(client.session()))),
  answered: undefined as ReturnType<typeof answer> | undefined
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

if (location.pathname.endsWith("callback")) page.answered = answer()

Object.assign(globalThis, { page })
export type Page = typeof page
