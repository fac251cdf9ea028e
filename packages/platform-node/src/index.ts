/**
 * The user's browser, which is where users sign in (RFC 8252 §4): it has their sessions and password managers, and what
 * they type there is out of this program's reach.
 *
 * @since 0.1.0
 */
export * as Browser from "./Browser.js"

/**
 * Sessions and sign-ins in one private directory, as one layer for the whole program.
 *
 * @since 0.1.0
 */
export * as FileCustody from "./FileCustody.js"

/**
 * Sign-ins under way, in files of this user's own: begun by one process, completed by another, and each used up once.
 *
 * What has expired is deleted ten minutes later, as others come.
 *
 * @since 0.1.0
 */
export * as FilePendingAuthorizations from "./FilePendingAuthorizations.js"

/**
 * Sessions in files of this user's own, for all processes of one machine: two terminals do not log each other out.
 *
 * The directory has mode 0700 and its files 0600. Whatever is a link, belongs to another user or is open to others is
 * refused. What is in the files is in clear: `EncryptedStore` encrypts it, with a key from `Keyring` where the machine
 * has one.
 *
 * Each change is a new file, on the disk before it counts, so that a process may be killed at any moment: the record is
 * the one before or the one after, and nobody is kept from going on. The directory has to be on a local disk.
 *
 * @since 0.1.0
 */
export * as FileTokenStore from "./FileTokenStore.js"

/**
 * A key for `EncryptedStore` in the operating system's keyring: Keychain on macOS, Credential Manager on Windows, Secret
 * Service (GNOME Keyring, KWallet) on Linux.
 *
 * It needs the package `@napi-rs/keyring`, which is an optional peer dependency and is loaded when a key is asked for.
 * On Linux the kernel's own keyring, which forgets everything when the machine stops, is never used in place of the
 * Secret Service.
 *
 * @since 0.1.0
 */
export * as Keyring from "./Keyring.js"

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
