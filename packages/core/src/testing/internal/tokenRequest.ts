import type { Client, State } from "./state.js"

/** A token request whose form is in order and whose client has proved itself. */
export interface TokenRequest {
  readonly state: State
  readonly client: Client
  readonly params: URLSearchParams
  readonly scope: ReadonlyArray<string> | undefined
  readonly resource: ReadonlyArray<string>
  /** S256 of the `code_verifier` that came. */
  readonly codeChallenge: string | undefined
  readonly now: number
}

/** Whether a grant that has a user behind it comes with a refresh token. */
export const mayRefresh = ({ client, state }: TokenRequest): boolean =>
  state.settings.refreshTokens && client.grants?.has("refresh_token") !== false
