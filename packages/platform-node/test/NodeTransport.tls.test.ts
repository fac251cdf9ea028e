import type { OAuth2Error } from "@effect-oauth2/core"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { createPrivateKey, generateKeyPairSync } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { get } from "node:https"
import { rootCertificates, type TLSSocket } from "node:tls"
import { makeAuthority } from "../../../support/certificates.js"
import { trusted } from "../src/internal/tls.js"
import { withEnvironment } from "./support/environment.js"
import * as Servers from "./support/servers.js"
import { accessToken, requestToken, sendToken } from "./support/tokens.js"

const authority = await makeAuthority("Test CA")
const another = await makeAuthority("Another CA")
const { cert, key } = await authority.issue("server", ["127.0.0.1"])
const clientIdentity = await authority.issue("client-1")

const answer = (_: IncomingMessage, response: ServerResponse) => sendToken(response)
const server = Servers.https({ cert, key }, answer)
const url = ({ port }: Servers.Running) => `https://127.0.0.1:${port}/token`

const outcome = (options: NodeTransport.Options, tokenEndpoint: string) =>
  requestToken(NodeTransport.layer(options), tokenEndpoint).pipe(
    Effect.match({ onFailure: summary, onSuccess: (token) => Redacted.value(token.accessToken) })
  )

const summary = (error: OAuth2Error.OAuth2Error) =>
  error._tag === "TransportError"
    ? `${error.reason} ${error.code}`
    : error._tag === "ConfigurationError"
    ? `${error._tag} ${error.field}`
    : error._tag

describe("trust", () => {
  it.scopedLive("a server of a private authority is trusted by the ca option, as text, as bytes and in a list", () =>
    Effect.gen(function*() {
      const endpoint = url(yield* server)
      const bytes = new TextEncoder().encode(authority.ca)
      for (const ca of [authority.ca, bytes, [another.ca, authority.ca], another.ca + authority.ca]) {
        assert.strictEqual(yield* outcome({ ca }, endpoint), accessToken)
        assert.strictEqual(yield* outcome({ ca, exclusiveCa: true }, endpoint), accessToken)
      }
    }))

  it("the ca option adds to the roots that Node brings along, and exclusiveCa replaces them", () => {
    assert.lengthOf(Either.getOrThrow(trusted({ ca: authority.ca })) ?? [], rootCertificates.length + 1)
    assert.lengthOf(Either.getOrThrow(trusted({ ca: authority.ca, exclusiveCa: true })) ?? [], 1)
    assert.isUndefined(Either.getOrThrow(trusted({})))
  })

  it.scopedLive("S02 a server that nobody vouches for is refused, and is sent nothing", () =>
    Effect.gen(function*() {
      let requests = 0
      const { ca, key: ownKey } = yield* Effect.promise(() => makeAuthority("127.0.0.1"))
      for (const identity of [{ cert, key }, { cert: ca, key: ownKey }]) {
        const endpoint = url(
          yield* Servers.https({ cert: identity.cert, key: identity.key }, (_, response) => {
            requests++
            sendToken(response)
          })
        )
        for (const options of [{}, { ca: another.ca }, { ca: another.ca, exclusiveCa: true }]) {
          assert.match(yield* outcome(options, endpoint), /^Unreachable (UNABLE_TO_VERIFY|SELF_SIGNED|DEPTH_ZERO)/)
        }
      }
      assert.strictEqual(requests, 0)
    }))

  it.scopedLive("S02 a certificate for another name is refused", () =>
    Effect.gen(function*() {
      const identity = yield* Effect.promise(() => authority.issue("server", ["other.test"]))
      const endpoint = url(yield* Servers.https({ cert: identity.cert, key: identity.key }, answer))
      assert.strictEqual(
        yield* outcome({ ca: authority.ca }, endpoint),
        "Unreachable ERR_TLS_CERT_ALTNAME_INVALID"
      )
    }))

  it.scopedLive("S02 B403 no environment variable turns the check off, not even Node's own", () =>
    Effect.gen(function*() {
      const endpoint = url(yield* server)
      yield* withEnvironment({ NODE_TLS_REJECT_UNAUTHORIZED: "0" })
      assert.strictEqual(yield* statusOf(endpoint), 200, "the variable is in force")
      assert.match(yield* outcome({}, endpoint), /^Unreachable UNABLE_TO_VERIFY/)
    }))

  it("S02 no option turns the check off: these are all there are", () => {
    const options: { readonly [K in keyof Required<NodeTransport.Options>]: true } = {
      ca: true,
      exclusiveCa: true,
      clientCertificate: true,
      proxy: true,
      connectTimeout: true,
      headersTimeout: true,
      bodyTimeout: true,
      keepAliveTimeout: true,
      maxResponseSize: true
    }
    assert.isEmpty(Object.keys(options).filter((name) => /insecure|verify|reject|unauthorized/i.test(name)))
  })

  it.scopedLive("S02 an option that is not ours does not reach TLS", () =>
    Effect.gen(function*() {
      const endpoint = url(yield* server)
      const smuggled = { rejectUnauthorized: false, connect: { rejectUnauthorized: false } } as NodeTransport.Options
      assert.match(yield* outcome(smuggled, endpoint), /^Unreachable UNABLE_TO_VERIFY/)
    }))
})

