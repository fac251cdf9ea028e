/**
 * Connections through a proxy. What goes wrong on this side of the tunnel is marked as such: nothing was sent yet.
 */
import { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import * as Undici from "@effect/platform-node/Undici"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type { Tls } from "./tls.js"

/**
 * An http or https proxy. Every connection is a tunnel through it (`CONNECT`, RFC 9110 §9.3.6), so that it sees names
 * and ports, and no request.
 *
 * @since 0.1.0
 * @category models
 */
export interface Proxy {
  /** Without user and password: those are `credentials`. */
  readonly url: string | URL
  /** Sent to the proxy alone, as Basic. */
  readonly credentials?: { readonly username: string; readonly password: Redacted.Redacted<string> } | undefined
  /** Sent to the proxy alone, as Bearer, instead of `credentials`. */
  readonly token?: Redacted.Redacted<string> | undefined
}

interface Limits {
  /** Milliseconds. */
  readonly connectTimeout: number
  readonly client: Undici.Client.Options
}

export const make = (
  proxy: Proxy,
  target: Tls,
  proxyTls: Tls,
  { client, connectTimeout }: Limits
): Either.Either<() => Undici.ProxyAgent, ConfigurationError> =>
  Either.all([proxyUrl(proxy.url), authorization(proxy)]).pipe(
    Either.map(([uri, token]) => () =>
      new Undici.ProxyAgent({
        ...client,
        uri,
        ...(token === undefined ? {} : { token: Redacted.value(token) }),
        requestTls: { ...target, timeout: connectTimeout },
        proxyTls: { ...proxyTls, timeout: connectTimeout },
        clientFactory: (url, options) => new TunnelPool(url, { ...options, headersTimeout: connectTimeout })
      })
    )
  )

const proxyUrl = (input: string | URL): Either.Either<string, ConfigurationError> => {
  const text = String(input)
  if (!/^https?:\/\/[^/?#\\\s]/i.test(text) || !URL.canParse(text)) {
    return Either.left(
      invalid("proxy.url", "is not an http or https URL. Write it in full, as http://proxy.example:3128")
    )
  }
  const { hash, origin, password, pathname, search, username } = new URL(text)
  if (username !== "" || password !== "") {
    return Either.left(invalid("proxy.url", "has a user or password inside. Give them as proxy.credentials"))
  }
  return `${pathname}${search}${hash}` === "/"
    ? Either.right(origin)
    : Either.left(invalid("proxy.url", "has a path, a query or a fragment. Leave out what follows the port"))
}

/** The value of the `Proxy-Authorization` header, if any. */
const authorization = (
  { credentials, token }: Proxy
): Either.Either<Redacted.Redacted<string> | undefined, ConfigurationError> => {
  if (credentials !== undefined && token !== undefined) {
    return Either.left(invalid("proxy.token", "stands beside proxy.credentials. Give one of them"))
  }
  if (token !== undefined) {
    return /^[A-Za-z0-9\-._~+/]+=*$/.test(Redacted.value(token))
      ? Either.right(Redacted.make(`Bearer ${Redacted.value(token)}`))
      : Either.left(invalid("proxy.token", "has characters that no token has (RFC 6750 §2.1)"))
  }
  if (credentials === undefined) return Either.right(undefined)
  if (credentials.username.includes(":")) {
    return Either.left(invalid("proxy.credentials.username", "has a colon, which ends it (RFC 7617 §2)"))
  }
  const basic = Buffer.from(`${credentials.username}:${Redacted.value(credentials.password)}`).toString("base64")
  return Either.right(Redacted.make(`Basic ${basic}`))
}

const invalid = (field: string, problem: string) => new ConfigurationError({ field, problem })

/** Connections to the proxy itself. */
class TunnelPool extends Undici.Pool {
  override connect<T = null>(
    options: Undici.Dispatcher.ConnectOptions<T>,
    callback: (error: Error | null, data: Undici.Dispatcher.ConnectData<T>) => void
  ): void
  override connect<T = null>(options: Undici.Dispatcher.ConnectOptions<T>): Promise<Undici.Dispatcher.ConnectData<T>>
  override connect(options: Undici.Dispatcher.ConnectOptions): Promise<Undici.Dispatcher.ConnectData> {
    return super.connect(options).then(open, refused)
  }
}

const open = (reply: Undici.Dispatcher.ConnectData): Undici.Dispatcher.ConnectData => {
  if (reply.statusCode === 200) return reply
  reply.socket.on("error", () => {}).destroy()
  throw new NoTunnel(reply.statusCode)
}

const refused = (cause: unknown): never => {
  throw new NoTunnel(undefined, { cause })
}

/** Its code is one of those after which core knows that no request left. */
class NoTunnel extends Error {
  readonly code = "UNABLE_TO_TUNNEL"

  constructor(status: number | undefined, options?: ErrorOptions) {
    super(status === undefined ? "The proxy gave no tunnel" : `The proxy gave no tunnel, but status ${status}`, options)
  }
}
