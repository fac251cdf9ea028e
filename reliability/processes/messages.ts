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
  /** Sets the clock of the process on by so many milliseconds, or back. The store's own clock, where it has one, stays. */
  readonly jump: { readonly millis: number }
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
  readonly jump: null
  readonly stopAt: null
  readonly stored: {
    readonly generation: number
    readonly state: SessionRecord.SessionRecord["state"]["_tag"]
    readonly refreshToken: string | undefined
    readonly alternate: string | undefined
  } | null
}

/**
 * What a caller got: a token, or an error by its tag and reason. It asked and was answered in epoch milliseconds, by the
 * machine's clock.
 */
export type Outcome = ({ readonly issuedAt: number } | { readonly error: string }) & {
  readonly asked: number
  readonly answered: number
}

/** A process that writes the sessions under these keys as fast as it can, until it is killed. */
export interface WriterSettings {
  readonly store: StoreSettings
  readonly keys: ReadonlyArray<string>
  readonly name: string
}

/** A process that reads the sessions all the while. */
export interface ReaderSettings {
  readonly store: StoreSettings
  readonly keys: ReadonlyArray<string>
}

export interface ReaderQuestions {
  readonly seen: Record<never, never>
  readonly state: { readonly key: string }
  /** Begins and commits as one who comes after, within so many milliseconds. */
  readonly renew: { readonly key: string; readonly within: number }
}

export interface ReaderAnswers {
  readonly seen: {
    readonly reads: number
    /** Records that are not of one generation from beginning to end, or cannot be decoded. */
    readonly torn: number
    /** Sessions that had been there. */
    readonly lost: number
    readonly wentBack: number
    /** Reads that the store had no time for. */
    readonly unanswered: number
  }
  readonly state: { readonly generation: number; readonly isRedeeming: boolean }
  readonly renew: boolean
}

export type Told = { readonly at: Point; readonly of?: string } | {
  /** One of the session's events; `Committed` and `Begun`, of the store's own key. */
  readonly event: string
  readonly key: string
  readonly time: number
}
