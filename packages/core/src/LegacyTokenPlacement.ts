/**
 * Tokens in a URL or a form, for APIs that take them nowhere else. They then show in logs, histories and referrers, which
 * the standards advise against (RFC 6750 §2.2 and §2.3, RFC 9700 §4.3.2).
 *
 * @since 0.1.0
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpMethod from "@effect/platform/HttpMethod"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Redacted from "effect/Redacted"
import { InputError } from "./OAuth2Error.js"
import type { Token } from "./Token.js"
import { type TokenPlacement, withBearer } from "./TokenPlacement.js"

/**
 * A parameter of the URL's query, behind what is there (RFC 6750 §2.3). The transport's spans, which would show the URL,
 * are off for such requests.
 *
 * A request whose query has that parameter already, not blank, fails with `InputError`. A blank one is replaced.
 *
 * @example
 * import * as LegacyTokenPlacement from "@effect-oauth2/core/LegacyTokenPlacement"
 * import { OAuth2Client } from "@effect-oauth2/core"
 *
 * export const Http = OAuth2Client.layerHttpClient({
 *   origins: ["https://api.example.com"],
 *   placement: LegacyTokenPlacement.query()
 * })
 *
 * @since 0.1.0
 * @category constructors
 */
export const query = (name = "access_token"): TokenPlacement => ({
  isInUrl: true,
  place: (request, token) => hasValue(queryOf(request), name) ? alreadySet(name) : withQuery(request, name, token)
})

/**
 * A parameter of the request's form, behind what is there (RFC 6750 §2.2).
 *
 * A request fails with `InputError` when its method carries no body, when its body is no form, and when the form has
 * that parameter already, not blank. A blank one is replaced.
 *
 * @since 0.1.0
 * @category constructors
 */
export const body = (name = "access_token"): TokenPlacement => ({
  place: (request, token) => {
    const form = formOf(request)
    if (form === undefined) {
      return new InputError({ field: "body", problem: "is no form that can hold a token. Send a form, or no body" })
    }
    return hasValue(form, name) ? alreadySet(name) : withForm(request, form, name, token)
  }
})

/**
 * The header of the standards, and a parameter beside it where the request does not set it itself: in the query, or in
 * the form of a request that has one or could have one, when `form` is `true`. A blank one is replaced.
 *
 * @since 0.1.0
 * @category constructors
 */
export const besideHeader = (
  name: string,
  options: { readonly form?: boolean | undefined } = {}
): TokenPlacement => ({
  isInUrl: true,
  place: (request, token) => {
    const form = options.form === true ? formOf(request) : undefined
    const isSet = hasValue(queryOf(request), name) || (form !== undefined && hasValue(form, name))
    const withParameter = isSet
      ? request
      : form === undefined
      ? withQuery(request, name, token)
      : withForm(request, form, name, token)
    return withBearer(withParameter, token)
  }
})

const alreadySet = (name: string): InputError =>
  new InputError({ field: name, problem: "is already set on the request. Leave it out" })

type Pairs = ReadonlyArray<readonly [name: string, value: string]>

const hasValue = (pairs: Pairs, name: string): boolean =>
  pairs.some(([other, value]) => other === name && value.trim() !== "")

// ---- query

/** Of the URL's text and of the parameters that stand apart from it. */
const queryOf = (request: HttpClientRequest.HttpClientRequest): Pairs => [
  ...(URL.canParse(request.url) ? new URL(request.url).searchParams : []),
  ...request.urlParams
]

const withQuery = (request: HttpClientRequest.HttpClientRequest, name: string, token: Token) =>
  HttpClientRequest.setUrlParam(withoutBlank(request, name), name, Redacted.value(token.accessToken))

/** Without the parameter in the URL's text; the text is left as it is written where it has none. */
const withoutBlank = (request: HttpClientRequest.HttpClientRequest, name: string) => {
  if (!URL.canParse(request.url)) return request
  const url = new URL(request.url)
  if (!url.searchParams.has(name)) return request
  url.searchParams.delete(name)
  return HttpClientRequest.updateUrl(request, () => url.href)
}

// ---- form

const formType = "application/x-www-form-urlencoded"

/** The pairs of a request that has a form or could have one, otherwise `undefined`. */
const formOf = ({ body, headers, method }: HttpClientRequest.HttpClientRequest): Pairs | undefined => {
  if (!HttpMethod.hasBody(method)) return undefined
  if (body._tag === "Empty") return []
  if (body._tag === "Raw" && body.body instanceof URLSearchParams) return [...body.body]
  const isForm = (body.contentType ?? headers["content-type"])?.toLowerCase().startsWith(formType) === true
  if (!isForm) return undefined
  if (body._tag === "Uint8Array") return [...new URLSearchParams(new TextDecoder().decode(body.body))]
  return body._tag === "Raw" && typeof body.body === "string" ? [...new URLSearchParams(body.body)] : undefined
}

const withForm = (
  request: HttpClientRequest.HttpClientRequest,
  form: Pairs,
  name: string,
  token: Token
): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.setBody(
    request,
    HttpBody.urlParams(
      UrlParams.fromInput([
        ...form.filter(([other]) => other !== name),
        [name, Redacted.value(token.accessToken)]
      ]),
      formType
    )
  )
