/** The authorization server of the test kit behind a socket, in a process of its own. */
import { Token } from "@effect-oauth2/core"
import { Fault, RequestLog, type ServerReply, TestAuthorizationServer } from "@effect-oauth2/core/testing"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Redacted, Runtime, Schema } from "effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { answer, settings, tell } from "./answering.js"
import type { ServerAnswers, ServerQuestions, ServerSettings, StoredToken } from "./messages.js"

const { accessTokenLifetime, rotation, seed } = settings<ServerSettings>()

const bodyOf = async (request: IncomingMessage): Promise<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  for await (const chunk of request) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}

const headersOf = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

const send = (response: ServerResponse, reply: ServerReply.ServerReply) => {
  response.writeHead(reply.status, reply.headers)
  response.end(typeof reply.body === "string" || reply.body instanceof Uint8Array ? reply.body : "")
}

const encodeToken = Schema.encodeSync(Token.Token)

const main = Effect.gen(function*() {
  const server = yield* TestAuthorizationServer.make({
    seed,
    accessTokenLifetime: `${accessTokenLifetime} seconds`,
    refreshTokenLifetime: "1 day",
    rotation: typeof rotation === "string" ? rotation : { grace: `${rotation.grace} seconds` },
    clients: [{ id: "rig" }]
  })
  const runtime = yield* Effect.runtime<never>()
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await bodyOf(request)
    const url = new URL(request.url ?? "/", server.issuer)
    const act = server.handle({ method: request.method ?? "GET", url, headers: headersOf(request), body })
    Runtime.runFork(runtime)(Effect.match(act, {
      onFailure: () => void response.destroy(),
      onSuccess: (reply) => send(response, reply)
    }))
  }
  const listener = createServer((request, response) => void serve(request, response))
  yield* Effect.async<void>((resume) => {
    listener.listen(0, "127.0.0.1", () => resume(Effect.void))
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      listener.closeAllConnections()
      listener.close()
    })
  )
  const address = listener.address()
  const port = typeof address === "object" ? address?.port : undefined

  yield* answer<ServerQuestions, ServerAnswers, never>({
    issue: ({ count }) =>
      Effect.map(
        Effect.all(Array.from({ length: count }, () => server.issue())),
        // A token that the server issued with a refresh token, as its settings say
        (tokens) => tokens.map((token) => encodeToken(token) as unknown as StoredToken)
      ),
    hold: ({ point, refreshTokens }) => {
      const held = (of: string) => {
        const stay = Fault.make(point, () => Effect.zipRight(tell({ at: point, of }), Effect.never))
        return server.inject("token", point === "request sent" ? stay : Fault.afterActing(stay), {
          where: (exchange) => RequestLog.parameter(exchange, "refresh_token") === of
        })
      }
      return Effect.as(Effect.forEach(refreshTokens, held, { discard: true }), null)
    },
    delay: ({ acted, millis, times }) => {
      const delay = Fault.delay(millis)
      return Effect.as(server.inject("token", acted ? Fault.afterActing(delay) : delay, { times }), null)
    },
    outage: ({ on }) =>
      Effect.as(
        on ? server.inject("token", Fault.reset, { times: Infinity }) : server.clearFaults("token"),
        null
      ),
    report: () =>
      Effect.gen(function*() {
        const exchanges = yield* server.exchanges("token")
        const { concurrentPresentations, reuses } = yield* server.counts
        return {
          requests: exchanges.map(({ at, family, status }) => ({ at, family, status })),
          reuses,
          concurrentPresentations
        }
      }),
    families: ({ refreshTokens }) =>
      Effect.forEach(refreshTokens, (refreshToken) =>
        Effect.map(server.family(refreshToken), (family) => ({
          id: family.id,
          isLive: family.refreshToken !== undefined && Redacted.value(family.refreshToken) === refreshToken,
          isRevoked: family.revoked !== undefined,
          generation: family.generation
        })))
  }, { port })
  return yield* Effect.never
})

NodeRuntime.runMain(Effect.scoped(main))
