/**
 * A real authorization server for pages: oidc-provider on an origin of its own. PKCE is required, each refresh token
 * works once, and one that comes a second time, after its time of grace, ends the whole family of tokens. Whoever has
 * signed in has agreed.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { generateKeyPairSync, randomBytes } from "node:crypto"
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import type { Context, interactionPolicy, Model, Provider } from "oidc-provider"
import { load } from "../oidc/load.js"
import * as Memory from "../oidc/Memory.js"
import * as SignInPages from "../oidc/SignInPages.js"
import { listen } from "./listen.js"

export interface Options {
  /** Life of an access token, in seconds. */
  readonly tokenSeconds: number
  /** For how long a refresh token that was used works again, in seconds. Default: not at all. */
  readonly graceSeconds?: number | undefined
  /** Exactly these, with their ports. */
  readonly redirectUris: ReadonlyArray<string>
  readonly postLogoutRedirectUris?: ReadonlyArray<string> | undefined
  /** Of every answer, such as `cross-origin-opener-policy`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Default: a free one. */
  readonly port?: number | undefined
}

/** A request that the token endpoint has answered. */
export interface TokenRequest {
  readonly grantType: string
  readonly status: number
}

export interface AuthorizationServer {
  readonly provider: Provider
  readonly clientId: string
  readonly user: SignInPages.User
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly revocationEndpoint: string
  readonly endSessionEndpoint: string
  /** What it saw, from the beginning. The arrays grow. */
  readonly seen: {
    readonly requests: ReadonlyArray<{ readonly method: string; readonly path: string; readonly origin?: string }>
    readonly tokenRequests: ReadonlyArray<TokenRequest>
    /** Access and refresh tokens as texts: to be looked for where they must not be. */
    readonly tokens: ReadonlyArray<string>
    readonly accessTokens: ReadonlyArray<string>
    readonly refreshTokens: ReadonlyArray<string>
    readonly codes: ReadonlyArray<string>
    /** Login forms that were accepted. */
    readonly logins: () => number
    /** Families of tokens that were withdrawn as a whole. */
    readonly grantsRevoked: () => number
  }
  /** How long each answer of the token endpoint is held back from now on, in milliseconds, after it was decided. */
  readonly delayAnswers: (millis: number) => void
  /** Makes all access tokens useless before their time. */
  readonly withdraw: Effect.Effect<void>
  /** Ends all that was granted: what is refreshed now is refused. */
  readonly revokeGrants: Effect.Effect<void>
  /** Cuts all connections, and takes no more until `start`, which takes the same port. */
  readonly stop: Effect.Effect<void>
  readonly start: Effect.Effect<void>
}

export const make = (options: Options): Effect.Effect<AuthorizationServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    let listener: RequestListener = (_, response) => void response.writeHead(503).end()
    const serve = (port: number) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const listening = yield* Scope.extend(listen((request, response) => listener(request, response), port), scope)
        return { ...listening, close: Scope.close(scope, Exit.void) }
      })
    let front = yield* serve(options.port ?? 0)
    yield* Effect.addFinalizer(() => Effect.suspend(() => front.close))
    const issuer = front.origin
    const server = yield* Effect.promise(() => makeProvider(issuer, options))
    listener = server.listener
    return {
      ...server.face,
      issuer,
      authorizationEndpoint: `${issuer}/auth`,
      tokenEndpoint: `${issuer}/token`,
      revocationEndpoint: `${issuer}/token/revocation`,
      endSessionEndpoint: `${issuer}/session/end`,
      stop: Effect.suspend(() => front.close),
      start: Effect.map(Effect.suspend(() => serve(front.port)), (again) => {
        front = again
      })
    }
  })

const clientId = "page"
const user = { name: "ada", password: "lovelace" }

