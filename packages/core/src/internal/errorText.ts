const limit = 1024

/**
 * Text of a server, held to the characters of RFC 6749 §5.2 and to 1 KiB, so that no log, page or terminal can be
 * driven by it. Absent when nothing is left.
 */
export const sanitize = (text: unknown): string | undefined => {
  if (typeof text !== "string") return undefined
  const safe = text.slice(0, limit).replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "")
  return safe === "" ? undefined : safe
}

/** The same text without any of the secrets, be they written as they are, sanitized, in a form or without a scheme. */
export const removeSecrets = (text: string, secrets: ReadonlyArray<string>): string =>
  secrets
    .flatMap((secret) => [secret, sanitize(secret), inForm(secret), secret.replace(/^Basic /, "")])
    .reduce<string>((text, secret) => secret ? text.split(secret).join("<redacted>") : text, text)

const inForm = (text: string): string => new URLSearchParams([["", text]]).toString().slice(1)
