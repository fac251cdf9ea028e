/** A way to a server on loopback that can be closed: as if it had gone. */
import { Effect } from "effect"
import { connect, createServer, type Socket } from "node:net"

export interface Gate {
  readonly port: number
  /** Breaks what is connected, and refuses what comes. */
  readonly close: Effect.Effect<void>
  readonly open: Effect.Effect<void>
}

export const make = (target: number) =>
  Effect.acquireRelease(
    Effect.async<Gate & { readonly end: Effect.Effect<void> }>((resume) => {
      const sockets = new Set<Socket>()
      let isOpen = true
      const keep = (socket: Socket) => {
        sockets.add(socket)
        socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket))
      }
      const server = createServer((inside) => {
        keep(inside)
        if (!isOpen) return void inside.resetAndDestroy()
        const outside = connect(target, "127.0.0.1")
        keep(outside)
        inside.pipe(outside).on("close", () => inside.destroy())
        outside.pipe(inside).on("close", () => outside.destroy())
        inside.on("close", () => outside.destroy())
      })
      const close = Effect.sync(() => {
        isOpen = false
        for (const socket of sockets) socket.resetAndDestroy()
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed({
          port: typeof address === "object" && address !== null ? address.port : 0,
          close,
          open: Effect.sync(() => void (isOpen = true)),
          end: Effect.zipRight(close, Effect.async<void>((done) => void server.close(() => done(Effect.void))))
        }))
      })
    }),
    ({ end }) => end
  )
