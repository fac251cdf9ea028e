import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Scope from "../../Scope.js"
import type { Approval } from "../ServerOptions.js"
import { json, type ServerRequest } from "../ServerReply.js"
import { type Answer, oauthError } from "./answer.js"
import { checkForm } from "./clientRequest.js"
import * as Form from "./form.js"
import { grantedScope } from "./grantedScope.js"
import { answer } from "./issue.js"
import * as Ledger from "./ledger.js"
import type { Device, State } from "./state.js"
import { mayRefresh, type TokenRequest } from "./tokenRequest.js"

export const deviceGrantType = "urn:ietf:params:oauth:grant-type:device_code"

/** The device authorization endpoint (RFC 8628 §3.1 and §3.2). */
export const authorizeDevice = (
  state: State,
  request: ServerRequest,
  params: URLSearchParams,
  now: number
): Answer => {
  const checked = checkForm(state, request, params)
  if (Either.isLeft(checked)) return checked.left
  const client = checked.right
  if (client.grants?.has(deviceGrantType) === false) {
    return oauthError("unauthorized_client", "The client may not use the device grant")
  }
  const scope = grantedScope(state, Scope.make(Form.get(params, "scope") ?? ""))
  if (scope === undefined) return oauthError("invalid_scope", "A scope is unknown")
  const { deviceCodeLifetime, deviceInterval } = state.settings
  const deviceCode = state.ledger.text("dc")
  const userCode = `WDJB-${String(state.devices.size + 1).padStart(4, "0")}`
  state.devices.set(deviceCode, {
    clientId: client.id,
    userCode,
    scope,
    expiresAt: now + Duration.toMillis(deviceCodeLifetime),
    interval: Duration.toMillis(deviceInterval),
    polledAt: undefined,
    approval: undefined,
    spent: false
  })
  const page = `${state.issuer}/device`
  return json(200, {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: page,
    verification_uri_complete: `${page}?user_code=${userCode}`,
    expires_in: Math.floor(Duration.toSeconds(deviceCodeLifetime)),
    interval: Math.ceil(Duration.toSeconds(deviceInterval))
  })
}

/** What the user says at the verification page. Whether the user code is known. */
export const decideDevice = (state: State, userCode: string, approval: Approval): boolean => {
  const device = [...state.devices.values()].find((device) => device.userCode === userCode)
  if (device !== undefined) device.approval = approval
  return device !== undefined
}

/** The device code grant (RFC 8628 §3.4 and §3.5). */
export const pollDevice = (request: TokenRequest): Answer => {
  const { client, now, params, state } = request
  const deviceCode = Form.get(params, "device_code")
  if (deviceCode === undefined) return oauthError("invalid_request", "device_code is missing")
  const device = state.devices.get(deviceCode)
  if (device === undefined || device.clientId !== client.id || device.spent) {
    return oauthError("invalid_grant", "The device code is unknown or was used before")
  }
  if (now > device.expiresAt) return oauthError("expired_token", "The device code has expired")
  if (isTooSoon(device, now)) return oauthError("slow_down", "The interval is now 5 seconds longer")
  if (device.approval === undefined) return oauthError("authorization_pending", "The user has not answered yet")
  device.spent = true
  if ("error" in device.approval) {
    return oauthError(device.approval.error, device.approval.description ?? "The user said no")
  }
  const { scope = device.scope, subject } = device.approval
  const grant = { clientId: client.id, subject, scope, resource: request.resource, grantType: deviceGrantType }
  const family = Ledger.openFamily(state.ledger, grant)
  return answer(state, { family, refreshToken: mayRefresh(request), now })
}

/** RFC 8628 §3.5: whoever polls within the interval waits 5 seconds longer from then on. */
const isTooSoon = (device: Device, now: number): boolean => {
  const isSoon = device.polledAt !== undefined && now < device.polledAt + device.interval
  if (isSoon) device.interval += 5_000
  device.polledAt = now
  return isSoon
}
