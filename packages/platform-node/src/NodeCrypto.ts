/**
 * Randomness and digests by node:crypto, in the place of WebCrypto: the same results, without a turn of the event loop
 * for each digest.
 *
 * @since 0.1.0
 */
import { OAuth2Crypto, type OAuth2CryptoService } from "@effect-oauth2/core/OAuth2Crypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash, randomBytes } from "node:crypto"

/**
 * @since 0.1.0
 * @category constructors
 */
export const nodeCrypto: OAuth2CryptoService = {
  randomBytes: (length) => Effect.sync(() => new Uint8Array(randomBytes(length))),
  sha256: (bytes) => Effect.sync(() => new Uint8Array(createHash("sha256").update(bytes).digest()))
}

/**
 * For programs that begin many sign-ins: provide it to the client's layer.
 *
 * @example
 * import { Custody, OAuth2Client } from "@effect-oauth2/core"
 * import { NodeCrypto, NodeTransport } from "@effect-oauth2/platform-node"
 * import { Layer } from "effect"
 *
 * export const Live = OAuth2Client.layer({
 *   clientId: "web",
 *   authorizationEndpoint: "https://as.example.com/authorize",
 *   tokenEndpoint: "https://as.example.com/token",
 *   redirectUri: "https://app.example.com/callback"
 * }).pipe(Layer.provide([Custody.layerMemory, NodeTransport.layer(), NodeCrypto.layer]))
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<OAuth2Crypto> = Layer.succeed(OAuth2Crypto, nodeCrypto)
