import * as Endpoints from "../Endpoints.js"
import type { Endpoint } from "../RequestLog.js"
import type { State } from "./state.js"

/** Which endpoint a URL is of. */
export const router = (state: State): (url: URL) => Endpoint => {
  const urls = Endpoints.make(state.issuer)
  const endpoints = new Map<string, Endpoint>([
    [urls.metadata, "metadata"],
    [urls.openidConfiguration, "metadata"],
    [urls.jwks, "jwks"],
    [urls.authorization, "authorization"],
    [urls.token, "token"],
    [urls.revocation, "revocation"],
    [urls.introspection, "introspection"],
    [urls.deviceAuthorization, "device_authorization"]
  ])
  const resourceOrigins = new Set(state.resourceOrigins)
  return (url) =>
    endpoints.get(url.origin + url.pathname) ?? (resourceOrigins.has(url.origin) ? "resource" : "elsewhere")
}
