import {
  ClientAuthentication,
  Custody,
  Grant,
  OAuth2Client,
  OAuth2HttpClient,
  OAuth2Session
} from "@effect-oauth2/core"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { RequestListener, ServerResponse } from "node:http"
import type { TLSSocket } from "node:tls"
import { makeAuthority } from "../../../support/certificates.js"
import * as Servers from "./support/servers.js"

const clientSecret = "the-client-secret"
const privateAuthority = await makeAuthority("Private CA")
const otherAuthority = await makeAuthority("Other CA")
const hosts = ["127.0.0.1"]
const authorizationServer = await privateAuthority.issue("as", hosts)
const api = await otherAuthority.issue("api", hosts)
const client = await privateAuthority.issue("client-1")

interface Seen {
  readonly path: string | undefined
  readonly certificate: string | undefined
  readonly authorization: string | undefined
  readonly body: string
}

/** A listener that notes what it is sent and by whom, before it answers. */
const noting =
  (seen: Array<Seen>, answer: (response: ServerResponse, count: number) => void): RequestListener =>
  (request, response) => {
    let body = ""
    request.on("data", (chunk: Buffer) => body += chunk.toString())
    request.on("end", () => {
      seen.push({
        path: request.url,
        certificate: Servers.nameOf(request.socket as TLSSocket),
        authorization: request.headers.authorization,
        body
      })
      answer(response, seen.length)
    })
  }

const json = (response: ServerResponse, status: number, body: object, headers = {}) =>
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body))

/** A token endpoint that is reached by a proxy and a certificate alone, and an API that wants neither. */
const surroundings = Effect.gen(function*() {
  const [tokenRequests, apiRequests, tunnels] = [new Array<Seen>(), new Array<Seen>(), new Array<Servers.ProxyLog>()]
  const tokenServer = yield* Servers.https(
    { ...authorizationServer, ca: privateAuthority.ca, requestCert: true },
    noting(tokenRequests, (response, count) =>
      json(response, 200, {
        access_token: `AT${count}`,
        refresh_token: `RT${count}`,
        token_type: "Bearer",
        expires_in: 3600
      }))
  )
  const apiServer = yield* Servers.https(
    { ...api, ca: privateAuthority.ca, requestCert: true, rejectUnauthorized: false },
    noting(apiRequests, (response, count) =>
      count === 1
        ? json(response, 401, {}, { "www-authenticate": `Bearer error="invalid_token"` })
        : json(response, 200, {}))
  )
  const proxy = yield* Servers.proxy(tunnels)
  return {
    tokenEndpoint: `https://127.0.0.1:${tokenServer.port}/token`,
    apiOrigin: `https://127.0.0.1:${apiServer.port}`,
    proxyUrl: `http://127.0.0.1:${proxy.port}`,
    tokenRequests,
    apiRequests,
    tunnels
  }
})

type Surroundings = Effect.Effect.Success<typeof surroundings>

/** As the documentation shows it: one transport for the client, another one for the authorized `HttpClient`. */
const live = ({ apiOrigin, proxyUrl, tokenEndpoint }: Surroundings, ca: string) => {
  const Client = OAuth2Client.layer({
    clientId: "app",
    clientAuthentication: ClientAuthentication.clientSecretPost(Redacted.make(clientSecret)),
    tokenEndpoint,
    revocationEndpoint: tokenEndpoint.replace("token", "revoke")
  }).pipe(Layer.provide(NodeTransport.layer({
    ca,
    clientCertificate: { cert: client.cert, key: Redacted.make(client.key) },
    proxy: { url: proxyUrl }
  })))
  const Api = OAuth2Client.layerHttpClient({ origins: [apiOrigin] }).pipe(
    Layer.provide(NodeTransport.layer({ ca: otherAuthority.ca }))
  )
  return Api.pipe(Layer.provideMerge(Client), Layer.provide(Custody.layerMemory))
}

describe("a transport for the token endpoint, another for the API", () => {
  it.scopedLive("B360 token request, renewal and revocation go through the proxy with certificate and secret, API requests without all three", () =>
    Effect.gen(function*() {
      const around = yield* surroundings
      const { apiOrigin, apiRequests, tokenEndpoint, tokenRequests, tunnels } = around
      yield* Effect.gen(function*() {
        const client = yield* OAuth2Client.OAuth2Client
        const http = yield* OAuth2HttpClient.OAuth2HttpClient
        const session = yield* client.authorize(Grant.clientCredentials())
        const response = yield* Effect.provideService(
          http.get(`${apiOrigin}/me`),
          OAuth2Session.CurrentSession,
          session
        )
        assert.strictEqual(response.status, 200)
        assert.deepStrictEqual(yield* session.signOut, { revocation: "Revoked" })
      }).pipe(Effect.provide(live(around, privateAuthority.ca)))

      assert.deepStrictEqual(tokenRequests.map(({ certificate, path }) => [path, certificate]), [
        ["/token", "client-1"],
        ["/token", "client-1"],
        ["/revoke", "client-1"]
      ])
      assert.include(tokenRequests[1]?.body, "grant_type=refresh_token")
      assert.deepStrictEqual(apiRequests, [
        { path: "/me", certificate: undefined, authorization: "Bearer AT1", body: "" },
        { path: "/me", certificate: undefined, authorization: "Bearer AT2", body: "" }
      ])
      const { host } = new URL(tokenEndpoint)
      assert.deepStrictEqual([...new Set(tunnels.map(({ target }) => target))], [host])
      assert.isTrue(tokenRequests.every(({ body }) => body.includes(`client_secret=${clientSecret}`)))
    }))

  it.scopedLive("the API's authority does not vouch for the token endpoint", () =>
    Effect.gen(function*() {
      const around = yield* surroundings
      const error = yield* Effect.flatMap(
        OAuth2Client.OAuth2Client,
        (client) => Effect.flip(client.authorize(Grant.clientCredentials()))
      ).pipe(Effect.provide(live(around, otherAuthority.ca)))
      assert.deepInclude(error, { _tag: "TransportError", reason: "Unreachable" })
      assert.isEmpty(around.tokenRequests)
    }))
})
