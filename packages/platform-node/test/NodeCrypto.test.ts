import { Custody, OAuth2Client, OAuth2Crypto, Pkce } from "@effect-oauth2/core"
import { NodeCrypto, NodeTransport } from "@effect-oauth2/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

describe("NodeCrypto", () => {
  it.effect("B165 digests as WebCrypto does: the challenge of RFC 7636 appendix B", () =>
    Effect.gen(function*() {
      const verifier = new TextEncoder().encode("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
      const digest = yield* NodeCrypto.nodeCrypto.sha256(verifier)
      assert.deepStrictEqual(digest, yield* OAuth2Crypto.webCrypto.sha256(verifier))
      assert.strictEqual(Pkce.codeChallenge(digest), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    }))

  it.effect("S78 two sign-ins share no randomness", () =>
    Effect.gen(function*() {
      const client = yield* OAuth2Client.OAuth2Client
      const [one, other] = yield* Effect.all([client.begin(), client.begin()])
      assert.notStrictEqual(one.pending.state, other.pending.state)
      assert.strictEqual(one.pending.state.length, 43)
    }).pipe(Effect.provide(
      OAuth2Client.layer({
        clientId: "app",
        authorizationEndpoint: "https://as.test/authorize",
        tokenEndpoint: "https://as.test/token",
        redirectUri: "https://app.test/callback"
      }).pipe(Layer.provide([Custody.layerMemory, NodeTransport.layer(), NodeCrypto.layer]))
    )))
})
