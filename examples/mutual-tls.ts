/**
 * Mutual TLS: the authorization server is behind a private certificate authority, and knows its clients by certificate
 * (RFC 8705 §2). The API is an ordinary one, and is shown no certificate: it has a transport of its own.
 */
import { ClientAuthentication, Custody, Grant, OAuth2Client, OAuth2HttpClient } from "@effect-oauth2/core"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { FileSystem } from "@effect/platform"
import { NodeFileSystem, NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Layer, Redacted } from "effect"

/** What a setting names, read. */
const file = (setting: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.flatMap(Config.string(setting), fs.readFile))

const CertifiedTransport = Layer.unwrapEffect(Effect.gen(function*() {
  return NodeTransport.layer({
    ca: yield* file("PRIVATE_CA_FILE"),
    clientCertificate: {
      cert: yield* file("CLIENT_CERT_FILE"),
      key: Redacted.make(yield* file("CLIENT_KEY_FILE"))
    }
    // A proxy, and time limits, are options of the same layer.
  })
})).pipe(Layer.provide(NodeFileSystem.layer))

/** Token requests, refreshes and revocations go by the transport that is given to the client. */
const Client = OAuth2Client.layer({
  clientId: "settlement",
  clientAuthentication: ClientAuthentication.none, // the certificate is the proof
  tokenEndpoint: "https://mtls.example.com/token",
  grant: Grant.clientCredentials({ scope: "payments" })
}).pipe(Layer.provide(CertifiedTransport))

/** Requests to the API go by the transport that is given to the authorized `HttpClient`. */
const Api = OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] }).pipe(
  Layer.provide(NodeTransport.layer())
)

const Live = Layer.merge(OAuth2Client.layerSession(), Api).pipe(
  Layer.provide(Client),
  Layer.provide(Custody.layerMemory)
)

const program = Effect.gen(function*() {
  const http = yield* OAuth2HttpClient.OAuth2HttpClient
  const payments = yield* http.get("https://api.example.com/payments")
  yield* Console.log("payments", payments.status)
})

program.pipe(Effect.provide(Live), NodeRuntime.runMain)
