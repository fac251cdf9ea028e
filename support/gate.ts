/** A way to a server on loopback that can be closed: as if it had gone, or as if the line were dead. */
import { Effect } from "effect"
import type { Scope } from "effect"
import { connect, createServer, type Socket } from "node:net"

export interface Gate {
  readonly port: number
  /** Breaks what is connected, and refuses what comes. */
  readonly close: Effect.Effect<void>
  /** Passes nothing on, and breaks nothing: whoever asks waits. */
  readonly silence: Effect.Effect<void>
  readonly open: Effect.Effect<void>
}

type State = "open" | "closed" | "silent"

/** Two ends of one connection. */
interface Line {
  readonly inside: Socket
  readonly outside: Socket
}

export const make = (target: number): Effect.Effect<Gate, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<Gate & { readonly end: Effect.Effect<void> }>((resume) => {
      const lines = new Set<Line>()
      let state: State = "open"
      const server = createServer((inside) => {
        if (state === "closed") return void inside.resetAndDestroy()
        const line: Line = { inside, outside: connect(target, "127.0.0.1") }
        lines.add(line)
        for (const [end, other] of [[inside, line.outside], [line.outside, inside]] as const) {
          end.on("error", () => end.destroy()).on("close", () => {
            lines.delete(line)
            other.destroy()
          })
        }
        if (state === "open") pass(line)
      })
      const close = Effect.sync(() => {
        state = "closed"
        for (const { inside, outside } of lines) {
          inside.resetAndDestroy()
          outside.resetAndDestroy()
        }
      })
      const silence = Effect.sync(() => {
        state = "silent"
        for (const line of lines) hold(line)
      })
      const open = Effect.sync(() => {
        if (state === "silent") { for (const line of lines) pass(line) }
        state = "open"
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed({
          port: typeof address === "object" && address !== null ? address.port : 0,
          close,
          silence,
          open,
          end: Effect.zipRight(close, Effect.async<void>((done) => void server.close(() => done(Effect.void))))
        }))
      })
    }),
    ({ end }) => end
  )

const pass = ({ inside, outside }: Line): void => {
  inside.pipe(outside)
  outside.pipe(inside)
}

const hold = ({ inside, outside }: Line): void => {
  inside.unpipe(outside).pause()
  outside.unpipe(inside).pause()
}
