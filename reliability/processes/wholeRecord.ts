/** Records that tell whether they are whole: tokens of 16 KiB each that say their generation over and over. */
import type { SessionRecord, Token } from "@effect-oauth2/core"
import { Redacted } from "effect"

const textOf = (generation: number): string => `${generation}.`.repeat(8_192).slice(0, 16_384)

export const tokenOf = (generation: number): Token.Token => ({
  accessToken: Redacted.make(textOf(generation)),
  tokenType: "Bearer",
  issuedAt: generation,
  refreshToken: Redacted.make(textOf(generation))
})

export const isWhole = ({ generation, token }: SessionRecord.SessionRecord): boolean => {
  // Before its first commit a session has no token
  if (token === undefined) return generation === 0
  const text = textOf(generation)
  return token.issuedAt === generation && Redacted.value(token.accessToken) === text &&
    token.refreshToken !== undefined && Redacted.value(token.refreshToken) === text
}
