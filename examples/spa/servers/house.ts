/**
 * All that the page needs, on three origins of this machine: an authorization server, an API, and the page's own, which
 * also takes the orders of those of its buttons that make something go wrong.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Api from "../../../support/browser/api.js"
import * as AuthorizationServer from "../../../support/browser/authorizationServer.js"
import * as Site from "../../../support/browser/site.js"
import type { Settings } from "../src/Settings.js"
import * as Stores from "../src/Stores.js"

export interface House {
  /** Where the page is. */
  readonly origin: string
  readonly api: Api.Api
  readonly authorizationServer: AuthorizationServer.AuthorizationServer
  /** Kills the authorization server, or starts it again: what is so already stays so. */
  readonly serverRuns: (wanted: boolean) => Effect.Effect<void>
}

export const make = (options: {
  /** The page's files, by their paths. */
  readonly files: Readonly<Record<string, Site.File>>
  /** Life of an access token, in seconds. */
  readonly tokenSeconds: number
}): Effect.Effect<House, never, Scope.Scope> =>
  Effect.gen(function*() {
    let isRunning = true
    /** Known when all are up: each needs an address of another. */
    const told: { settings?: Omit<Settings, "serverIsRunning"> } = {}
    const { origin } = yield* Site.serve({
      ...options.files,
      "/settings.json": {
        type: "application/json",
        get body() {
          return JSON.stringify({ ...told.settings, serverIsRunning: isRunning })
        }
      }
    }, { posts: (path) => orders[path] })

    const redirectUri = `${origin}/callback`
    const authorizationServer = yield* AuthorizationServer.make({
      tokenSeconds: options.tokenSeconds,
      redirectUris: Stores.names.map((store) => Stores.keepIn(redirectUri, store)),
      postLogoutRedirectUris: Stores.names.map((store) => Stores.keepIn(`${origin}/`, store))
    })
    const api = yield* Api.make(authorizationServer.provider)
    const { authorizationEndpoint, clientId, endSessionEndpoint, issuer, revocationEndpoint, tokenEndpoint, user } =
      authorizationServer
    told.settings = {
      clientId,
      issuer,
      authorizationEndpoint,
      tokenEndpoint,
      revocationEndpoint,
      endSessionEndpoint,
      redirectUri,
      api: api.origin,
      user
    }

    const serverRuns = (wanted: boolean) =>
      Effect.suspend(() => {
        if (isRunning === wanted) return Effect.void
        isRunning = wanted
        return wanted ? authorizationServer.start : authorizationServer.stop
      })
    const orders: Readonly<Record<string, Effect.Effect<void>>> = {
      "/orders/withdraw": authorizationServer.withdraw,
      "/orders/revoke": authorizationServer.revokeGrants,
      "/orders/stop": serverRuns(false),
      "/orders/start": serverRuns(true)
    }
    return { origin, api, authorizationServer, serverRuns }
  })
