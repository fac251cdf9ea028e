/**
 * Client authentication: how the client proves itself, the same way at every endpoint (RFC 6749 §2.3).
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { AttemptError } from "./OAuth2Error.js"
import type * as Parameters from "./Parameters.js"

/**
 * What a method adds to a request: headers, or parameters of the form. Never both.
 *
 * @since 0.1.0
 * @category models
 */
export interface Credentials {
  readonly headers: Readonly<Record<string, Redacted.Redacted<string>>>
  readonly parameters: Parameters.Parameters
  /** What they were made of, where they hold it in another form: a server's error is not to repeat it. */
  readonly secrets?: ReadonlyArray<Redacted.Redacted<string>> | undefined
}

/**
 * One method of client authentication.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClientAuthentication {
  /** The method's registered name, such as `client_secret_basic`. */
  readonly method: string
  /** What is wrong with how it was made, if so: the client's layer then fails with it. */
  readonly problem?: string | undefined
  /** Called once for every request, so that an assertion is new each time. */
  readonly authenticate: (request: {
    readonly clientId: string
    readonly endpoint: URL
  }) => Effect.Effect<Credentials, AttemptError>
}

/**
 * A public client: `client_id` in the form, and no secret, not even an empty one (RFC 6749 §3.2.1).
 *
 * @since 0.1.0
 * @category constructors
 */
export const none: ClientAuthentication = {
  method: "none",
  authenticate: ({ clientId }) => Effect.succeed({ headers: {}, parameters: [["client_id", clientId]] })
}

/**
 * `client_secret_basic`: the Basic header, both halves form-encoded first (RFC 6749 §2.3.1).
 *
 * `formEncode: false` is for servers that take the two as they are, in UTF-8.
 *
 * With an empty secret, such as that of a variable that is set to nothing, the client's layer fails with
 * `ConfigurationError`, field `clientAuthentication`. `allowEmpty` is for servers that want one.
 *
 * @example
 * import { ClientAuthentication } from "@effect-oauth2/core"
 * import { Redacted } from "effect"
 *
 * export const method = ClientAuthentication.clientSecretBasic(Redacted.make("s3cret"))
 *
 * @since 0.1.0
 * @category constructors
 */
export const clientSecretBasic = (
  clientSecret: Redacted.Redacted<string>,
  options: { readonly formEncode?: boolean | undefined; readonly allowEmpty?: boolean | undefined } = {}
): ClientAuthentication => {
  const encode = options.formEncode === false ? (text: string) => text : formEncode
  return {
    method: "client_secret_basic",
    problem: problemOf(clientSecret, options),
    authenticate: ({ clientId }) => {
      const credentials = base64(`${encode(clientId)}:${encode(Redacted.value(clientSecret))}`)
      return Effect.succeed({
        headers: { authorization: Redacted.make(`Basic ${credentials}`) },
        parameters: [],
        secrets: [clientSecret]
      })
    }
  }
}

/**
 * `client_secret_post`: id and secret in the form (RFC 6749 §2.3.1).
 *
 * With an empty secret, such as that of a variable that is set to nothing, the client's layer fails with
 * `ConfigurationError`, field `clientAuthentication`. `allowEmpty` is for servers that want one.
 *
 * @since 0.1.0
 * @category constructors
 */
export const clientSecretPost = (
  clientSecret: Redacted.Redacted<string>,
  options: { readonly allowEmpty?: boolean | undefined } = {}
): ClientAuthentication => ({
  method: "client_secret_post",
  problem: problemOf(clientSecret, options),
  authenticate: ({ clientId }) =>
    Effect.succeed({ headers: {}, parameters: [["client_id", clientId], ["client_secret", clientSecret]] })
})

/**
 * Any other method. `authenticate` runs anew for every request; what it fails with is what the request fails with.
 *
 * A client certificate (RFC 8705) needs no credentials here: give `none`, and an `HttpClient` that presents it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const custom = (
  method: string,
  authenticate: ClientAuthentication["authenticate"]
): ClientAuthentication => ({ method, authenticate })

const problemOf = (
  clientSecret: Redacted.Redacted<string>,
  { allowEmpty }: { readonly allowEmpty?: boolean | undefined }
): string | undefined =>
  allowEmpty === true || Redacted.value(clientSecret).trim() !== ""
    ? undefined
    : "has an empty secret. Give the one from the registration, leave this out for a public client, or say allowEmpty"

const formEncode = (text: string): string => new URLSearchParams([["", text]]).toString().slice(1)

const base64 = (text: string): string =>
  btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""))
