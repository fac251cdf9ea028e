/**
 * An authorization server and a resource server in memory: strict as real ones should be, without a socket, by the
 * clock that the test moves, with faults on demand and a log of all that they saw.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Value } from "../Parameters.js"
import * as Scope from "../Scope.js"
import type { Token } from "../Token.js"
import * as Endpoints from "./Endpoints.js"
import type { Family } from "./Family.js"
import type { Fault } from "./Fault.js"
import * as Device from "./internal/device.js"
import * as FaultQueue from "./internal/faultQueue.js"
import { type Handle, make as makeHttpClient } from "./internal/httpClient.js"
import * as Issue from "./internal/issue.js"
import * as Ledger from "./internal/ledger.js"
import * as Log from "./internal/log.js"
import * as Server from "./internal/server.js"
import * as State from "./internal/state.js"
import type { Counts, Endpoint, Exchange } from "./RequestLog.js"
import type { Approval, Options, Settings } from "./ServerOptions.js"
import type { Disconnected, ServerReply, ServerRequest } from "./ServerReply.js"

/**
 * Which requests a fault meets.
 *
 * @since 0.1.0
 * @category models
 */
export interface InjectOptions {
  /** How many requests; `Infinity` until the faults are cleared. Default: 1. */
  readonly times?: number | undefined
  /** Which of the endpoint's requests. Default: all. */
  readonly where?: ((exchange: Exchange) => boolean) | undefined
}

/**
 * A session that is there from the start.
 *
 * @since 0.1.0
 * @category models
 */
export interface IssueOptions {
  /** Default: the first client. */
  readonly clientId?: string | undefined
  /** Default: that of the approval. */
  readonly subject?: string | undefined
  /** Default: none. */
  readonly scope?: Scope.ScopeInput | undefined
  /** Default: that of the settings. */
  readonly refreshToken?: boolean | undefined
}

/**
 * The controls of the server and what it has seen. Whatever names a token, a family or a client that is not there is
 * a mistake in the test, and dies.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestAuthorizationServerService {
  readonly issuer: string
  readonly endpoints: Endpoints.Endpoints
  readonly resourceOrigins: ReadonlyArray<string>
  /** The client that reaches this server, and no other. */
  readonly httpClient: HttpClient.HttpClient
  /** The server apart from any client: to put a socket in front of it. */
  readonly handle: (request: ServerRequest) => Effect.Effect<ServerReply, Disconnected>

  /** Plays the user agent: opens the authorization URL, and returns the callback URL that it was sent to. */
  readonly authorize: (url: string | URL, approval?: Approval) => Effect.Effect<URL>
  /** Plays the user at the verification page of the device flow. */
  readonly approveDevice: (userCode: string, approval?: Approval) => Effect.Effect<void>
  /** A token as a client would hold it, without the way there. */
  readonly issue: (options?: IssueOptions) => Effect.Effect<Token>

  /** Changes what is given, and leaves the rest. */
  readonly configure: (settings: Partial<Settings>) => Effect.Effect<void>
  /** Every access token that was issued so far has expired. */
  readonly expireAccessTokens: Effect.Effect<void>
  /** An access token alone; with a refresh token, its whole family. */
  readonly revokeToken: (token: Value) => Effect.Effect<void>
  /** The family with that id, or of that token. */
  readonly revokeFamily: (idOrToken: Value) => Effect.Effect<void>
  /** From now on the client is unknown: `invalid_client`. */
  readonly disableClient: (clientId: string) => Effect.Effect<void>
  readonly enableClient: (clientId: string) => Effect.Effect<void>
  /** Lets the endpoint's next requests meet a fault, in the order of injection. A request meets one at most. */
  readonly inject: (endpoint: Endpoint, fault: Fault, options?: InjectOptions) => Effect.Effect<void>
  /** Of all endpoints, where none is named. */
  readonly clearFaults: (endpoint?: Endpoint) => Effect.Effect<void>

  /** Every request, or those of one endpoint, in the order of arrival. What is pending is filled in as it ends. */
  readonly exchanges: (endpoint?: Endpoint) => Effect.Effect<ReadonlyArray<Exchange>>
  readonly counts: Effect.Effect<Counts>
  /** How many token requests arrived, or how many of one grant type. */
  readonly tokenRequests: (grantType?: string) => Effect.Effect<number>
  /** Forgets what was seen and counted, but nothing that was issued. */
  readonly clearLog: Effect.Effect<void>
  readonly families: Effect.Effect<ReadonlyArray<Family>>
  /** The family with that id, or of that token, of whatever generation. */
  readonly family: (idOrToken: Value) => Effect.Effect<Family>
}

