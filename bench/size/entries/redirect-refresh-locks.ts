/**
 * A page of an origin with many tabs: sign-in by redirect, a session that all tabs share, and one renewal for all of them
 * by Web Locks.
 */
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import { OAuth2HttpClient } from "@effect-oauth2/core/OAuth2HttpClient"
import * as BrowserCustody from "@effect-oauth2/platform-browser/BrowserCustody"
import * as BrowserPlatform from "@effect-oauth2/platform-browser/BrowserPlatform"
import * as RedirectSignIn from "@effect-oauth2/platform-browser/RedirectSignIn"
import * as SignInCallback from "@effect-oauth2/platform-browser/SignInCallback"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"

const layer = OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] }).pipe(
  Layer.provideMerge(OAuth2Client.layerSession()),
  Layer.provideMerge(OAuth2Client.layer({
    clientId: "page",
    authorizationEndpoint: "https://as.example.com/authorize",
    tokenEndpoint: "https://as.example.com/token",
    redirectUri: "https://app.example.com/callback",
    scope: "profile"
  })),
  Layer.provideMerge(BrowserCustody.layerIndexedDb()),
  Layer.provide(BrowserPlatform.layer)
)

const runtime = ManagedRuntime.make(layer)

export const signIn = () => runtime.runPromise(Effect.flatMap(OAuth2Client.OAuth2Client, RedirectSignIn.start))

export const callback = () => runtime.runPromise(Effect.flatMap(OAuth2Client.OAuth2Client, SignInCallback.answer))

export const me = () =>
  runtime.runPromise(
    OAuth2HttpClient.pipe(
      Effect.flatMap((http) => http.get("https://api.example.com/me")),
      Effect.flatMap((response) => response.json)
    )
  )
