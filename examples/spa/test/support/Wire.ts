/** What went over the wire, request by request: to be searched for secrets. */
import type { Request } from "playwright-core"
import type { AuthorizationServer } from "../../../../support/browser/authorizationServer.js"

export interface Sent {
  readonly origin: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly form: URLSearchParams
}

/** To be read while the request is made: the window that makes it may be closed before long. */
export const read = async (request: Request): Promise<Sent> => {
  const { origin, pathname, search } = new URL(request.url())
  const body = request.postData() ?? ""
  // What the browser adds at last, such as cookies, is told by the network; of a window that is gone, by nobody
  const headers = await request.allHeaders().catch(() => request.headers())
  return { origin, path: pathname, query: search, headers, body, form: new URLSearchParams(body) }
}

export const holds = (secret: string) => ({ body, headers, path, query }: Sent): boolean =>
  [path, query, body, ...Object.values(headers)].some((text) => text.includes(secret))

/** Whose origin is which. */
export type Names = Readonly<Record<"api" | "page" | "server", string>>

/** Each place that a secret was in, as often as it was there, such as `api header authorization`. */
export const placesOf = (wire: ReadonlyArray<Sent>, names: Names) => (secret: string): ReadonlyArray<string> =>
  wire.flatMap(({ body, form, headers, origin, path, query }) => {
    const who = Object.entries(names).find(([, known]) => known === origin)?.[0] ?? origin
    const where = `${who} ${path.slice(1)}`
    const fields = [...form].filter(([, value]) => value.includes(secret)).map(([name]) => `${where} body ${name}`)
    return [
      ...(path.includes(secret) ? [`${who} path`] : []),
      ...(query.includes(secret) ? [`${where} query`] : []),
      ...Object.entries(headers).filter(([, value]) => value.includes(secret)).map(([name]) => `${who} header ${name}`),
      ...fields,
      ...(body.includes(secret) && fields.length === 0 ? [`${where} body`] : [])
    ]
  })

const home = {
  codes: /^(?:page callback query|server token body code)$/,
  accessTokens: /^api header authorization$/,
  refreshTokens: /^server (?:token body refresh_token|token\/revocation body token)$/
}

/** Requests to others than these three, and each place of a credential where it has no business. */
export const misplaced = (
  wire: ReadonlyArray<Sent>,
  names: Names,
  { seen }: Pick<AuthorizationServer, "seen">
): ReadonlyArray<string> => {
  const known = Object.values(names)
  const places = placesOf(wire, names)
  return [
    ...wire.filter(({ origin }) => !known.includes(origin)).map(({ origin }) => `a request to ${origin}`),
    ...(["codes", "accessTokens", "refreshTokens"] as const).flatMap((kind) =>
      seen[kind].flatMap(places).filter((place) => !home[kind].test(place)).map((place) => `${kind}: ${place}`)
    )
  ]
}
