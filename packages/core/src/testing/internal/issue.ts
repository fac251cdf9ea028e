import * as Redacted from "effect/Redacted"
import type { Token } from "../../Token.js"
import * as TokenResponse from "../../TokenResponse.js"
import { json } from "../ServerReply.js"
import type { Answer } from "./answer.js"
import * as Ledger from "./ledger.js"
import type { State } from "./state.js"

export interface Issue {
  readonly family: Ledger.FamilyRecord
  /** Of the access token; the family's own where it is not narrowed. */
  readonly scope?: ReadonlyArray<string> | undefined
  readonly resource?: ReadonlyArray<string> | undefined
  /** Whether a refresh token is issued as well. */
  readonly refreshToken: boolean
  readonly now: number
}

/** Issues an access token, and a refresh token that replaces the family's, as the client will hold them. */
export const issue = (state: State, { family, now, refreshToken, ...options }: Issue): Token => {
  const { ledger, settings } = state
  const scope = options.scope ?? family.scope
  const access = Ledger.issueAccessToken(ledger, family, {
    scope,
    resource: options.resource ?? family.resource,
    now,
    settings
  })
  const refresh = refreshToken ? Ledger.issueRefreshToken(ledger, family, now, settings) : undefined
  return {
    accessToken: Redacted.make(access.text),
    tokenType: "Bearer",
    issuedAt: now,
    ...(settings.sendExpiresIn && Number.isFinite(access.expiresAt) ? { expiresAt: access.expiresAt } : undefined),
    ...(refresh === undefined ? undefined : { refreshToken: Redacted.make(refresh.text) }),
    ...(scope.length === 0 ? undefined : { scope })
  }
}

/** The token response (RFC 6749 §5.1). */
export const answer = (state: State, options: Issue): Answer => {
  const token = issue(state, options)
  return {
    ...json(200, TokenResponse.encode(token), { pragma: "no-cache" }),
    family: options.family.id,
    tokenNumber: options.family.latest?.number ?? 0
  }
}
