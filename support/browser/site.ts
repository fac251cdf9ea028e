/**
 * An origin of this machine that serves files out of memory, under a strict Content-Security-Policy.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RequestListener } from "node:http"
import { listen } from "./listen.js"

export interface File {
  readonly type: string
  readonly body: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

export interface Options {
  /** For every page. Default: {@link strict}. */
  readonly csp?: string | undefined
  /** Default: a free one. */
  readonly port?: number | undefined
  /** What a POST to this path does, if it comes from a page of this origin. `undefined`: there is nothing to be done. */
  readonly posts?: ((path: string) => Effect.Effect<void> | undefined) | undefined
}

/** Nothing but the origin's own scripts and styles, and requests and frames of whatever port of this machine. */
export const strict = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "worker-src 'self'",
  "connect-src 'self' http://localhost:*",
  "frame-src 'self' http://localhost:*",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'"
].join("; ")

/** The files, by their paths. */
export const serve = (
  files: Readonly<Record<string, File>>,
  { csp = strict, port = 0, posts = () => undefined }: Options = {}
): Effect.Effect<{ readonly origin: string }, never, Scope.Scope> => {
  const listener: RequestListener = (request, response) => {
    request.resume()
    const path = new URL(request.url ?? "/", "http://localhost").pathname
    if (request.method === "POST") {
      const isOwn = request.headers.origin === `http://${request.headers.host}`
      const act = isOwn ? posts(path) : undefined
      if (act === undefined) return void response.writeHead(isOwn ? 404 : 403).end()
      return void Effect.runCallback(act, {
        onExit: ({ _tag }) => response.writeHead(_tag === "Success" ? 204 : 500).end()
      })
    }
    const file = files[path]
    if (file === undefined) return void response.writeHead(404).end()
    response.writeHead(200, {
      "content-type": file.type,
      "content-security-policy": csp,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      ...file.headers
    }).end(file.body)
  }
  return Effect.map(listen(listener, port), ({ origin }) => ({ origin }))
}

/** A page with one script, which is a module. */
export const page = (script: string, headers: File["headers"] = {}): File => ({
  type: "text/html; charset=utf-8",
  body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,">
    <script type="module" src="${script}"></script></html>`,
  headers
})

export const script = (body: string): File => ({ type: "text/javascript; charset=utf-8", body })
