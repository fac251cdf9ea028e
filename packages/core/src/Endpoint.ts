/**
 * A URL that passed the transport policy: https, or http on the loopback interface where an option allows it
 * (RFC 6749 §3.1 and §3.2, RFC 9700 §2.6).
 *
 * @since 0.1.0
 */
import type * as Brand from "effect/Brand"
import * as Either from "effect/Either"
import { ConfigurationError } from "./OAuth2Error.js"

/**
 * @since 0.1.0
 * @category models
 */
export type Endpoint = URL & Brand.Brand<"@effect-oauth2/core/Endpoint">

/**
 * @since 0.1.0
 * @category models
 */
export interface TransportPolicy {
  /**
   * Allow plain http to `localhost`, `127.0.0.1` and `[::1]`: for development and tests, where everyone on the
   * machine is trusted with the tokens. Default: `false`.
   */
  readonly allowInsecureLoopback?: boolean | undefined
}

const absolute = /^(https?):\/\/[^/?#\\\s]/i

const unprintable = /[\u0000-\u0020\u007f]/

/**
 * Whether the host is the loopback interface by name or literal.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname)

/**
 * Whether credentials may travel to the URL under the policy.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSecure = (url: URL, policy: TransportPolicy): boolean =>
  url.protocol === "https:" ||
  (url.protocol === "http:" && policy.allowInsecureLoopback === true && isLoopback(url.hostname))

/**
 * Reads the URL of an endpoint. Its own query is kept.
 *
 * Fails with `ConfigurationError` under the given field name: not an absolute URL, a scheme other than https, user
 * and password inside, or a fragment.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  field: string,
  input: string | URL,
  policy: TransportPolicy
): Either.Either<Endpoint, ConfigurationError> => {
  const refuse = (problem: string) => Either.left(new ConfigurationError({ field, problem }))
  const text = String(input)
  if (!absolute.test(text) || unprintable.test(text) || !URL.canParse(text)) {
    return refuse("is not an absolute https URL. Write it in full, as https://server.example/path")
  }
  const url = new URL(text)
  if (!isSecure(url, policy)) {
    return refuse("is not https. Use https, or allowInsecureLoopback for a server on this machine")
  }
  if (url.username !== "" || url.password !== "") {
    return refuse("has a user or password inside. Give credentials as clientAuthentication")
  }
  if (text.includes("#")) return refuse("has a fragment. Leave out # and what follows it")
  return Either.right(url as Endpoint)
}
