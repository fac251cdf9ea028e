import * as Redacted from "effect/Redacted"
import * as Endpoint from "../../Endpoint.js"
import { ConfigurationError } from "../../OAuth2Error.js"
import type { Approval, ExtensionGrant, Options, RegisteredClient, Settings } from "../ServerOptions.js"
import { confidentialClient, defaultSettings, publicClient } from "../ServerOptions.js"
import * as Ledger from "./ledger.js"
import * as TokenText from "./tokenText.js"

/** All that the server knows. It is changed in one go, by one request at a time. */
export interface State {
  readonly issuer: string
  readonly resourceOrigins: ReadonlyArray<string>
  readonly scopes: ReadonlySet<string> | undefined
  readonly extensionGrants: ReadonlyMap<string, ExtensionGrant>
  readonly clients: ReadonlyMap<string, Client>
  readonly disabledClients: Set<string>
  settings: Settings
  readonly ledger: Ledger.Ledger
  readonly codes: Map<string, AuthorizationCode>
  readonly devices: Map<string, Device>
}

export interface Client {
  readonly id: string
  readonly secret: string | undefined
  readonly authentication: NonNullable<RegisteredClient["authentication"]>
  readonly redirectUris: ReadonlyArray<string>
  readonly grants: ReadonlySet<string> | undefined
}

export interface AuthorizationCode {
  readonly clientId: string
  readonly redirectUri: string
  readonly codeChallenge: string
  readonly subject: string
  readonly scope: ReadonlyArray<string>
  readonly resource: ReadonlyArray<string>
  readonly expiresAt: number
  spent: boolean
  family: Ledger.FamilyRecord | undefined
}

export interface Device {
  readonly clientId: string
  readonly userCode: string
  readonly scope: ReadonlyArray<string>
  readonly expiresAt: number
  interval: number
  polledAt: number | undefined
  approval: Approval | undefined
  spent: boolean
}

/** Throws a `ConfigurationError`: a test that is set up wrongly cannot go on. */
export const make = (options: Options): State => {
  const issuer = options.issuer ?? "https://as.test"
  checkUrl("issuer", issuer)
  const clients = (options.clients ?? [publicClient, confidentialClient]).map(toClient)
  const resourceOrigins = (options.resourceOrigins ?? ["https://api.test"]).map((origin) =>
    checkUrl("resourceOrigins", origin).origin
  )
  return {
    issuer: issuer.replace(/\/$/, ""),
    resourceOrigins,
    scopes: options.scopes === undefined ? undefined : new Set(options.scopes),
    extensionGrants: new Map(Object.entries(options.extensionGrants ?? {})),
    clients: new Map(clients.map((client) => [client.id, client])),
    disabledClients: new Set(),
    settings: configured(defaultSettings, options),
    ledger: Ledger.make(TokenText.make(`${options.seed ?? 0} ${issuer}`)),
    codes: new Map(),
    devices: new Map()
  }
}

/** What is not given stays as it is. */
export const configured = (settings: Settings, patch: Partial<Settings>): Settings => {
  const given = Object.entries(patch).filter(([name, value]) => value !== undefined && name in defaultSettings)
  return { ...settings, ...Object.fromEntries(given) }
}

const checkUrl = (field: string, text: string): URL => {
  const url = Endpoint.make(field, text, { allowInsecureLoopback: true })
  if (url._tag === "Left") throw url.left
  return url.right
}

const toClient = (client: RegisteredClient): Client => {
  const secret = Redacted.isRedacted(client.secret) ? Redacted.value(client.secret) : client.secret
  const authentication = client.authentication ?? (secret === undefined ? "none" : "client_secret_basic")
  if ((authentication === "none") !== (secret === undefined)) {
    throw new ConfigurationError({
      field: "clients",
      problem: `${client.id} needs a secret for ${authentication}, or none without. Give both or neither`
    })
  }
  return {
    id: client.id,
    secret,
    authentication,
    redirectUris: client.redirectUris ?? [],
    grants: client.grants === undefined ? undefined : new Set(client.grants)
  }
}
