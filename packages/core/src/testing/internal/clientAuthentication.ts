import * as Either from "effect/Either"
import { type Answer, oauthError } from "./answer.js"
import { get } from "./form.js"
import type { Client, State } from "./state.js"

/** The client that a request proves to be from: exactly one method, the registered one (RFC 6749 §2.3 and §3.2.1). */
export const authenticate = (
  state: State,
  authorization: string | undefined,
  params: URLSearchParams
): Either.Either<Client, Answer> => {
  if (authorization !== undefined && params.has("client_secret")) {
    return Either.left(oauthError("invalid_request", "More than one method of client authentication"))
  }
  const presented = authorization === undefined ? fromForm(params) : fromBasic(authorization)
  const clientId = get(params, "client_id")
  if (presented !== undefined && clientId !== undefined && clientId !== presented.clientId) {
    return Either.left(oauthError("invalid_request", "client_id is not that of the header"))
  }
  const client = presented === undefined ? undefined : state.clients.get(presented.clientId)
  const isProven = client !== undefined && presented !== undefined && !state.disabledClients.has(client.id) &&
    presented.method === client.authentication && presented.secret === client.secret
  return isProven ? Either.right(client) : Either.left(invalidClient(authorization !== undefined))
}

interface Presented {
  readonly method: Client["authentication"]
  readonly clientId: string
  readonly secret: string | undefined
}

const fromForm = (params: URLSearchParams): Presented | undefined => {
  const clientId = get(params, "client_id")
  if (clientId === undefined) return undefined
  return params.has("client_secret")
    ? { method: "client_secret_post", clientId, secret: params.get("client_secret") ?? "" }
    : { method: "none", clientId, secret: undefined }
}

const fromBasic = (authorization: string): Presented | undefined => {
  const credentials = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  const [clientId, secret] = credentials === undefined ? [] : splitCredentials(credentials)
  return clientId === undefined || secret === undefined
    ? undefined
    : { method: "client_secret_basic", clientId, secret }
}

const splitCredentials = (credentials: string): ReadonlyArray<string | undefined> => {
  try {
    const [clientId, ...rest] = atob(credentials).split(":")
    return rest.length === 1 ? [clientId, rest[0]].map(formDecode) : []
  } catch {
    return []
  }
}

/** Both halves come form-encoded (RFC 6749 §2.3.1): what is left in them unencoded is refused. */
const formDecode = (text: string | undefined): string | undefined =>
  text === undefined || !/^(?:[\w.*+~!'()-]|%[0-9A-Fa-f]{2})*$/.test(text)
    ? undefined
    : decodeURIComponent(text.replaceAll("+", " "))

const invalidClient = (byHeader: boolean): Answer =>
  oauthError("invalid_client", "The client is unknown, or has not proved itself by its registered method", {
    status: 401,
    headers: byHeader ? { "www-authenticate": `Basic realm="authorization server"` } : {}
  })
