/**
 * What can go wrong between a program on the user's machine and the user's browser.
 *
 * @since 0.1.0
 */
import type { Remedy } from "@effect-oauth2/core/OAuth2Error"
import * as Schema from "effect/Schema"

/**
 * @since 0.1.0
 * @category schemas
 */
export const LoopbackReason = Schema.Literal(
  "PortInUse",
  "CannotListen",
  "UrlRefused",
  "BrowserNotOpened",
  "Timeout"
)

/**
 * @since 0.1.0
 * @category models
 */
export type LoopbackReason = typeof LoopbackReason.Type

const advice: Record<LoopbackReason, string> = {
  PortInUse: "The port is taken. Leave out the port option to get a free one, or end the program that holds it",
  CannotListen: "The loopback interface cannot be listened on. Try the other host, 127.0.0.1 or ::1, or another port",
  UrlRefused: "The URL is not opened: it is neither https nor http on loopback, or has characters that a shell would " +
    "read. Look at the client's authorizationEndpoint",
  BrowserNotOpened: "No browser could be opened. Provide Browser.layerPrint, so that the user opens the URL",
  Timeout: "The user did not come back in time. Begin again"
}

const remedies: Record<LoopbackReason, Remedy> = {
  PortInUse: "operator",
  CannotListen: "operator",
  UrlRefused: "operator",
  BrowserNotOpened: "operator",
  Timeout: "user"
}

/**
 * A sign-in over the user's browser did not come to its end. No token request was made.
 *
 * @since 0.1.0
 * @category errors
 */
export class LoopbackError extends Schema.TaggedError<LoopbackError>()("LoopbackError", {
  reason: LoopbackReason,
  /** The platform's code, such as `EADDRINUSE`, where it gives one. */
  code: Schema.optional(Schema.String)
}) {
  readonly ambiguous: boolean = false

  get remedy(): Remedy {
    return remedies[this.reason]
  }

  override get message(): string {
    return this.code === undefined ? advice[this.reason] : `${advice[this.reason]} (${this.code})`
  }
}
