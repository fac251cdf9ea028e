import { json, type ServerReply } from "../ServerReply.js"

/** What the server's own doing comes to: the reply, with what the log tells of it. */
export interface Answer extends ServerReply {
  readonly error?: string
  readonly family?: string
  readonly tokenNumber?: number
  /** A refresh token was presented that had been replaced. */
  readonly isReuse?: boolean
}

/** An OAuth error in JSON (RFC 6749 §5.2). */
export const oauthError = (
  error: string,
  description: string,
  options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {}
): Answer => ({
  ...json(options.status ?? 400, { error, error_description: description }, { pragma: "no-cache", ...options.headers }),
  error
})
