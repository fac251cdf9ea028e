/**
 * Proof Key for Code Exchange, method S256 (RFC 7636).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { encodeBase64Url as encode } from "effect/Encoding"

/**
 * The one method that is used (RFC 9700 §2.1.1).
 *
 * @since 0.1.0
 * @category constants
 */
export const codeChallengeMethod = "S256"

/**
 * The code challenge out of the SHA-256 digest of the verifier's ASCII bytes (RFC 7636 §4.2).
 *
 * @since 0.1.0
 * @category constructors
 */
export const codeChallenge = (digest: Uint8Array): string => encode(digest)

/**
 * How a sign-in proves that who redeems the code is who asked for it. {@link s256} unless a module of legacy things
 * says otherwise: see `LegacyPkce`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pkce {
  /** `undefined`: no challenge, and no verifier either. */
  readonly codeChallengeMethod: string | undefined
  /** The challenge of a verifier. */
  readonly codeChallenge: (
    codeVerifier: string,
    sha256: (bytes: Uint8Array) => Effect.Effect<Uint8Array>
  ) => Effect.Effect<string>
}

/**
 * Method S256 (RFC 7636 §4.2).
 *
 * @since 0.1.0
 * @category constants
 */
export const s256: Pkce = {
  codeChallengeMethod,
  codeChallenge: (codeVerifier, sha256) => Effect.map(sha256(new TextEncoder().encode(codeVerifier)), codeChallenge)
}

/**
 * Whether the text may be a code verifier: 43 to 128 unreserved characters (RFC 7636 §4.1).
 *
 * @since 0.1.0
 * @category predicates
 */
export const isCodeVerifier = (text: string): boolean => /^[A-Za-z0-9\-._~]{43,128}$/.test(text)

/**
 * A code verifier out of 32 random bytes: 43 characters.
 *
 * @since 0.1.0
 * @category constructors
 */
export const codeVerifier = (randomBytes: Uint8Array): string => encode(randomBytes)
