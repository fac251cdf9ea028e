/**
 * Signing a user in from a program on their own machine: the browser is sent back to a port of the loopback interface,
 * which is open for just as long as that takes (RFC 8252 §7.3).
 *
 * @since 0.1.0
 */
import { OAuth2Client, type OAuth2ClientService } from "@effect-oauth2/core/OAuth2Client"
import { ConfigurationError, type OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import type { OAuth2Session } from "@effect-oauth2/core/OAuth2Session"
import type * as Parameters from "@effect-oauth2/core/Parameters"
import type * as OAuth2Scope from "@effect-oauth2/core/Scope"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Browser } from "./Browser.js"
import * as LoopbackServer from "./internal/loopbackServer.js"
import type { Page } from "./internal/page.js"
import * as PageOf from "./internal/page.js"
import { LoopbackError } from "./LoopbackError.js"

export type {
  /**
   * What the user sees at the end, in plain text: it is escaped.
   *
   * @since 0.1.0
   * @category models
   */
  Page
} from "./internal/page.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Where to listen: a literal, since a name may be resolved to something else. Default: `127.0.0.1`. */
  readonly host?: "127.0.0.1" | "::1" | undefined
  /** For servers that insist on one. Default: any port that is free, which servers have to allow (RFC 8252 §7.3). */
  readonly port?: number | undefined
  /** Default: `/callback`. */
  readonly path?: string | undefined
  /** For a user who comes back with a code. What becomes of that is not known yet. */
  readonly page?: Page | undefined
  /** For a user who comes back with an error. */
  readonly errorPage?: Page | undefined
}

/**
 * A listener that waits for one callback.
 *
 * @since 0.1.0
 * @category models
 */
export interface LoopbackRedirect {
  /** Where it listens, as the redirect URI of the sign-in. */
  readonly redirectUri: string
  /**
   * From now on the callback with this state is let in, once; the effect within waits for it, and for the answer to
   * have left. Everything else is answered with 404 and changes nothing.
   */
  readonly expect: (state: string) => Effect.Effect<Effect.Effect<URL>>
}

/**
 * Opens the listener. It closes with the scope, with whatever connections are left.
 *
 * Fails with `ConfigurationError` (`port`, `path`), and `LoopbackError`: `PortInUse`, `CannotListen`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const listen = (
  options: Options = {}
): Effect.Effect<LoopbackRedirect, ConfigurationError | LoopbackError, Scope.Scope> => {
  const { errorPage = defaultErrorPage, host = "127.0.0.1", page = defaultPage, path = "/callback", port = 0 } = options
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    return new ConfigurationError({ field: "port", problem: "is not between 0 and 65535" })
  }
  if (!/^\/(?!\/)[A-Za-z0-9\-._~/]*$/.test(path) || new URL(path, "http://127.0.0.1").pathname !== path) {
    return new ConfigurationError({ field: "path", problem: "is not a plain path. Write it as /callback" })
  }
  const done = PageOf.found(page, "done")
  const failed = PageOf.found(errorPage, "failed")
  return LoopbackServer.open({ host, port, path, pageFor: (query) => query.has("error") ? failed : done })
}

/**
 * @since 0.1.0
 * @category models
 */
export interface LoginOptions extends Options {
  /** The session to authorize. Default: `"default"`, which is also that of `client.session()`. */
  readonly sessionKey?: string | undefined
  /** Instead of the client's. */
  readonly scope?: OAuth2Scope.ScopeInput | undefined
  /** Beside the client's, such as `prompt` or `login_hint`. */
  readonly parameters?: Parameters.ParametersInput | undefined
  /** How long the user may take. Default: 5 minutes. The client's `signInTimeout` holds beside it. */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * Signs a user in: opens a listener, sends the user's browser to the authorization server, waits for it to come back,
 * and exchanges the code. The listener is closed before the exchange, and in every case: failure, time-out, and
 * interruption.
 *
 * Fails with `LoopbackError` when the user cannot be sent out or does not come back in time, and as
 * `OAuth2Client.begin` and `OAuth2Client.complete` do.
 *
 * @example
 * import { OAuth2Client } from "@effect-oauth2/core"
 * import { LoopbackRedirect } from "@effect-oauth2/platform-node"
 * import { Effect } from "effect"
 *
 * class GitHub extends OAuth2Client.Tag<GitHub>()("github") {}
 *
 * export const program = Effect.gen(function*() {
 *   const session = yield* LoopbackRedirect.login(yield* GitHub, { scope: "read:user", timeout: "2 minutes" })
 *   return yield* session.accessToken
 * })
 *
 * @since 0.1.0
 * @category combinators
 */
export const login = (
  client: OAuth2ClientService,
  { parameters, scope, sessionKey = "default", timeout = Duration.minutes(5), ...options }: LoginOptions = {}
): Effect.Effect<OAuth2Session, OAuth2Error | LoopbackError, Browser> =>
  Effect.gen(function*() {
    const browser = yield* Browser
    const { redirectUri, expect } = yield* listen(options)
    const { pending, url } = yield* client.begin({ redirectUri, sessionKey, scope, parameters })
    const arrival = yield* expect(pending.state)
    const callback = yield* Effect.zipRight(browser.open(url), arrival).pipe(
      Effect.timeoutFail({ duration: timeout, onTimeout: () => new LoopbackError({ reason: "Timeout" }) })
    )
    return { callback, pending }
  }).pipe(Effect.scoped, Effect.flatMap(client.complete))

/**
 * {@link login} with the client of a program that has one provider.
 *
 * @since 0.1.0
 * @category combinators
 */
export const loginDefault = (
  options?: LoginOptions
): Effect.Effect<OAuth2Session, OAuth2Error | LoopbackError, OAuth2Client | Browser> =>
  Effect.flatMap(OAuth2Client, (client) => login(client, options))

const defaultPage: Page = {
  title: "Back to the program",
  text: "The sign-in goes on there. You can close this window."
}

const defaultErrorPage: Page = {
  title: "Not signed in",
  text: "The server did not complete the sign-in. You can close this window; the program says more."
}
