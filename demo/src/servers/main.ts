/**
 * The servers, in a process of their own: an authorization server and an API, over HTTPS, on ports that were free. They
 * end with the process that started them.
 */
import type { RequestListener } from "node:http"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { makeAuthority } from "../../../support/certificates.js"
import * as Api from "./Api.js"
import * as AuthorizationServer from "./AuthorizationServer.js"
import type { FromServers, ToServers } from "./Messages.js"

const tell = (message: FromServers): void => {
  process.send?.(message)
}

const tokenSeconds = Number(process.argv[2])
const authority = await makeAuthority("effect-oauth2 demo CA")
const identity = await authority.issue("localhost", ["localhost", "127.0.0.1"])

/** Serves on a free port, and what is asked before there is a listener is not answered. */
const listen = (): Promise<{ readonly origin: string; readonly serve: (listener: RequestListener) => void }> => {
  // An idle connection is the client's to close: a server that closes it may meet a request on its way.
  const server = createServer({ ...identity, keepAliveTimeout: 60_000 })
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resolve({ origin: `https://127.0.0.1:${port}`, serve: (listener) => void server.on("request", listener) })
    })
  })
}

const front = await listen()
const back = await listen()
const authorizationServer = await AuthorizationServer.make({ issuer: front.origin, tokenSeconds })
const api = Api.make(authorizationServer)
front.serve(authorizationServer.listener)
back.serve(api.listener)

const obey = async (message: ToServers): Promise<FromServers> => {
  switch (message.type) {
    case "refuse":
      authorizationServer.refuse(message.millis)
      return { type: "done" }
    case "withdraw":
      await authorizationServer.withdraw()
      return { type: "done" }
    case "report":
      return { type: "report", ...authorizationServer.report(), ...api.report() }
  }
}

process.on("message", (message: ToServers) => void obey(message).then(tell))
process.on("disconnect", () => process.exit(0))
// Ctrl-C reaches the whole terminal: the program decides when its servers end.
process.on("SIGINT", () => {})

tell({
  type: "ready",
  ca: authority.ca,
  issuer: front.origin,
  authorizationEndpoint: `${front.origin}/auth`,
  tokenEndpoint: `${front.origin}/token`,
  revocationEndpoint: `${front.origin}/token/revocation`,
  api: back.origin,
  tokenSeconds,
  clients: authorizationServer.clients,
  user: authorizationServer.user
})
