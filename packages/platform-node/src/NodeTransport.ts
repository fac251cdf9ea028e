/**
 * `HttpClient` for what `fetch` has no options for: private certificate authorities, client certificates (mutual TLS,
 * RFC 8705), proxies, and time limits of its own.
 *
 * It checks every certificate, follows no redirect, and asks for no compression. No option turns that off, and neither
 * does an environment variable: `HTTPS_PROXY` and `NODE_TLS_REJECT_UNAUTHORIZED` are not looked at.
 *
 * @since 0.1.0
 */
import { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as PlainReplies from "./internal/plainReplies.js"
import type { Proxy } from "./internal/proxyTunnel.js"
import * as ProxyTunnel from "./internal/proxyTunnel.js"
import type { ClientCertificate, Pem } from "./internal/tls.js"
import * as Tls from "./internal/tls.js"

export type {
  /**
   * What the client shows of itself when a server asks (mutual TLS, RFC 8705).
   *
   * @since 0.1.0
   * @category models
   */
  ClientCertificate,
  /**
   * Certificates or a key in PEM (RFC 7468), as text or as the bytes of a file.
   *
   * @since 0.1.0
   * @category models
   */
  Pem
} from "./internal/tls.js"

export type {
  /**
   * An http or https proxy.
   *
   * @since 0.1.0
   * @category models
   */
  Proxy
} from "./internal/proxyTunnel.js"

/**
 * Time limits are kept to the half second or so. They bound the steps of a request; the whole of a token request is
 * bounded by the client's own `requestDeadline`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Authorities to trust beside the roots that Node brings along. Without this option Node trusts what it was started
   * to trust, `NODE_EXTRA_CA_CERTS` included.
   */
  readonly ca?: Pem | ReadonlyArray<Pem> | undefined
  /** `true`: trust those in `ca`, and no other. Default: `false`. */
  readonly exclusiveCa?: boolean | undefined
  readonly clientCertificate?: ClientCertificate | undefined
  /** Default: none. */
  readonly proxy?: Proxy | undefined
  /** Until there is a connection, TLS included. Default: 5 seconds. */
  readonly connectTimeout?: Duration.DurationInput | undefined
  /** From there until the headers of the reply are there. Default: 10 seconds. */
  readonly headersTimeout?: Duration.DurationInput | undefined
  /** Between two pieces of a body; `Duration.infinity` for streams that may be silent. Default: 30 seconds. */
  readonly bodyTimeout?: Duration.DurationInput | undefined
  /** How long an idle connection is kept. Default: 4 seconds. */
  readonly keepAliveTimeout?: Duration.DurationInput | undefined
  /**
   * The largest body of any reply, in bytes. Default: no limit here. The replies of an authorization server are held to
   * the client's own `maxResponseBytes`, in any case.
   */
  readonly maxResponseSize?: number | undefined
}

/**
 * The transport, with connections of its own that end with the scope.
 *
 * Fails with `ConfigurationError`, naming the field.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<HttpClient.HttpClient, ConfigurationError, Scope.Scope> =>
  Effect.gen(function*() {
    const limits = yield* limitsOf(options)
    const target = yield* Tls.make(options, options.clientCertificate)
    const open = options.proxy === undefined
      ? () => new Undici.Agent({ ...limits.client, connect: { ...target, timeout: limits.connectTimeout } })
      : yield* ProxyTunnel.make(options.proxy, target, yield* Tls.make(options), limits)
    const dispatcher = yield* Effect.acquireRelease(
      Effect.sync(open),
      (dispatcher) => Effect.promise(() => dispatcher.destroy())
    )
    return PlainReplies.ask(NodeHttpClient.makeUndici(dispatcher.compose(PlainReplies.insist(limits.request))))
  })

/**
 * The transport as a layer. Name it once: each layer has connections of its own.
 *
 * Fails with `ConfigurationError`, naming the field, before a socket opens: a certificate or a key that cannot be read,
 * a key that is not the certificate's, a proxy's URL that is none, a time or size that is not positive.
 *
 * @example
 * import { NodeTransport } from "@effect-oauth2/platform-node"
 * import { Redacted } from "effect"
 * import { readFileSync } from "node:fs"
 *
 * export const TransportLive = NodeTransport.layer({
 *   ca: readFileSync("/etc/example/ca.pem"),
 *   clientCertificate: {
 *     cert: readFileSync("/etc/example/client.pem"),
 *     key: Redacted.make(readFileSync("/etc/example/client.key"))
 *   },
 *   proxy: { url: "http://proxy.example:3128" }
 * })
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<HttpClient.HttpClient, ConfigurationError> =>
  Layer.scoped(HttpClient.HttpClient, make(options))

const limitsOf = (options: Options) =>
  Either.gen(function*() {
    const maxResponseSize = options.maxResponseSize ?? -1
    if (options.maxResponseSize !== undefined && !(Number.isInteger(maxResponseSize) && maxResponseSize > 0)) {
      return yield* Either.left(
        new ConfigurationError({ field: "maxResponseSize", problem: "is not a positive number of bytes" })
      )
    }
    const keepAliveTimeout = yield* millis("keepAliveTimeout", options.keepAliveTimeout, 4_000)
    return {
      connectTimeout: yield* millis("connectTimeout", options.connectTimeout, 5_000),
      client: { keepAliveTimeout, keepAliveMaxTimeout: keepAliveTimeout, maxResponseSize },
      request: {
        headersTimeout: yield* millis("headersTimeout", options.headersTimeout, 10_000),
        bodyTimeout: isInfinite(options.bodyTimeout) ? 0 : yield* millis("bodyTimeout", options.bodyTimeout, 30_000)
      }
    }
  })

const isInfinite = (input: Duration.DurationInput | undefined): boolean =>
  input !== undefined && Option.exists(Duration.decodeUnknown(input), (duration) => !Duration.isFinite(duration))

const millis = (
  field: string,
  input: Duration.DurationInput | undefined,
  standard: number
): Either.Either<number, ConfigurationError> => {
  const duration = Duration.decodeUnknown(input ?? standard)
  return Option.isSome(duration) && Duration.isFinite(duration.value) && Duration.toMillis(duration.value) >= 1
    ? Either.right(Math.ceil(Duration.toMillis(duration.value)))
    : Either.left(new ConfigurationError({ field, problem: "is not a positive, finite duration" }))
}
