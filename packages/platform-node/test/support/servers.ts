/** Real servers on the loopback interface, each as long as its scope. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type RequestListener, type Server } from "node:http"
import { createServer as createSecureServer } from "node:https"
import {
  type AddressInfo,
  connect,
  createServer as createSocketServer,
  type Server as SocketServer,
  type Socket
} from "node:net"
import type { TlsOptions, TLSSocket } from "node:tls"

export interface Running {
  readonly port: number
  /** Connections that were opened so far. */
  readonly connections: () => number
  /** Connections that are open now. */
  readonly open: () => number
}

export const http = (listener: RequestListener): Effect.Effect<Running, never, Scope.Scope> =>
  running(() => createServer(listener))

export const https = (tls: TlsOptions, listener: RequestListener): Effect.Effect<Running, never, Scope.Scope> =>
  running(() => createSecureServer(tls, listener))

/** Bytes on a socket, for what no http server would do. */
export const sockets = (onConnection: (socket: Socket) => unknown): Effect.Effect<Running, never, Scope.Scope> =>
  running(() => createSocketServer(onConnection))

export interface ProxyLog {
  readonly target: string | undefined
  readonly authorization: string | undefined
}

/** A proxy that opens tunnels, unless it is told to answer otherwise. */
export const proxy = (
  log: Array<ProxyLog>,
  options: {
    readonly refuse?: string
    readonly stall?: boolean
    /** Over https, with the name of whoever connects. */
    readonly tls?: TlsOptions
    readonly onPeer?: (name: string | undefined) => void
  } = {}
): Effect.Effect<Running, never, Scope.Scope> =>
  running(() => {
    const server = options.tls === undefined ? createServer() : createSecureServer(options.tls)
    return server.on("connect", (request, socket: Socket | TLSSocket) => {
      log.push({ target: request.url, authorization: request.headers["proxy-authorization"] })
      if ("getPeerCertificate" in socket) options.onPeer?.(nameOf(socket))
      socket.on("error", () => {})
      if (options.refuse !== undefined) socket.end(`HTTP/1.1 ${options.refuse}\r\n\r\n`)
      else if (options.stall !== true) tunnel(socket, Number(request.url?.split(":")[1]))
    })
  })

/** The common name of the certificate that the client showed, if any. */
export const nameOf = (socket: TLSSocket): string | undefined => {
  const subject: { readonly CN?: string | Array<string> } | undefined = socket.getPeerCertificate().subject
  return subject?.CN?.toString()
}

const tunnel = (socket: Socket, port: number): void => {
  const upstream = connect(port, "127.0.0.1", () => {
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n")
    upstream.pipe(socket).pipe(upstream)
  })
  upstream.on("error", () => socket.destroy())
  socket.on("close", () => upstream.destroy())
}

const running = (make: () => Server | SocketServer): Effect.Effect<Running, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Running & { readonly close: () => void }>((resume) => {
      const open = new Set<Socket>()
      let connections = 0
      const server = make()
      server.on("connection", (socket: Socket) => {
        connections++
        open.add(socket)
        socket.on("error", () => {}).on("close", () => open.delete(socket))
      })
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({
          port: (server.address() as AddressInfo).port,
          connections: () => connections,
          open: () => open.size,
          close: () => {
            server.close()
            for (const socket of open) socket.destroy()
          }
        })))
    }),
    ({ close }) => Effect.sync(close)
  )
