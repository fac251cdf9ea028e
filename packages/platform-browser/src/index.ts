/**
 * What core needs of a page: `fetch` as a transport that follows no redirect, and WebCrypto.
 *
 * Importing it touches nothing of the page, so that it may be imported while a server renders.
 *
 * @since 0.1.0
 */
export * as BrowserPlatform from "./BrowserPlatform.js"
