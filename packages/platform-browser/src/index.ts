/**
 * What core needs of a page: `fetch` as a transport that follows no redirect, and WebCrypto.
 *
 * Importing it touches nothing of the page, so that it may be imported while a server renders.
 *
 * @since 0.1.0
 */
export * as BrowserPlatform from "./BrowserPlatform.js"

/**
 * A session whose tokens the page never holds: a worker keeps them, renews them, and makes the page's requests to the
 * API. A script that was injected into the page can use the session while it is there, and cannot take it along.
 *
 * With a `SharedWorker` all tabs of the origin have one session, which lasts as long as one of them is open; with a
 * dedicated `Worker` each tab has its own. Nothing is stored, so a new sign-in, which may be silent, follows when the
 * worker is gone.
 *
 * @since 0.1.0
 */
export * as TokenWorker from "./TokenWorker.js"

/**
 * The worker's side of {@link "TokenWorker"}: it holds the tokens, renews them, and makes the page's requests to the API.
 * Nothing that it sends to a page has a token in it.
 *
 * @since 0.1.0
 */
export * as TokenWorkerRunner from "./TokenWorkerRunner.js"
