/** Requests as no HTTP library would make them, on connections of their own. */
import * as Effect from "effect/Effect"
import { type IncomingHttpHeaders, request } from "node:http"
import { connect, type Socket } from "node:net"

export interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Request {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Fails with the code of the connection, such as `ECONNREFUSED`. */
export const send = (url: string | URL, options: Request = {}): Effect.Effect<Answer, string> => {
  const { hostname, origin, port } = new URL(url)
  return raw({ host: hostname.replace(/[[\]]/g, ""), port, path: String(url).slice(origin.length) }, options)
}

/** A path that a URL would put in order first. */
export const raw = (
  { host, path, port }: { readonly host: string; readonly port: string; readonly path: string },
  { body, headers, method = "GET" }: Request = {}
): Effect.Effect<Answer, string> =>
  Effect.async((resume) => {
    const outgoing = request({ host, port, path, method, headers: { ...headers }, agent: false }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(String(error.code))))
      response.on("end", () =>
        resume(Effect.succeed({
          status: response.statusCode,
          headers: response.headers,
          body: Buffer.concat(chunks).toString()
        })))
    })
    outgoing.on("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(String(error.code))))
    outgoing.end(body)
    return Effect.sync(() => outgoing.destroy())
  })

/** A connection, or the code of what went wrong. */
export const socket = (port: number, host = "127.0.0.1"): Effect.Effect<Socket, string> =>
  Effect.async((resume) => {
    const socket = connect({ port, host, timeout: 1_000 }, () => resume(Effect.succeed(socket)))
    socket.on("timeout", () => socket.destroy())
    socket.on("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(String(error.code))))
    socket.on("close", () => resume(Effect.fail("closed")))
  })

/** Sends the text on a connection of its own, and returns the status code of what comes back before the end. */
export const exchange = (port: number, text: string): Effect.Effect<number, string> =>
  Effect.async((resume) => {
    let answer = ""
    const socket = connect(port, "127.0.0.1", () => socket.write(text))
    socket.on("data", (chunk: Buffer) => answer += chunk.toString("latin1"))
    socket.on("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(String(error.code))))
    socket.on("close", () => resume(Effect.succeed(Number(answer.slice(9, 12)))))
  })
