/** What the rig and its processes say to each other. Each question is answered once, by its number. */
import type { SessionRecord } from "@effect-oauth2/core"

export interface ServerSettings {
  readonly rotation: "strict" | "none" | { readonly grace: number }
  /** Seconds. */
  readonly accessTokenLifetime: number
  readonly seed: number
}

/** Where in its work a server or a worker is stopped. */
export type Point = WorkerPoint | ServerPoint
export type WorkerPoint = "before the request" | "answer received" | "before the write" | "after the write"
export type ServerPoint = "request sent" | "server rotated"

export interface ServerQuestions {
  /** Tokens of new families, as a client would hold them. */
  readonly issue: { readonly count: number }
  /** Token requests with these refresh tokens wait at the point for ever; each is told as `at`. */
  readonly hold: { readonly point: ServerPoint; readonly refreshTokens: ReadonlyArray<string> }
  /** Token requests are answered so late, in milliseconds, before or after the server has acted. */
  readonly delay: { readonly millis: number; readonly acted: boolean; readonly times: number }
  readonly outage: { readonly on: boolean }
  readonly report: Record<never, never>
  /** What the server holds of the families of these refresh tokens. */
  readonly families: { readonly refreshTokens: ReadonlyArray<string> }
}

export interface ServerAnswers {
  readonly issue: ReadonlyArray<StoredToken>
  readonly hold: null
  readonly delay: null
  readonly outage: null
  readonly report: {
    readonly requests: ReadonlyArray<
      { readonly at: number; readonly family: string | undefined; readonly status: number | undefined }
    >
    readonly reuses: number
    readonly concurrentPresentations: number
  }
  readonly families: ReadonlyArray<{
    readonly id: string
    readonly isLive: boolean
    readonly isRevoked: boolean
    readonly generation: number
  }>
}

/** A token in the form in which it is stored, with its refresh token. */
export interface StoredToken {
  readonly accessToken: string
  readonly tokenType: string
  readonly issuedAt: number
  readonly expiresAt?: number
  readonly refreshToken: string
}

export type StoreSettings =
  | { readonly kind: "files"; readonly directory: string }
  | { readonly kind: "sqlite"; readonly filename: string }
  | { readonly kind: "postgres"; readonly port: number; readonly pool: number }

export interface WorkerSettings {
  readonly server: string
  readonly store: StoreSettings
  readonly rotation: "strict" | "grace" | "none"
  /** Milliseconds. */
  readonly requestDeadline: number
  readonly persistDeadline: number
}

export interface WorkerQuestions {
  readonly restore: { readonly key: string; readonly token: StoredToken }
  readonly token: { readonly key: string }
  readonly refresh: { readonly key: string }
  /** So many fibers ask for the session's token every so many milliseconds, for so long. */
  readonly drive: { readonly key: string; readonly fibers: number; readonly every: number; readonly duration: number }
  /** From now on whoever comes to the point stays there for ever, and `at` is told. */
  readonly stopAt: { readonly point: WorkerPoint }
  readonly stored: { readonly key: string }
}

export interface WorkerAnswers {
  readonly restore: null
  readonly token: Outcome
  readonly refresh: Outcome
  readonly drive: {
    readonly calls: number
    readonly failures: Readonly<Record<string, number>>
    readonly slowest: number
  }
  readonly stopAt: null
  readonly stored: {
    readonly generation: number
    readonly state: SessionRecord.SessionRecord["state"]["_tag"]
    readonly refreshToken: string | undefined
    readonly alternate: string | undefined
  } | null
}

/** What a caller got: a token, or an error by its tag and reason. */
export type Outcome = { readonly issuedAt: number } | { readonly error: string }

export type Told = { readonly at: Point; readonly of?: string } | {
  readonly event: string
  readonly key: string
  readonly time: number
}