/**
 * The server as a service.
 *
 * @since 0.1.0
 * @category tags
 */
export class TestAuthorizationServer extends Context.Tag("@effect-oauth2/core/testing/TestAuthorizationServer")<
  TestAuthorizationServer,
  TestAuthorizationServerService
>() {}

/**
 * A server of its own: for tests with several. Dies with `ConfigurationError` when the options cannot work.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<TestAuthorizationServerService> =>
  Effect.sync(() => {
    const state = State.make(options)
    const log = Log.make(options.logSize ?? 100_000)
    const faults = FaultQueue.make()
    const handle = Server.make({ state, log, faults })
    return {
      issuer: state.issuer,
      endpoints: Endpoints.make(state.issuer),
      resourceOrigins: state.resourceOrigins,
      httpClient: makeHttpClient(() => handle),
      handle: (request) => handle(request),
      ...users(state, handle),
      ...controls(state),
      ...injection(faults),
      ...observations(state, log)
    }
  })

/**
 * One client for several servers, each at its own origins. Hosts of none of them are not found (`ENOTFOUND`), in the
 * log of the first.
 *
 * @example
 * import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
 * import { Effect } from "effect"
 *
 * export const program = Effect.gen(function*() {
 *   const honest = yield* TestAuthorizationServer.make({ issuer: "https://honest.test" })
 *   const hostile = yield* TestAuthorizationServer.make({
 *     issuer: "https://hostile.test",
 *     resourceOrigins: ["https://api.hostile.test"]
 *   })
 *   return TestAuthorizationServer.httpClient([honest, hostile])
 * })
 *
 * @since 0.1.0
 * @category constructors
 */
export const httpClient = (
  servers: readonly [TestAuthorizationServerService, ...ReadonlyArray<TestAuthorizationServerService>]
): HttpClient.HttpClient => {
  const handles = new Map<string, Handle>(
    servers.flatMap(({ handle, issuer, resourceOrigins }) =>
      [new URL(issuer).origin, ...resourceOrigins].map((origin) => [origin, handle] as const)
    )
  )
  return makeHttpClient((url) => handles.get(url.origin) ?? servers[0].handle)
}

