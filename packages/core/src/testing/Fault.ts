/**
 * Faults: what can go wrong between a client and the authorization server in memory, as values.
 *
 * A fault stands around what the server does. It may hold it up, answer in its place, cut the line before or after,
 * or change its answer.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { dual } from "effect/Function"
import * as Stream from "effect/Stream"
import { Disconnected, empty, json, type ServerReply, text } from "./ServerReply.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Fault {
  /** For the log. */
  readonly name: string
  /** `act` is the server's own doing: run it once or not at all. */
  readonly apply: (act: Effect.Effect<ServerReply, Disconnected>) => Effect.Effect<ServerReply, Disconnected>
}

/**
 * A fault of one's own.
 *
 * @example
 * import { Fault } from "@effect-oauth2/core/testing"
 * import { Effect } from "effect"
 *
 * export const teapot = Fault.make("teapot", (act) => Effect.map(act, (reply) => ({ ...reply, status: 418 })))
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (name: string, apply: Fault["apply"]): Fault => ({ name, apply })

/**
 * An answer in the server's place, which does nothing: an OAuth error, or any body.
 *
 * @example
 * import { Fault } from "@effect-oauth2/core/testing"
 *
 * export const busy = Fault.status(503, { retryAfter: "30" })
 * export const dead = Fault.status(400, { error: "invalid_grant" })
 * export const gateway = Fault.status(502, { body: "<h1>Bad Gateway</h1>", contentType: "text/html" })
 *
 * @since 0.1.0
 * @category constructors
 */
export const status = (status: number, options: {
  /** An OAuth error code. */
  readonly error?: string | undefined
  readonly description?: string | undefined
  /** `Retry-After`, as it is sent. */
  readonly retryAfter?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
  readonly contentType?: string | undefined
} = {}): Fault => {
  const headers = {
    ...(options.retryAfter === undefined ? undefined : { "retry-after": options.retryAfter }),
    ...options.headers
  }
  const { body, contentType = "text/plain", description, error } = options
  const reply = error !== undefined
    ? json(status, { error, ...(description === undefined ? undefined : { error_description: description }) }, headers)
    : body !== undefined
    ? text(status, contentType, body, headers)
    : empty(status, headers)
  return respond(reply, `status ${status}`)
}

/**
 * Any answer in the server's place, which does nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const respond = (reply: ServerReply, name = "other answer"): Fault => make(name, () => Effect.succeed(reply))

/**
 * A page in HTML with status 200, as from a portal that is in the way.
 *
 * @since 0.1.0
 * @category constructors
 */
export const html: Fault = respond(
  text(200, "text/html; charset=utf-8", "<!doctype html><title>Sign in</title>"),
  "html"
)

/**
 * Status 200 and no body.
 *
 * @since 0.1.0
 * @category constructors
 */
export const emptyBody: Fault = respond(empty(200, { "content-type": "application/json" }), "empty body")

/**
 * A redirect in the server's place. Default status: 307.
 *
 * @since 0.1.0
 * @category constructors
 */
export const redirect = (location: string, status = 307): Fault =>
  respond(empty(status, { location }), `redirect ${status}`)

/**
 * The request is held up for so long, by the clock. A client that hangs up in the meantime withdraws it: see
 * {@link detached} for a server that acts nevertheless, and {@link afterActing} for an answer that is late.
 *
 * @since 0.1.0
 * @category constructors
 */
export const delay = (duration: Duration.DurationInput): Fault => make("delay", Effect.delay(duration))

/**
 * There is never an answer. The client can hang up.
 *
 * @since 0.1.0
 * @category constructors
 */
export const hang: Fault = make("hang", () => Effect.never)

/**
 * The connection fails with the code: nothing was sent, or, with `ECONNRESET`, nobody knows. The server does nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const disconnect = (code: string): Fault => make(code, () => new Disconnected({ code }))

/**
 * The connection is refused (`ECONNREFUSED`).
 *
 * @since 0.1.0
 * @category constructors
 */
export const connectionRefused: Fault = disconnect("ECONNREFUSED")

/**
 * The connection is reset (`ECONNRESET`) before the server acts. `Fault.afterActing(Fault.reset)` is the other one:
 * the refresh token is rotated and the answer lost.
 *
 * @since 0.1.0
 * @category constructors
 */
export const reset: Fault = disconnect("ECONNRESET")

/**
 * The server acts, and its answer is changed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const editReply = (f: (reply: ServerReply) => ServerReply, name = "edited answer"): Fault =>
  make(name, Effect.map(f))

/**
 * The server acts, and the text of its answer is changed.
 *
 * @example
 * import { Fault } from "@effect-oauth2/core/testing"
 *
 * export const repeated = Fault.editBody((body) => body.replace("{", `{"access_token":"another",`))
 *
 * @since 0.1.0
 * @category constructors
 */
