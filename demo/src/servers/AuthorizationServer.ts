/**
 * A real authorization server: oidc-provider, as strict as it can be. PKCE is required, each refresh token works once,
 * and one that comes a second time ends the whole family of tokens.
 */
import { generateKeyPairSync, randomBytes, randomInt } from "node:crypto"
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import type { Model, Provider } from "oidc-provider"
import { load } from "../../../support/oidc/load.js"
import * as Memory from "../../../support/oidc/Memory.js"
import * as SignInPages from "../../../support/oidc/SignInPages.js"
import type { ClientRecord, Ready, Report, TokenRequest } from "./Messages.js"

export interface AuthorizationServer {
  readonly provider: Provider
  readonly listener: RequestListener
  readonly clients: Ready["clients"]
  readonly user: SignInPages.User
  /** From the next token request on, token requests are turned away for so long. */
  readonly refuse: (millis: number) => void
  /** Makes the newest access token useless before its time. */
  readonly withdraw: () => Promise<void>
  /** The number of an access token, from 1, by its text. */
  readonly numberOf: (accessToken: string) => number
  readonly report: () => Omit<Report, "type" | "callsPerToken" | "callsRefused">
}

export const make = async (options: {
  readonly issuer: string
  readonly tokenSeconds: number
}): Promise<AuthorizationServer> => {
  const { Provider } = await load()
  const clients = makeClients()
  const user = { name: "ada", password: String(randomInt(100_000, 1_000_000)) }
  const provider = new Provider(options.issuer, configuration(options.tokenSeconds, Object.values(clients)))

  const tokenRequests: Array<TokenRequest> = []
  const accessTokens: Array<Model> = []
  const refreshTokens: Array<Model> = []
  const grantTypes = new WeakMap<IncomingMessage, string>()
  let logins = 0
  let grantsRevoked = 0
  provider.on("access_token.saved", (token) => accessTokens.push(token))
  provider.on("refresh_token.saved", (token) => refreshTokens.push(token))
  provider.on("grant.revoked", () => grantsRevoked++)
  provider.on("server_error", (_, error) => console.error("The authorization server failed:", error))
  for (const event of ["grant.success", "grant.error"] as const) {
    provider.on(event, ({ oidc, req }) => grantTypes.set(req, oidc.params?.grant_type ?? ""))
  }

  const busy = makeBusy()
  const callback = provider.callback()
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method === "POST" && request.url === "/token") {
      response.once("finish", () => tokenRequests.push({ status: response.statusCode, ...grantTypeOf(request) }))
      if (busy.isBusy()) return turnAway(request, response)
    }
    const handled = request.url?.startsWith(`${SignInPages.path}/`) === true
      ? SignInPages.handle(provider, user, request, response, () => logins++)
      : callback(request, response)
    handled.catch((error: unknown) => {
      console.error("The authorization server failed:", error)
      response.destroy()
    })
  }
  const grantTypeOf = (request: IncomingMessage): { grantType?: string } => {
    const grantType = grantTypes.get(request)
    return grantType === undefined ? {} : { grantType }
  }

  return {
    provider,
    listener,
    clients,
    user,
    refuse: busy.begin,
    withdraw: async () => accessTokens.at(-1)?.destroy(),
    numberOf: (accessToken) => accessTokens.findIndex(({ jti }) => jti === accessToken) + 1,
    report: () => ({
      tokenRequests,
      logins,
      accessTokens: accessTokens.length,
      refreshTokens: refreshTokens.length,
      grantsRevoked,
      secrets: [...accessTokens, ...refreshTokens].map(({ jti }) => jti)
    })
  }
}

type Owner = { readonly clientId: string }

const configuration = (tokenSeconds: number, clients: ReadonlyArray<ClientRecord>): Record<string, unknown> => ({
  adapter: Memory.makeAdapter(),
  clients: clients.map(({ clientId, clientSecret, method }) => ({
    client_id: clientId,
    ...(clientSecret === undefined ? undefined : { client_secret: clientSecret }),
    token_endpoint_auth_method: method,
    application_type: "native",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: ["http://127.0.0.1/callback", "http://127.0.0.1/"],
    id_token_signed_response_alg: "ES256"
  })),
  scopes: ["openid", "offline_access", "read"],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: {
    AccessToken: tokenSeconds,
    AuthorizationCode: 60,
    IdToken: 60,
    RefreshToken: 3_600,
    Grant: 3_600,
    Session: 3_600,
    Interaction: 600
  },
  features: {
    devInteractions: { enabled: false },
    revocation: {
      enabled: true,
      allowedPolicy: (_: unknown, client: Owner, token: Owner) => client.clientId === token.clientId
    }
  },
  interactions: { url: (_: unknown, interaction: { uid: string }) => `${SignInPages.path}/${interaction.uid}` },
  findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
  cookies: { keys: [randomBytes(32).toString("hex")] },
  jwks: { keys: [generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" })] }
})

/** The two secrets have characters that a Basic header and a form must carry in different ways. */
const makeClients = (): Ready["clients"] => ({
  native: { clientId: "demo", method: "none" },
  basic: {
    clientId: "demo:basic",
    clientSecret: `% +:&=/${randomBytes(18).toString("hex")}`,
    method: "client_secret_basic"
  },
  post: {
    clientId: "demo+post",
    clientSecret: `% +:&=/${randomBytes(18).toString("hex")}`,
    method: "client_secret_post"
  }
})

/** A time of trouble, which begins with the first request that falls into it. */
const makeBusy = () => {
  let millis = 0
  let until = 0
  return {
    begin: (duration: number) => {
      millis = duration
    },
    isBusy: (): boolean => {
      const now = Date.now()
      if (millis > 0) {
        until = now + millis
        millis = 0
      }
      return now < until
    }
  }
}

const turnAway = (request: IncomingMessage, response: ServerResponse): void => {
  request.resume()
  response.writeHead(503, { "content-type": "application/json", "retry-after": "1" })
    .end(JSON.stringify({ error: "temporarily_unavailable" }))
}
