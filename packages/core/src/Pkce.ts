/**
 * Proof Key for Code Exchange, method S256 (RFC 7636).
 *
 * @since 0.1.0
 */
import { encodeBase64Url as encode } from "effect/Encoding"

/**
 * The one method that is used (RFC 9700 §2.1.1).
 *
 * @since 0.1.0
 * @category constants
 */
export const codeChallengeMethod = "S256"

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

/**
 * The code challenge out of the SHA-256 digest of the verifier's ASCII bytes (RFC 7636 §4.2).
 *
 * @since 0.1.0
 * @category constructors
 */
export const codeChallenge = (digest: Uint8Array): string => encode(digest)
