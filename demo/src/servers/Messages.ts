/**
 * What the program and its servers say to each other, over the channel between a process and its child. The program
 * learns here what the servers saw with their own eyes.
 */

/** How one client of the authorization server proves itself. */
export interface ClientRecord {
  readonly clientId: string
  readonly clientSecret?: string
  readonly method: "none" | "client_secret_basic" | "client_secret_post"
}

/** The servers are up. */
export interface Ready {
  readonly type: "ready"
  /** The certificate authority that made their certificates, in PEM. */
  readonly ca: string
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly revocationEndpoint: string
  /** The API's origin. */
  readonly api: string
  /** How long an access token works, in seconds. */
  readonly tokenSeconds: number
  readonly clients: Readonly<Record<"native" | "basic" | "post", ClientRecord>>
  readonly user: { readonly name: string; readonly password: string }
}

/** A request that the token endpoint has answered. */
export interface TokenRequest {
  /** Absent when the request was turned away unread. */
  readonly grantType?: string
  readonly status: number
}

/** Everything that the servers counted, at one instant. */
export interface Report {
  readonly type: "report"
  readonly tokenRequests: ReadonlyArray<TokenRequest>
  /** Login forms that were accepted. */
  readonly logins: number
  readonly accessTokens: number
  readonly refreshTokens: number
  /** Families of tokens that were withdrawn as a whole. */
  readonly grantsRevoked: number
  /** Calls that the API answered with 200, by the number of the access token that came with them, from 1. */
  readonly callsPerToken: ReadonlyArray<number>
  /** Calls that the API refused with 401. */
  readonly callsRefused: number
  /** The text of every token that was issued: for tests that look for them where they must not be. */
  readonly secrets: ReadonlyArray<string>
}

/** The body of a call that the API answered. */
export interface ApiAnswer {
  readonly hello: string
  /** The number of the access token that came with the call, from 1. */
  readonly token: number
}

/** What was asked for is done. */
export interface Done {
  readonly type: "done"
}

export type FromServers = Ready | Report | Done

/**
 * - `refuse`: from its next request on, the token endpoint is too busy for so many milliseconds.
 * - `withdraw`: the newest access token does not work any more; its refresh token does.
 */
export type ToServers =
  | { readonly type: "refuse"; readonly millis: number }
  | { readonly type: "withdraw" }
  | { readonly type: "report" }