const makeProvider = async (issuer: string, options: Options) => {
  const { Provider, interactionPolicy } = await load()
  const provider = new Provider(issuer, configuration(options, withoutConsent(interactionPolicy.base())))

  const requests: Array<{ readonly method: string; readonly path: string; readonly origin?: string }> = []
  const tokenRequests: Array<TokenRequest> = []
  const tokens: Array<string> = []
  const accessTokens: Array<string> = []
  const refreshTokens: Array<string> = []
  const codes: Array<string> = []
  const valid: Array<Model> = []
  const grants = new Set<string>()
  const grantTypes = new WeakMap<IncomingMessage, string>()
  let logins = 0
  let grantsRevoked = 0
  let delay = 0
  const issues = {
    "access_token.saved": [tokens, accessTokens],
    "refresh_token.saved": [tokens, refreshTokens],
    "authorization_code.saved": [codes]
  }
  for (const event of ["access_token.saved", "refresh_token.saved", "authorization_code.saved"] as const) {
    provider.on(event, (token) => {
      for (const texts of issues[event]) texts.push(token.jti)
      grants.add(token.grantId)
      if (event === "access_token.saved") valid.push(token)
    })
  }
  provider.on("grant.revoked", () => grantsRevoked++)
  provider.on("server_error", (_, error) => console.error("The authorization server failed:", error))
  for (const event of ["grant.success", "grant.error"] as const) {
    provider.on(event, ({ oidc, req }) => grantTypes.set(req, oidc.params?.grant_type ?? ""))
  }

  const callback = provider.callback()
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { headers: { origin }, method = "" } = request
    const path = new URL(request.url ?? "/", issuer).pathname
    requests.push({ method, path, ...(origin === undefined ? undefined : { origin }) })
    for (const [name, value] of Object.entries(options.headers ?? {})) response.setHeader(name, value)
    if (method === "POST" && path === "/token") {
      response.once(
        "finish",
        () => tokenRequests.push({ grantType: grantTypes.get(request) ?? "", status: response.statusCode })
      )
      if (delay > 0) holdBack(response, delay)
    }
    const handled = path.startsWith(`${SignInPages.path}/`)
      ? SignInPages.handle(provider, user, request, response, () => logins++)
      : callback(request, response)
    handled.catch((error: unknown) => {
      console.error("The authorization server failed:", error)
      response.destroy()
    })
  }

  return {
    listener,
    face: {
      provider,
      clientId,
      user,
      seen: {
        requests,
        tokenRequests,
        tokens,
        accessTokens,
        refreshTokens,
        codes,
        logins: () => logins,
        grantsRevoked: () => grantsRevoked
      },
      delayAnswers: (millis: number) => {
        delay = millis
      },
      withdraw: Effect.promise(async () => {
        for (const token of valid.splice(0)) await token.destroy()
      }),
      revokeGrants: Effect.promise(async () => {
        for (const grantId of grants) {
          await provider.RefreshToken.revokeByGrantId(grantId)
          await provider.AccessToken.revokeByGrantId(grantId)
        }
        grants.clear()
      })
    }
  }
}

/** The server has done its work; only its answer is late. */
const holdBack = (response: ServerResponse, millis: number): void => {
  const end = response.end.bind(response) as (...args: ReadonlyArray<unknown>) => ServerResponse
  const late = (...args: ReadonlyArray<unknown>): ServerResponse => {
    setTimeout(() => end(...args), millis)
    return response
  }
  response.end = late as typeof response.end
}

type Policy = ReturnType<typeof interactionPolicy.base>

const withoutConsent = (policy: Policy): Policy => {
  policy.get("consent")?.checks.remove("native_client_prompt")
  return policy
}

const configuration = (options: Options, policy: Policy): Record<string, unknown> => ({
  adapter: Memory.makeAdapter({ graceSeconds: options.graceSeconds }),
  clients: [{
    client_id: clientId,
    token_endpoint_auth_method: "none",
    application_type: "web",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: options.redirectUris,
    post_logout_redirect_uris: options.postLogoutRedirectUris ?? [],
    id_token_signed_response_alg: "ES256"
  }],
  clientBasedCORS: () => true,
  scopes: ["openid", "offline_access", "read"],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  // Each sign-in stands for itself
  expiresWithSession: async () => false,
  loadExistingGrant,
  ttl: {
    AccessToken: options.tokenSeconds,
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
    },
    rpInitiatedLogout: { enabled: true, logoutSource }
  },
  interactions: {
    policy,
    url: (_: unknown, interaction: { uid: string }) => `${SignInPages.path}/${interaction.uid}`
  },
  findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
  cookies: { keys: [randomBytes(32).toString("hex")] },
  jwks: { keys: [generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" })] }
})

type Owner = { readonly clientId: string }

/** Each sign-in has a grant of its own, of all that it asks for. */
const loadExistingGrant = async ({ oidc: { client, params, provider, session } }: Context) => {
  if (session?.accountId === undefined || client === undefined) return undefined
  const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId })
  grant.addOIDCScope(params?.scope ?? "")
  await grant.save()
  return grant
}

const logoutSource = async (context: { body: string }, form: string): Promise<void> => {
  context.body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign out</title><h1>Sign out?</h1>
    ${form}<button name="logout" value="yes" form="op.logoutForm">Sign out</button></html>`
}
