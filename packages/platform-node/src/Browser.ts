/**
 * The user's browser, which is where users sign in (RFC 8252 §4): it has their sessions and password managers, and what
 * they type there is out of this program's reach.
 *
 * @since 0.1.0
 */
import { isLoopback } from "@effect-oauth2/core/Endpoint"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LoopbackError } from "./LoopbackError.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface BrowserService {
  /**
   * Brings the URL before the user. Returns as soon as that is under way.
   *
   * Fails with `LoopbackError`: `UrlRefused` before anything runs, `BrowserNotOpened`.
   */
  readonly open: (url: URL) => Effect.Effect<void, LoopbackError>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Browser extends Context.Tag("@effect-oauth2/platform-node/Browser")<Browser, BrowserService>() {}

/**
 * A browser that is launched in a way of one's own. It is given https URLs and http URLs on loopback, and no other, and
 * none with a quote, a dollar sign, a parenthesis or anything else that a shell would read.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (launch: (url: URL) => Effect.Effect<void, LoopbackError>): BrowserService => ({
  open: (url) => isFit(url) ? launch(url) : new LoopbackError({ reason: "UrlRefused" })
})

/**
 * The user's default browser. No shell is run by this package.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Browser> = Layer.sync(Browser, () => make(launchDefault))

/**
 * No browser: the URL is printed, and the user opens it. For machines without a screen, and for tests.
 *
 * The listener of a loopback redirect is on this machine, so that the user's browser has to be as well, or reach it
 * through a forwarded port.
 *
 * @example
 * import { Browser } from "@effect-oauth2/platform-node"
 * import { Console } from "effect"
 *
 * export const BrowserLive = Browser.layerPrint((url) => Console.error(`Open ${url} to sign in`))
 *
 * @since 0.1.0
 * @category layers
 */
export const layerPrint = (
  print: (url: URL) => Effect.Effect<void> = (url) => Console.log(`Open this address to sign in: ${url.href}`)
): Layer.Layer<Browser> => Layer.sync(Browser, () => make(print))

/**
 * The URL is printed, and then opened where a browser can be opened: where none appears, the user has the URL.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerPrintAndOpen = (print: (url: URL) => Effect.Effect<void>): Layer.Layer<Browser> =>
  Layer.sync(Browser, () => make((url) => Effect.zipRight(print(url), Effect.ignore(launchDefault(url)))))

/**
 * Brings the URL before the user. See {@link BrowserService.open}.
 *
 * @since 0.1.0
 * @category combinators
 */
export const openBrowser = (url: URL): Effect.Effect<void, LoopbackError, Browser> =>
  Effect.flatMap(Browser, (browser) => browser.open(url))

/** RFC 3986's characters without those that a shell would read; the scheme is looked at apart. */
const fitCharacters = /^[A-Za-z0-9\-._~:/?#[\]@!&*+,;=%]+$/

const isFit = (url: URL): boolean =>
  (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname))) &&
  url.username === "" && url.password === "" && fitCharacters.test(url.href)

/** The package is read when it is needed, and not before: most programs sign in once in a long while. */
const launchDefault = (url: URL): Effect.Effect<void, LoopbackError> =>
  Effect.tryPromise({
    try: () => import("open").then(({ default: open }) => open(url.href)),
    catch: () => new LoopbackError({ reason: "BrowserNotOpened" })
  })
