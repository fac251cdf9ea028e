import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { webCrypto } from "../../OAuth2Crypto.js"
import * as Pkce from "../../Pkce.js"
import type { Endpoint } from "../RequestLog.js"
import type { Approval } from "../ServerOptions.js"
import { Disconnected, empty, json, type ServerReply, type ServerRequest } from "../ServerReply.js"
import type { Answer } from "./answer.js"
import { authorize } from "./authorizationEndpoint.js"
import { authorizeDevice } from "./device.js"
import type { FaultQueue } from "./faultQueue.js"
import * as Form from "./form.js"
import { introspect } from "./introspection.js"
import type { Entry, Log } from "./log.js"
import { metadata } from "./metadata.js"
import { resource } from "./resourceServer.js"
import { revoke } from "./revocation.js"
import { router } from "./routes.js"
import type { State } from "./state.js"
import { token } from "./tokenEndpoint.js"

export interface Parts {
  readonly state: State
  readonly log: Log
  readonly faults: FaultQueue
}

interface Call {
  readonly endpoint: Endpoint
  readonly request: ServerRequest
  readonly params: URLSearchParams
  readonly approval: Approval | undefined
}

/**
 * One request, from arrival to reply. Only faults, and the digest of a code verifier, take time; the server's own doing
 * is one step that nothing comes between. It lets other fibers run before and after, as a network would.
 */
export const make = (parts: Parts) => {
  const route = router(parts.state)
  return (request: ServerRequest, approval?: Approval): Effect.Effect<ServerReply, Disconnected> =>
    Clock.clockWith((clock) => {
      const endpoint = route(request.url)
      const form = Form.text(request)
      const params = form === "" ? none : new URLSearchParams(form)
      const entry = parts.log.begin({ endpoint, request, form, params, now: clock.unsafeCurrentTimeMillis() })
      const act = acting(parts.state, { endpoint, request, params, approval }, entry)
      const fault = parts.faults.take(entry.exchange)
      if (fault !== undefined) entry.metFault(fault.name)
      return Effect.yieldNow().pipe(
        Effect.andThen(fault === undefined ? act : fault.apply(act)),
        Effect.tap(Effect.yieldNow()),
        Effect.onExit((exit) => Effect.sync(() => recordEnd(entry, exit)))
      )
    })
}

const none = new URLSearchParams()

const recordEnd = (entry: Entry, exit: Exit.Exit<ServerReply, Disconnected>): void => {
  if (Exit.isSuccess(exit)) entry.ended("answered", exit.value)
  else entry.ended(Exit.isInterrupted(exit) ? "interrupted" : "failed", undefined)
}

const acting = (state: State, call: Call, entry: Entry): Effect.Effect<ServerReply, Disconnected> =>
  call.endpoint === "elsewhere" && call.request.url.origin !== new URL(state.issuer).origin
    ? new Disconnected({ code: "ENOTFOUND" })
    : Effect.flatMap(challengeOf(call), (challenge) =>
      Clock.clockWith((clock) =>
        Effect.sync(() => {
          const answer = act(state, call, challenge, clock.unsafeCurrentTimeMillis())
          entry.acted(answer)
          return answer
        })
      ))

/** S256 of the code verifier, by the platform's own digest whatever the client computes with (RFC 7636 §4.6). */
const challengeOf = ({ endpoint, params }: Call): Effect.Effect<string | undefined> => {
  const verifier = endpoint === "token" ? Form.get(params, "code_verifier") : undefined
  return verifier === undefined || !Pkce.isCodeVerifier(verifier)
    ? Effect.succeed(undefined)
    : Effect.map(webCrypto.sha256(new TextEncoder().encode(verifier)), Pkce.codeChallenge)
}

const act = (state: State, call: Call, challenge: string | undefined, now: number): Answer => {
  const { endpoint, params, request } = call
  switch (endpoint) {
    case "metadata":
      return metadata(state)
    case "jwks":
      return json(200, { keys: [] })
    case "authorization":
      return authorize(state, request, call.approval ?? state.settings.approval, now)
    case "token":
      return token(state, request, params, challenge, now)
    case "revocation":
      return revoke(state, request, params, now)
    case "introspection":
      return introspect(state, request, params, now)
    case "device_authorization":
      return authorizeDevice(state, request, params, now)
    case "resource":
      return resource(state, request, now)
    case "elsewhere":
      return empty(404)
  }
}
