/**
 * The listener itself, on node:http: Effect's server would write the callback's URL, with the code in it, into a span,
 * and would wait at its end for connections that browsers open in advance and never use.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { LoopbackError } from "../LoopbackError.js"
import { notFound, type Reply } from "./page.js"

export interface Options {
  readonly host: "127.0.0.1" | "::1"
  readonly port: number
  readonly path: string
  /** What the user sees who comes back with this query. */
  readonly pageFor: (query: URLSearchParams) => Reply
}

export interface LoopbackServer {
  readonly redirectUri: string
  /** From now on the callback with this state is let in, once. */
  readonly expect: (state: string) => Effect.Effect<Effect.Effect<URL>>
}

interface Expected {
  readonly state: string
  readonly callback: Deferred.Deferred<URL>
}

/** More than a browser opens; where there are more, the oldest make way, so that nobody can keep the user out. */
const maxConnections = 256

const limits = {
  maxHeaderSize: 32_768,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000
}

export const open = (options: Options): Effect.Effect<LoopbackServer, LoopbackError, Scope.Scope> =>
  Effect.gen(function*() {
    const { host, path } = options
    let expected: Expected | undefined
    const server = createServer(limits)
    yield* listening(server, options)
    const redirectUri = new URL(path, `http://${host === "::1" ? "[::1]" : host}:${portOf(server)}`).href

    server.on("request", (request, response) => {
      const callback = callbackOf(request, redirectUri)
      if (expected === undefined || callback === undefined || !isFor(callback, expected.state)) {
        return send(response, notFound)
      }
      const { callback: deferred } = expected
      expected = undefined
      response.once("close", () => Deferred.unsafeDone(deferred, Exit.succeed(callback)))
      send(response, options.pageFor(callback.searchParams))
    })

    return {
      redirectUri,
      expect: (state) =>
        Effect.map(Deferred.make<URL>(), (callback) => {
          expected = { state, callback }
          return Deferred.await(callback)
        })
    }
  })

/** The request's URL, if it could be the callback by its method, path and host. */
const callbackOf = (request: IncomingMessage, redirectUri: string): URL | undefined => {
  const { host, pathname } = new URL(redirectUri)
  const target = request.url ?? ""
  const isCallback = request.method === "GET" && request.headers.host === host && target.split("?", 1)[0] === pathname
  return isCallback ? new URL(target, redirectUri) : undefined
}

const isFor = (callback: URL, state: string): boolean => {
  const [given, ...more] = callback.searchParams.getAll("state").map((state) => Buffer.from(state))
  const wanted = Buffer.from(state)
  return given !== undefined && more.length === 0 && given.length === wanted.length && timingSafeEqual(given, wanted)
}

const send = (response: ServerResponse, { body, headers, status }: Reply): void => {
  response.writeHead(status, headers).end(body)
}

const listening = (server: Server, { host, port }: Options): Effect.Effect<void, LoopbackError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<ReadonlySet<Socket>, LoopbackError>((resume) => {
      const sockets = boundedSockets(server)
      server.on("error", (error) => resume(cannotListen(error)))
      server.listen({ host, port, exclusive: true }, () => resume(Effect.succeed(sockets)))
    }),
    (sockets) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
  )

const boundedSockets = (server: Server): ReadonlySet<Socket> => {
  const sockets = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
    const oldest = sockets.size > maxConnections ? sockets.values().next().value : undefined
    if (oldest === undefined) return
    sockets.delete(oldest)
    oldest.destroy()
  })
  return sockets
}

const cannotListen = (error: NodeJS.ErrnoException): LoopbackError =>
  new LoopbackError({ reason: error.code === "EADDRINUSE" ? "PortInUse" : "CannotListen", code: error.code })

const portOf = (server: Server): number => (server.address() as AddressInfo).port