export const editBody = (f: (body: string) => string, name = "edited body"): Fault =>
  editReply((reply) => typeof reply.body === "string" ? { ...reply, body: f(reply.body) } : reply, name)

/**
 * The server acts, and the members of its JSON answer are changed. A member set to `undefined` is left out.
 *
 * @example
 * import { Fault } from "@effect-oauth2/core/testing"
 *
 * export const noType = Fault.editMembers((members) => ({ ...members, token_type: undefined }))
 * export const lifeAsText = Fault.editMembers((members) => ({ ...members, expires_in: "3600" }))
 *
 * @since 0.1.0
 * @category constructors
 */
export const editMembers = (
  f: (members: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
  name = "edited members"
): Fault => editBody((body) => JSON.stringify(f(JSON.parse(body) as Record<string, unknown>)), name)

/**
 * The server acts, and its answer ends after so many characters, in good order. Default: half.
 *
 * @since 0.1.0
 * @category constructors
 */
export const truncated = (length?: number): Fault =>
  editBody((body) => body.slice(0, length ?? Math.floor(body.length / 2)), "truncated")

/**
 * The server acts, and the connection is reset after so many bytes of its answer. Default: 10.
 *
 * @since 0.1.0
 * @category constructors
 */
export const brokenBody = (length = 10): Fault =>
  editStream(
    "broken body",
    (bytes) =>
      Stream.concat(Stream.succeed(bytes.slice(0, length)), Stream.fail(new Disconnected({ code: "ECONNRESET" })))
  )

/**
 * The server acts, and its answer comes a byte at a time, so long apart, by the clock.
 *
 * @since 0.1.0
 * @category constructors
 */
export const slowBody = (interval: Duration.DurationInput): Fault =>
  editStream(
    "slow body",
    (bytes) =>
      Stream.mapEffect(Stream.fromIterable(bytes), (byte) => Effect.as(Effect.sleep(interval), Uint8Array.of(byte)))
  )

/**
 * The server acts, and its answer is followed by blanks for ever, 16 KiB at a time.
 *
 * @since 0.1.0
 * @category constructors
 */
export const endlessBody: Fault = editStream("endless body", (bytes) =>
  Stream.concat(
    Stream.succeed(bytes),
    Stream.repeatEffect(Effect.as(Effect.yieldNow(), new Uint8Array(16_384).fill(0x20)))
  ))

function editStream(
  name: string,
  f: (bytes: Uint8Array) => Stream.Stream<Uint8Array, Disconnected>
): Fault {
  const bytesOf = (body: string | Uint8Array) => typeof body === "string" ? new TextEncoder().encode(body) : body
  return editReply(({ body, ...reply }) => {
    const isBytes = typeof body === "string" || body instanceof Uint8Array
    return { ...reply, body: isBytes ? f(bytesOf(body)) : body }
  }, name)
}

/**
 * The same fault, after the server has acted: what it did is done, and its answer is the one that the fault holds up,
 * replaces or loses.
 *
 * @example
 * import { Fault } from "@effect-oauth2/core/testing"
 *
 * export const answerLost = Fault.afterActing(Fault.reset)
 * export const answerLate = Fault.afterActing(Fault.delay("10 seconds"))
 * export const gatewayGaveUp = Fault.afterActing(Fault.status(504))
 *
 * @since 0.1.0
 * @category combinators
 */
export const afterActing = (self: Fault): Fault =>
  make(`${self.name} after acting`, Effect.flatMap((reply) => self.apply(Effect.succeed(reply))))

/**
 * The same fault, on a server that goes on when the client has hung up, as servers do.
 *
 * @example
 * import { Fault } from "@effect-oauth2/core/testing"
 *
 * // The client gives up after 8 seconds, and 2 seconds later the refresh token is rotated all the same.
 * export const rotatesLate = Fault.detached(Fault.delay("10 seconds"))
 *
 * @since 0.1.0
 * @category combinators
 */
export const detached = (self: Fault): Fault =>
  make(`${self.name} detached`, (act) => Effect.flatMap(Effect.forkDaemon(self.apply(act)), Fiber.join))

/**
 * Both faults: `self` outside, `that` inside.
 *
 * @example
 * import { Fault } from "@effect-oauth2/core/testing"
 * import { pipe } from "effect"
 *
 * export const slowlyBusy = pipe(Fault.delay("2 seconds"), Fault.and(Fault.status(503)))
 *
 * @since 0.1.0
 * @category combinators
 */
export const and: {
  (that: Fault): (self: Fault) => Fault
  (self: Fault, that: Fault): Fault
} = dual(
  2,
  (self: Fault, that: Fault): Fault => make(`${self.name} and ${that.name}`, (act) => self.apply(that.apply(act)))
)
