/**
 * Serves HTTP on a port of this machine.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"

export interface Listening {
  readonly origin: string
  readonly port: number
}

/** Until the scope closes, on the port or, for 0, on a free one. Connections that are open then are cut. */
export const listen = (listener: RequestListener, port = 0): Effect.Effect<Listening, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<ReturnType<typeof createServer>>((resume) => {
        // An idle connection is the client's to close: a server that closes it may meet a request on its way
        const server = createServer({ keepAliveTimeout: 60_000 }, listener)
        server.once("error", (error) => resume(Effect.die(error)))
        server.listen(port, "localhost", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    ),
    (server) => {
      const { port } = server.address() as AddressInfo
      return { origin: `http://localhost:${port}`, port }
    }
  )
