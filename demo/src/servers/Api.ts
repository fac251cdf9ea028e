/**
 * The API that the program is here for. It looks up every token at the authorization server, and takes none on trust.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AuthorizationServer } from "./AuthorizationServer.js"
import type { ApiAnswer, Report } from "./Messages.js"

export interface Api {
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void
  readonly report: () => Pick<Report, "callsPerToken" | "callsRefused">
}

export const make = ({ numberOf, provider }: AuthorizationServer): Api => {
  const callsPerToken: Array<number> = []
  let callsRefused = 0

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const accessToken = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1]
    const known = accessToken === undefined ? undefined : await provider.AccessToken.find(accessToken)
    request.resume()
    if (accessToken === undefined || known === undefined) {
      callsRefused++
      const challenge = accessToken === undefined ? "Bearer" : "Bearer error=\"invalid_token\""
      response.writeHead(401, { "www-authenticate": challenge }).end()
      return
    }
    const number = numberOf(accessToken)
    while (callsPerToken.length < number) callsPerToken.push(0)
    callsPerToken[number - 1]!++
    const body: ApiAnswer = { hello: known.accountId, token: number }
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body))
  }

  return {
    listener: (request, response) => {
      answer(request, response).catch((error: unknown) => {
        console.error("The API failed:", error)
        response.destroy()
      })
    },
    report: () => ({ callsPerToken, callsRefused })
  }
}
