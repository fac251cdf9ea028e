/** What was issued, and what has become of it. Everything here is done in one go: nothing waits between two steps. */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import type { Family, RevocationReason } from "../Family.js"
import type { Settings } from "../ServerOptions.js"
import type { TokenText } from "./tokenText.js"

export interface FamilyRecord {
  readonly id: string
  readonly clientId: string
  readonly subject: string
  readonly scope: ReadonlyArray<string>
  readonly resource: ReadonlyArray<string>
  readonly grantType: string
  generation: number
  accessTokens: number
  latest: AccessToken | undefined
  live: RefreshToken | undefined
  revoked: Family["revoked"]
}

export interface AccessToken {
  readonly text: string
  readonly number: number
  readonly family: FamilyRecord
  readonly scope: ReadonlyArray<string>
  readonly resource: ReadonlyArray<string>
  readonly issuedAt: number
  /** Epoch milliseconds; may be infinite. */
  readonly expiresAt: number
  revoked: boolean
}

export interface RefreshToken {
  readonly text: string
  readonly family: FamilyRecord
  readonly expiresAt: number
  replacedAt: number | undefined
}

export interface Ledger {
  readonly text: TokenText
  readonly families: Array<FamilyRecord>
  readonly accessTokens: Map<string, AccessToken>
  readonly refreshTokens: Map<string, RefreshToken>
  /** Access tokens up to this number have been made to expire. */
  expiredUpTo: number
}

export const make = (text: TokenText): Ledger => ({
  text,
  families: [],
  accessTokens: new Map(),
  refreshTokens: new Map(),
  expiredUpTo: 0
})

export const openFamily = (
  ledger: Ledger,
  options: Pick<FamilyRecord, "clientId" | "subject" | "scope" | "resource" | "grantType">
): FamilyRecord => {
  const family: FamilyRecord = {
    ...options,
    id: `family-${ledger.families.length + 1}`,
    generation: 0,
    accessTokens: 0,
    latest: undefined,
    live: undefined,
    revoked: undefined
  }
  ledger.families.push(family)
  return family
}

export const issueAccessToken = (
  ledger: Ledger,
  family: FamilyRecord,
  options: Pick<AccessToken, "scope" | "resource"> & { readonly now: number; readonly settings: Settings }
): AccessToken => {
  const token: AccessToken = {
    text: ledger.text("at"),
    number: ledger.accessTokens.size + 1,
    family,
    scope: options.scope,
    resource: options.resource,
    issuedAt: options.now,
    expiresAt: options.now + Duration.toMillis(options.settings.accessTokenLifetime),
    revoked: false
  }
  ledger.accessTokens.set(token.text, token)
  family.accessTokens++
  family.latest = token
  return token
}

/** The family's live refresh token from now on; the one before it is replaced. */
export const issueRefreshToken = (
  ledger: Ledger,
  family: FamilyRecord,
  now: number,
  settings: Settings
): RefreshToken => {
  if (family.live !== undefined) {
    family.live.replacedAt = now
    family.generation++
  }
  const expiresAt = now + Duration.toMillis(settings.refreshTokenLifetime)
  family.live = { text: ledger.text("rt"), family, expiresAt, replacedAt: undefined }
  ledger.refreshTokens.set(family.live.text, family.live)
  return family.live
}

export const revokeFamily = (family: FamilyRecord, reason: RevocationReason, now: number): void => {
  family.revoked ??= { reason, at: now }
}

/** Whether a replaced refresh token may be presented once more. */
export const isWithinGrace = (token: RefreshToken, now: number, { rotation }: Settings): boolean =>
  token.replacedAt !== undefined && typeof rotation === "object" &&
  now <= token.replacedAt + Duration.toMillis(rotation.grace)

/** A token has expired when now is after its expiry. */
export const isActive = (ledger: Ledger, token: AccessToken, now: number): boolean =>
  !token.revoked && token.family.revoked === undefined && token.number > ledger.expiredUpTo && now <= token.expiresAt

/** The family of a token of either kind, or of that id. */
export const findFamily = (ledger: Ledger, text: string): FamilyRecord | undefined =>
  ledger.refreshTokens.get(text)?.family ?? ledger.accessTokens.get(text)?.family ??
    ledger.families.find(({ id }) => id === text)

export const view = (family: FamilyRecord): Family => ({
  id: family.id,
  clientId: family.clientId,
  subject: family.subject,
  scope: family.scope,
  grantType: family.grantType,
  generation: family.generation,
  refreshToken: family.revoked === undefined && family.live !== undefined ? Redacted.make(family.live.text) : undefined,
  accessToken: Redacted.make(family.latest?.text ?? ""),
  accessTokens: family.accessTokens,
  revoked: family.revoked
})
