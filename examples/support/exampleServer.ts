/**
 * The servers that the examples name, on ports of this machine: authorization servers and APIs under `*.example.com`,
 * over TLS, each the authorization server of the test kit behind a real socket.
 */
import type { ServerReply, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { Effect, Runtime, type Scope, Stream } from "effect"
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import { createServer, type ServerOptions } from "node:https"
import type { AddressInfo } from "node:net"
import type { TLSSocket } from "node:tls"
import { type Authority, type Identity, makeAuthority } from "../../support/certificates.js"

/** An authorization server of the test kit, or one made of it that differs. */
export interface Served extends
  Pick<
    TestAuthorizationServer.TestAuthorizationServerService,
    "issuer" | "resourceOrigins" | "handle"
  >
{
  /** Its issuer has a certificate of a private authority, and lets in nobody who shows none of that authority. */
  readonly demandsCertificate?: true
}

/** A request that got through, and whose certificate came with it. */
export interface Seen {
  readonly host: string
  readonly path: string
  readonly certificate: string | undefined
}

export interface ExampleServer {
  /** By host. */
  readonly ports: Readonly<Record<string, number>>
  /** The authority that the machine trusts, in PEM. */
  readonly ca: string
  /** The authority that nobody trusts by itself, in PEM. */
  readonly privateCa: string
  /** What it issued to the client. */
  readonly client: Identity
  readonly seen: ReadonlyArray<Seen>
}

/** The name in the client's certificate. */
export const certifiedClient = "settlement"

/** Serves them until the scope ends. */
export const serve = (servers: ReadonlyArray<Served>): Effect.Effect<ExampleServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const open = hostsOf(
      servers.flatMap((server) =>
        (server.demandsCertificate ? server.resourceOrigins : [server.issuer, ...server.resourceOrigins])
          .map((origin) => [origin, server] as const)
      )
    )
    const closed = hostsOf(
      servers.filter(({ demandsCertificate }) => demandsCertificate).map((server) => [server.issuer, server])
    )
    const [known, unknown] = yield* Effect.promise(() => Promise.all([makeAuthority(), makeAuthority("Private CA")]))
    const client = yield* Effect.promise(() => unknown.issue(certifiedClient))
    const seen: Array<Seen> = []
    const openPort = yield* listen(known, open, seen, { requestCert: true, rejectUnauthorized: false })
    const closedPort = yield* listen(unknown, closed, seen, { requestCert: true, ca: unknown.ca })
    return {
      ports: { ...portsOf(open, openPort), ...portsOf(closed, closedPort) },
      ca: known.ca,
      privateCa: unknown.ca,
      client,
      seen
    }
  })

type Hosts = ReadonlyMap<string, Served>

const hostsOf = (servers: ReadonlyArray<readonly [origin: string, server: Served]>): Hosts =>
  new Map(servers.map(([origin, server]) => [new URL(origin).host, server]))

const portsOf = (hosts: Hosts, port: number): Record<string, number> =>
  Object.fromEntries([...hosts.keys()].map((host) => [host, port] as const))

const listen = (authority: Authority, hosts: Hosts, seen: Array<Seen>, options: ServerOptions) =>
  Effect.gen(function*() {
    const runtime = yield* Effect.runtime<never>()
    const identity = yield* Effect.promise(() => authority.issue("example.com", [...hosts.keys(), "localhost"]))
    const onRequest: RequestListener = (request, response) => {
      const host = request.headers.host ?? ""
      seen.push({ host, path: request.url ?? "/", certificate: certificateOf(request.socket as TLSSocket) })
      void Runtime.runPromise(runtime)(answer(hosts.get(host)!, request, response))
    }
    const listener = createServer({ ...options, ...identity }, onRequest)
    yield* Effect.async<void>((resume) => {
      listener.listen(0, "127.0.0.1", () => resume(Effect.void))
    })
    yield* Effect.addFinalizer(() =>
      Effect.async<void>((resume) => {
        listener.close(() => resume(Effect.void))
        listener.closeAllConnections()
      })
    )
    return (listener.address() as AddressInfo).port
  })

const certificateOf = (socket: TLSSocket): string | undefined => {
  const { subject } = socket.getPeerCertificate() as { readonly subject?: { readonly CN?: string } }
  return subject?.CN
}

const answer = (server: Served, request: IncomingMessage, response: ServerResponse) =>
  Effect.gen(function*() {
    const body = yield* Effect.promise(async () => {
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      return new Uint8Array(Buffer.concat(chunks))
    })
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)])
    )
    const reply = yield* server.handle({
      method: request.method ?? "GET",
      url: new URL(request.url ?? "/", `https://${request.headers.host}`),
      headers,
      body
    })
    response.writeHead(reply.status, reply.headers).end(yield* bytes(reply))
  }).pipe(Effect.catchAll(() => Effect.sync(() => response.destroy())))

const bytes = ({ body }: ServerReply.ServerReply) =>
  typeof body === "string" || body instanceof Uint8Array
    ? Effect.succeed(body)
    : Effect.map(Stream.runCollect(body), (chunks) => Buffer.concat([...chunks]))
