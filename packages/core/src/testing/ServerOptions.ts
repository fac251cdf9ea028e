/**
 * How the authorization server in memory is set up, and what of it can be changed while it runs.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"

/**
 * What happens to a refresh token that is redeemed.
 *
 * - `none`: it stays, and the answer has no other.
 * - `strict`: it is replaced. Whoever presents it again ends its whole family (RFC 9700 §4.14.2).
 * - `grace`: it is replaced, but may be presented again for that long, which replaces its successor in turn. After
 *   that it is as with `strict`.
 *
 * @since 0.1.0
 * @category models
 */
export type Rotation = "none" | "strict" | { readonly grace: Duration.DurationInput }

/**
 * A client that the server knows.
 *
 * @since 0.1.0
 * @category models
 */
export interface RegisteredClient {
  readonly id: string
  readonly secret?: string | Redacted.Redacted<string> | undefined
  /** The one method that is accepted. Default: `client_secret_basic` with a secret, `none` without. */
  readonly authentication?: "none" | "client_secret_basic" | "client_secret_post" | undefined
  /** Compared as text, but for the port of a loopback address (RFC 8252 §7.3). Default: none. */
  readonly redirectUris?: ReadonlyArray<string> | undefined
  /** The grant types that it may use. Default: all; `client_credentials` only with a secret. */
  readonly grants?: ReadonlyArray<string> | undefined
}

/**
 * What the user says to an authorization: who they are, and perhaps less than was asked for; or no.
 *
 * @since 0.1.0
 * @category models
 */
export type Approval =
  | { readonly subject: string; readonly scope?: ReadonlyArray<string> | undefined }
  | { readonly error: string; readonly description?: string | undefined }

/**
 * A grant that the server does not know by itself. It gets the form's parameters, and answers with the subject and
 * what is granted, or with an OAuth error.
 *
 * @since 0.1.0
 * @category models
 */
export type ExtensionGrant = (parameters: URLSearchParams) =>
  | {
    readonly subject: string
    readonly scope?: ReadonlyArray<string> | undefined
    readonly refreshToken?: boolean | undefined
  }
  | { readonly error: string; readonly description?: string | undefined }

/**
 * What can be changed while the server runs.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  /** Default: 1 hour. An infinite one is not announced. */
  readonly accessTokenLifetime: Duration.DurationInput
  /** Whether token responses have `expires_in`. Default: `true`. */
  readonly sendExpiresIn: boolean
  /** Whether refresh tokens are issued, for the grants that have them. Default: `true`. */
  readonly refreshTokens: boolean
  /** From the issue of each. Default: infinite. */
  readonly refreshTokenLifetime: Duration.DurationInput
  /** Default: `strict`. */
  readonly rotation: Rotation
  /** Default: 1 minute. */
  readonly codeLifetime: Duration.DurationInput
  /** Default: 10 minutes. */
  readonly deviceCodeLifetime: Duration.DurationInput
  /** Between two polls. Default: 5 seconds. */
  readonly deviceInterval: Duration.DurationInput
  /** Whether authorization responses have `iss` (RFC 9207). Default: `true`. */
  readonly sendIssuer: boolean
  /** What the user says where a call does not say otherwise. Default: yes, as `user-1`. */
  readonly approval: Approval
  /** What the resource demands of every token. Default: nothing. */
  readonly requiredScope: ReadonlyArray<string>
  /** Whether the resource answers 401 `invalid_token` to every token. Default: `false`. */
  readonly rejectTokens: boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends Partial<Settings> {
  /** Default: `https://as.test`. */
  readonly issuer?: string | undefined
  /** The origins of the resource server. Default: `https://api.test`. */
  readonly resourceOrigins?: ReadonlyArray<string> | undefined
  /** Default: {@link publicClient} and {@link confidentialClient}. */
  readonly clients?: ReadonlyArray<RegisteredClient> | undefined
  /** The scopes that exist. Default: any. */
  readonly scopes?: ReadonlyArray<string> | undefined
  /** By grant type. Default: none. */
  readonly extensionGrants?: Readonly<Record<string, ExtensionGrant>> | undefined
  /** What codes and tokens are made from: the same seed, the same texts. Default: 0. */
  readonly seed?: number | undefined
  /** How many requests the log keeps at least; the oldest go first. Default: 100,000. */
  readonly logSize?: number | undefined
}

/**
 * @since 0.1.0
 * @category constants
 */
export const defaultSettings: Settings = {
  accessTokenLifetime: "1 hour",
  sendExpiresIn: true,
  refreshTokens: true,
  refreshTokenLifetime: Infinity,
  rotation: "strict",
  codeLifetime: "1 minute",
  deviceCodeLifetime: "10 minutes",
  deviceInterval: "5 seconds",
  sendIssuer: true,
  approval: { subject: "user-1" },
  requiredScope: [],
  rejectTokens: false
}

/**
 * A public client: `app`, back at `https://app.test/callback`.
 *
 * @since 0.1.0
 * @category constants
 */
export const publicClient: RegisteredClient = {
  id: "app",
  authentication: "none",
  redirectUris: ["https://app.test/callback"]
}

/**
 * A confidential client: `service`, by `client_secret_basic` with the secret `service-secret`.
 *
 * @since 0.1.0
 * @category constants
 */
export const confidentialClient: RegisteredClient = {
  id: "service",
  secret: "service-secret",
  authentication: "client_secret_basic",
  redirectUris: ["https://service.test/callback"]
}