/**
 * The server, and the plain `HttpClient` that reaches it in the place of a real one.
 *
 * Dies with `ConfigurationError` when the options cannot work. Two layers are two servers: keep one value of it.
 *
 * @example
 * import { HttpClient } from "@effect/platform"
 * import { Fault, TestAuthorizationServer } from "@effect-oauth2/core/testing"
 * import { Effect } from "effect"
 * import * as assert from "node:assert"
 *
 * const program = Effect.gen(function*() {
 *   const server = yield* TestAuthorizationServer.TestAuthorizationServer
 *   yield* server.inject("metadata", Fault.status(503, { retryAfter: "30" }))
 *   const refused = yield* HttpClient.get(server.endpoints.metadata)
 *   const answered = yield* HttpClient.get(server.endpoints.metadata)
 *   assert.deepStrictEqual([refused.status, answered.status], [503, 200])
 * })
 *
 * export const test = program.pipe(Effect.provide(TestAuthorizationServer.layer({ rotation: "strict" })))
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<TestAuthorizationServer | HttpClient.HttpClient> =>
  Layer.effectContext(
    Effect.map(
      make(options),
      (server) =>
        Context.make(TestAuthorizationServer, server).pipe(Context.add(HttpClient.HttpClient, server.httpClient))
    )
  )

type Service = TestAuthorizationServerService

const mistake = (problem: string) => Effect.dieMessage(`TestAuthorizationServer: ${problem}`)

const reveal = (value: Value): string => typeof value === "string" ? value : Redacted.value(value)

const users = (
  state: State.State,
  handle: ReturnType<typeof Server.make>
): Pick<Service, "authorize" | "approveDevice" | "issue"> => ({
  authorize: (url, approval) =>
    handle({ method: "GET", url: new URL(url), headers: {}, body: new Uint8Array(0) }, approval).pipe(
      Effect.orDie,
      Effect.flatMap(({ body, headers, status }) =>
        headers["location"] === undefined
          ? mistake(`no redirect, but status ${status}${typeof body === "string" ? `: ${body}` : ""}`)
          : Effect.succeed(new URL(headers["location"]))
      )
    ),
  approveDevice: (userCode, approval) =>
    Effect.suspend(() =>
      Device.decideDevice(state, userCode, approval ?? state.settings.approval)
        ? Effect.void
        : mistake("no device has this user code")
    ),
  issue: (options = {}) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const { approval, refreshTokens } = state.settings
      const clientId = options.clientId ?? state.clients.keys().next().value
      if (clientId === undefined || !state.clients.has(clientId)) return mistake("the client is unknown")
      const family = Ledger.openFamily(state.ledger, {
        clientId,
        subject: options.subject ?? ("subject" in approval ? approval.subject : "user-1"),
        scope: Scope.make(options.scope ?? []),
        resource: [],
        grantType: "authorization_code"
      })
      return Effect.succeed(
        Issue.issue(state, { family, refreshToken: options.refreshToken ?? refreshTokens, now })
      )
    })
})

const controls = (
  state: State.State
): Pick<
  Service,
  "configure" | "expireAccessTokens" | "revokeToken" | "revokeFamily" | "disableClient" | "enableClient"
> => {
  const withClient = (clientId: string, f: () => void) =>
    Effect.suspend(() => state.clients.has(clientId) ? Effect.sync(f) : mistake("the client is unknown"))
  const revokeFamily: Service["revokeFamily"] = (idOrToken) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const family = Ledger.findFamily(state.ledger, reveal(idOrToken))
      if (family === undefined) return mistake("the family is unknown")
      return Effect.sync(() => Ledger.revokeFamily(family, "control", now))
    })
  return {
    configure: (settings) => Effect.sync(() => void (state.settings = State.configured(state.settings, settings))),
    expireAccessTokens: Effect.sync(() => void (state.ledger.expiredUpTo = state.ledger.accessTokens.size)),
    revokeToken: (token) =>
      Effect.suspend(() => {
        const access = state.ledger.accessTokens.get(reveal(token))
        return access === undefined ? revokeFamily(token) : Effect.sync(() => void (access.revoked = true))
      }),
    revokeFamily,
    disableClient: (clientId) => withClient(clientId, () => void state.disabledClients.add(clientId)),
    enableClient: (clientId) => withClient(clientId, () => void state.disabledClients.delete(clientId))
  }
}

const injection = (faults: FaultQueue.FaultQueue): Pick<Service, "inject" | "clearFaults"> => ({
  inject: (endpoint, fault, { times = 1, where = () => true } = {}) =>
    Effect.sync(() => faults.add({ endpoint, fault, where, left: times })),
  clearFaults: (endpoint) => Effect.sync(() => faults.clear(endpoint))
})

const observations = (
  state: State.State,
  log: Log.Log
): Pick<Service, "exchanges" | "counts" | "tokenRequests" | "clearLog" | "families" | "family"> => ({
  exchanges: (endpoint) => Effect.sync(() => log.exchanges(endpoint)),
  counts: Effect.sync(() => log.counts()),
  tokenRequests: (grantType) =>
    Effect.sync(() => {
      const { grantTypes, requests } = log.counts()
      return grantType === undefined ? requests.token : grantTypes[grantType] ?? 0
    }),
  clearLog: Effect.sync(() => log.clear()),
  families: Effect.sync(() => state.ledger.families.map(Ledger.view)),
  family: (idOrToken) =>
    Effect.suspend(() => {
      const family = Ledger.findFamily(state.ledger, reveal(idOrToken))
      return family === undefined ? mistake("the family is unknown") : Effect.succeed(Ledger.view(family))
    })
})
