/**
 * The servers that the examples name, on one port of this machine: authorization servers and APIs under
 * `*.example.com`, over TLS, each the authorization server of the test kit behind a real socket.
 */
import type { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import type { ServerReply } from "@effect-oauth2/core/testing"
import { Effect, Runtime, Stream } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { makeAuthority } from "../../support/certificates.js"

export interface ExampleServer {
  readonly port: number
  /** PEM. */
  readonly ca: string
}

/** Serves them until the scope ends. */
export const serve = (servers: ReadonlyArray<TestAuthorizationServer.TestAuthorizationServerService>) =>
  Effect.gen(function*() {
    const runtime = yield* Effect.runtime<never>()
    const byHost = new Map(
      servers.flatMap((server) =>
        [server.issuer, ...server.resourceOrigins].map((origin) => [new URL(origin).host, server] as const)
      )
    )
    const authority = yield* Effect.promise(() => makeAuthority())
    const identity = yield* Effect.promise(() => authority.issue("example.com", [...byHost.keys()]))
    const listener = createServer(identity, (request, response) => {
      void Runtime.runPromise(runtime)(answer(byHost, request, response))
    })
    yield* Effect.async<void>((resume) => {
      listener.listen(0, "127.0.0.1", () => resume(Effect.void))
    })
    yield* Effect.addFinalizer(() =>
      Effect.async<void>((resume) => {
        listener.close(() => resume(Effect.void))
        listener.closeAllConnections()
      })
    )
    return { port: (listener.address() as AddressInfo).port, ca: authority.ca }
  })

const answer = (
  byHost: ReadonlyMap<string, TestAuthorizationServer.TestAuthorizationServerService>,
  request: IncomingMessage,
  response: ServerResponse
) =>
  Effect.gen(function*() {
    const host = request.headers.host ?? ""
    const body = yield* Effect.promise(async () => {
      const chunks: Array<Buffer> = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      return new Uint8Array(Buffer.concat(chunks))
    })
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)])
    )
    const reply = yield* byHost.get(host)!.handle({
      method: request.method ?? "GET",
      url: new URL(request.url ?? "/", `https://${host}`),
      headers,
      body
    })
    response.writeHead(reply.status, reply.headers).end(yield* bytes(reply))
  }).pipe(Effect.catchAll(() => Effect.sync(() => response.destroy())))

const bytes = ({ body }: ServerReply.ServerReply) =>
  typeof body === "string" || body instanceof Uint8Array
    ? Effect.succeed(body)
    : Effect.map(Stream.runCollect(body), (chunks) => Buffer.concat([...chunks]))
