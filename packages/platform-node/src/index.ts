/**
 * The user's browser, which is where users sign in (RFC 8252 §4): it has their sessions and password managers, and what
 * they type there is out of this program's reach.
 *
 * @since 0.1.0
 */
export * as Browser from "./Browser.js"

/**
 * What can go wrong between a program on the user's machine and the user's browser.
 *
 * @since 0.1.0
 */
export * as LoopbackError from "./LoopbackError.js"

/**
 * Signing a user in from a program on their own machine: the browser is sent back to a port of the loopback interface,
 * which is open for just as long as that takes (RFC 8252 §7.3).
 *
 * @since 0.1.0
 */
export * as LoopbackRedirect from "./LoopbackRedirect.js"

/**
 * Randomness and digests by node:crypto, in the place of WebCrypto: the same results, without a turn of the event loop
 * for each digest.
 *
 * @since 0.1.0
 */
export * as NodeCrypto from "./NodeCrypto.js"

/**
 * `HttpClient` for what `fetch` has no options for: private certificate authorities, client certificates (mutual TLS,
 * RFC 8705), proxies, and time limits of its own.
 *
 * It checks every certificate, follows no redirect, and asks for no compression. No option turns that off, and neither
 * does an environment variable: `HTTPS_PROXY` and `NODE_TLS_REJECT_UNAUTHORIZED` are not looked at.
 *
 * @since 0.1.0
 */
export * as NodeTransport from "./NodeTransport.js"
