/**
 * Randomness and digests: WebCrypto, behind a service, so that a test can put its own in place.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * @since 0.1.0
 * @category models
 */
export interface OAuth2CryptoService {
  /** That many bytes out of a cryptographically secure generator. */
  readonly randomBytes: (length: number) => Effect.Effect<Uint8Array>
  readonly sha256: (bytes: Uint8Array) => Effect.Effect<Uint8Array>
}

/**
 * WebCrypto, as Node ≥ 20, Deno, Bun, browsers and workers have it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const webCrypto: OAuth2CryptoService = {
  randomBytes: (length) => Effect.sync(() => globalThis.crypto.getRandomValues(new Uint8Array(length))),
  sha256: (bytes) =>
    Effect.map(
      Effect.promise(() => globalThis.crypto.subtle.digest("SHA-256", new Uint8Array(bytes))),
      (digest) => new Uint8Array(digest)
    )
}

/**
 * Whether WebCrypto is there: a page that is no secure context has none.
 *
 * @since 0.1.0
 * @category predicates
 */
export const hasWebCrypto = (): boolean => "crypto" in globalThis && "subtle" in globalThis.crypto

/**
 * The service in use: {@link webCrypto} unless a program provides another.
 *
 * @since 0.1.0
 * @category tags
 */
export class OAuth2Crypto extends Context.Reference<OAuth2Crypto>()("@effect-oauth2/core/OAuth2Crypto", {
  defaultValue: () => webCrypto
}) {}
