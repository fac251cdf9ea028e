/**
 * Where a page keeps its sessions and its sign-ins under way, as one layer. Name it once and provide that one value.
 *
 * | layer | who shares a session | what outlives a reload | a script in the page |
 * | --- | --- | --- | --- |
 * | `layerMemory` | nobody | nothing | has to be there while the token is used |
 * | `layerSessionStorage` | nobody | the session | can read the tokens |
 * | `layerSplit` | nobody | the refresh token | can read the refresh token |
 * | `layerIndexedDb` | all tabs | the session, also a restart | can use the key, and so read the tokens |
 *
 * @since 0.1.0
 */
export * as BrowserCustody from "./BrowserCustody.js"

/**
 * What core needs of a page: `fetch` as a transport that follows no redirect, and WebCrypto.
 *
 * Importing it touches nothing of the page, so that it may be imported while a server renders.
 *
 * @since 0.1.0
 */
export * as BrowserPlatform from "./BrowserPlatform.js"

/**
 * Sessions in IndexedDB, for all tabs of the origin, encrypted under a key that no script can read.
 *
 * Every script of the origin can use the key, though, and the browser keeps it in its own files, Chromium in clear:
 * encryption keeps the tokens from whatever collects what lies in a page's storage, and neither from a script that was
 * injected for this page nor from a copy of the browser's files. For the first see `TokenWorker`.
 *
 * @since 0.1.0
 */
export * as IndexedDbTokenStore from "./IndexedDbTokenStore.js"

/**
 * Signing in in a window of its own, while the page stays as it is. The page that the server sends back to runs
 * `SignInCallback.answer`.
 *
 * @since 0.1.0
 */
export * as PopupSignIn from "./PopupSignIn.js"

/**
 * Signing in by sending the page itself to the authorization server. The page that it comes back to runs
 * `SignInCallback.answer`.
 *
 * @since 0.1.0
 */
export * as RedirectSignIn from "./RedirectSignIn.js"

/**
 * Where a page may go after a sign-in: to a path of its own origin and nowhere else, whoever wrote it.
 *
 * @since 0.1.0
 */
export * as ReturnTo from "./ReturnTo.js"

/**
 * Sign-ins under way, in this tab's `sessionStorage`: they outlive the way to the authorization server and back. No other
 * tab has them, save for a copy of this one. What has expired is forgotten ten minutes later, as others come.
 *
 * @since 0.1.0
 */
export * as SessionStoragePendingAuthorizations from "./SessionStoragePendingAuthorizations.js"

/**
 * Sessions of one tab, which outlive its reloads: in `sessionStorage`.
 *
 * A tab that was duplicated, or opened by a script, begins with a copy of its opener's storage. A refresh token must not
 * be used from two places, so each has an owner: a tab holds a Web Lock for as long as it lives, and one that finds the
 * lock of its storage taken is a copy, which forgets its sessions and starts signed out. A page that holds a lock is not
 * kept in the back-forward cache.
 *
 * A frame shares the storage of the tab's page, if both are of one origin, as in a silent sign-in. It leaves to the page
 * what is the page's, and keeps sessions of its own in memory.
 *
 * Where there are no Web Locks a page is taken for a copy unless it was reloaded, or reached by the back or forward button.
 *
 * Every script of the page can read what is stored.
 *
 * @since 0.1.0
 */
export * as SessionStorageTokenStore from "./SessionStorageTokenStore.js"

/**
 * The page that the authorization server sends the user back to, for all flows: it takes the code out of the address bar,
 * and hands it to whoever began.
 *
 * @since 0.1.0
 */
export * as SignInCallback from "./SignInCallback.js"

/**
 * Who begins and completes a sign-in: core's `OAuth2Client`, under whichever tag, or a `TokenWorker`.
 *
 * @since 0.1.0
 */
export * as SignInClient from "./SignInClient.js"

/**
 * What can go wrong between a page and its user's way to the authorization server and back.
 *
 * @since 0.1.0
 */
export * as SignInError from "./SignInError.js"

/**
 * Signing out at the authorization server too, by redirect (OpenID Connect RP-Initiated Logout 1.0). To end a session here
 * and revoke its token, `OAuth2Session.signOut` is enough.
 *
 * @since 0.1.0
 */
export * as SignOut from "./SignOut.js"

/**
 * Signing in without a word to the user, in a hidden frame, where the server knows them already (OpenID Connect
 * `prompt=none`). The page that the server sends back to runs `SignInCallback.answer`.
 *
 * It needs the server's cookie in a frame: where the server is of another site than the page, browsers that block
 * third-party cookies make every answer `login_required`.
 *
 * @since 0.1.0
 */
export * as SilentSignIn from "./SilentSignIn.js"

/**
 * The access token in the memory of this page alone, and in the store below no more than is needed to renew: the refresh
 * token. After a reload a session is renewed at its first use: a reload in the middle of that leaves the renewal in doubt.
 *
 * The store below has to be this tab's own. Over one that tabs share, what another tab renewed would bring no access token
 * here, and every renewal would ask for the next.
 *
 * @since 0.1.0
 */
export * as SplitTokenStore from "./SplitTokenStore.js"

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
export * as TokenWorker from "./TokenWorker.js"

/**
 * The worker's side of {@link "TokenWorker"}: it holds the tokens, renews them, and makes the page's requests to the API.
 * Nothing that it says to a page has a token in it; what an API answers is the API's.
 *
 * @since 0.1.0
 */
export * as TokenWorkerRunner from "./TokenWorkerRunner.js"

/**
 * Sessions of the origin in `localStorage`, in clear. What that gives up: every script that ever runs in the origin, in any
 * tab and at any time, can read the tokens and take them along, and they stay on the disk until somebody signs out.
 * `IndexedDbTokenStore` is shared by the same tabs, and encrypted.
 *
 * @since 0.1.0
 */
export * as UnsafeLocalStorageTokenStore from "./UnsafeLocalStorageTokenStore.js"

/**
 * The page wakes up: it is seen again, it is online again, or the browser has kept it and brings it back. Timers slept
 * meanwhile, and clocks did not.
 *
 * @since 0.1.0
 */
export * as Wake from "./Wake.js"

/**
 * The lease on a session's renewal as a Web Lock, which all tabs and workers of the origin share and which ends with its
 * holder. A holder that was frozen is robbed when its time is up.
 *
 * Two locks are held: that of the session, and one whose name tells until when, so that everybody can see how long there
 * is to wait.
 *
 * @since 0.1.0
 */
export * as WebLocksLease from "./WebLocksLease.js"