describe("client certificates (RFC 8705)", () => {
  const strict = (seen: Array<string>) =>
    Servers.https(
      { cert, key, ca: authority.ca, requestCert: true, rejectUnauthorized: true },
      (request, response) => {
        seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN))
        sendToken(response)
      }
    )

  const encryptedKey = createPrivateKey(clientIdentity.key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "the-passphrase"
  }).toString()

  it.scopedLive("a server that asks for a certificate sees it, from a clear and from an encrypted key", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const endpoint = url(yield* strict(seen))
      const certificates: ReadonlyArray<NodeTransport.ClientCertificate> = [
        { cert: clientIdentity.cert, key: Redacted.make(clientIdentity.key) },
        { cert: Buffer.from(clientIdentity.cert), key: Redacted.make(Buffer.from(clientIdentity.key)) },
        { cert: clientIdentity.cert, key: Redacted.make(encryptedKey), passphrase: Redacted.make("the-passphrase") }
      ]
      for (const clientCertificate of certificates) {
        assert.strictEqual(yield* outcome({ ca: authority.ca, clientCertificate }, endpoint), accessToken)
      }
      assert.deepStrictEqual(seen, ["client-1", "client-1", "client-1"])
    }))

  it.scopedLive("without the certificate, and with another authority's, there is no token", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const endpoint = url(yield* strict(seen))
      const foreign = yield* Effect.promise(() => another.issue("client-1"))
      const clientCertificate = { cert: foreign.cert, key: Redacted.make(foreign.key) }
      assert.match(yield* outcome({ ca: authority.ca }, endpoint), /^(Unreachable|ConnectionLost) /)
      assert.match(
        yield* outcome({ ca: authority.ca, clientCertificate }, endpoint),
        /^(Unreachable|ConnectionLost) /
      )
      assert.isEmpty(seen)
    }))

  it.effect("S01 bad certificates and keys fail the layer, by the field's name and without their text", () =>
    Effect.gen(function*() {
      const right = { cert: clientIdentity.cert, key: Redacted.make(clientIdentity.key) }
      const broken = "-----BEGIN CERTIFICATE-----\nQUFBQQ==\n-----END CERTIFICATE-----\n"
      const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
      const cases: ReadonlyArray<readonly [NodeTransport.Options, string]> = [
        [{ ca: "/etc/ssl/ca.pem" }, "ca"],
        [{ ca: [], exclusiveCa: true }, "ca"],
        [{ ca: broken }, "ca"],
        [{ ca: [authority.ca, broken] }, "ca"],
        [{ ca: authority.ca + broken }, "ca"],
        [{ ca: authority.key }, "ca"],
        [{ exclusiveCa: true }, "exclusiveCa"],
        [{ clientCertificate: { ...right, cert: broken } }, "clientCertificate.cert"],
        [{ clientCertificate: { ...right, cert: clientIdentity.key } }, "clientCertificate.cert"],
        [{ clientCertificate: { ...right, key: Redacted.make("secret-garbage") } }, "clientCertificate.key"],
        [{ clientCertificate: { ...right, key: Redacted.make(authority.key) } }, "clientCertificate.key"],
        [
          { clientCertificate: { ...right, key: Redacted.make(rsa.export({ type: "pkcs1", format: "pem" })) } },
          "clientCertificate.key"
        ],
        [{ clientCertificate: { ...right, key: Redacted.make(encryptedKey) } }, "clientCertificate.key"],
        [
          {
            clientCertificate: {
              ...right,
              key: Redacted.make(encryptedKey),
              passphrase: Redacted.make("secret-passphrase")
            }
          },
          "clientCertificate.key"
        ]
      ]
      for (const [options, field] of cases) {
        const error = yield* Effect.flip(Effect.scoped(NodeTransport.make(options)))
        assert.strictEqual(error.field, field)
        assert.notMatch(error.message, /secret|PRIVATE|QUFB|error:/)
      }
    }))
})

it.scopedLive("one layer keeps its connections, and its end closes them", () =>
  Effect.gen(function*() {
    const running = yield* server
    const client = yield* Effect.scoped(Effect.gen(function*() {
      const client = yield* NodeTransport.make({ ca: authority.ca })
      for (let i = 0; i < 20; i++) yield* Effect.flatMap(client.post(url(running)), (response) => response.text)
      return client
    }))
    assert.isAtMost(running.connections(), 2)
    yield* Effect.repeat(Effect.sleep(5), { until: () => running.open() === 0 })
    assert.strictEqual((yield* Effect.flip(client.post(url(running))))._tag, "RequestError")
  }))

const statusOf = (url: string) =>
  Effect.async<number | undefined>((resume) => {
    get(url, { agent: false }, (response) => resume(Effect.succeed(response.resume().statusCode)))
      .on("error", () => resume(Effect.succeed(undefined)))
  })
