/**
 * What a page and its token worker say to each other. No message holds a token, in either direction.
 */
import { AttemptError, OAuth2Error } from "@effect-oauth2/core/OAuth2Error"
import { PendingAuthorization } from "@effect-oauth2/core/PendingAuthorization"
import * as Schema from "effect/Schema"

const Texts = Schema.Array(Schema.String)
const Pairs = Schema.Array(Schema.Tuple(Schema.String, Schema.String))

/** What the page asks for. */
export const Question = Schema.Union(
  Schema.TaggedStruct("Hello", {}),
  Schema.TaggedStruct("Begin", {
    sessionKey: Schema.optional(Schema.String),
    redirectUri: Schema.optional(Schema.String),
    scope: Schema.optional(Texts),
    parameters: Pairs
  }),
  Schema.TaggedStruct("Complete", { callback: Schema.String, pending: PendingAuthorization }),
  Schema.TaggedStruct("Status", { sessionKey: Schema.String }),
  Schema.TaggedStruct("Refresh", { sessionKey: Schema.String }),
  Schema.TaggedStruct("SignOut", { sessionKey: Schema.String }),
  Schema.TaggedStruct("Execute", {
    sessionKey: Schema.String,
    method: Schema.String,
    url: Schema.String,
    headers: Pairs,
    body: Schema.optional(Schema.Uint8ArrayFromSelf)
  })
)
export type Question = typeof Question.Type

/** A question by its number, or the word that its answer is not wanted any more. */
export const ToWorker = Schema.Struct({ id: Schema.Number, question: Schema.optional(Question) })

export const Status = Schema.Struct({
  isAuthorized: Schema.Boolean,
  generation: Schema.optional(Schema.Number),
  expiresAt: Schema.optional(Schema.Number),
  scope: Schema.optional(Texts)
})

/** What an HTTP request came to nothing by: `RequestError` or `ResponseError` without the request. */
export const HttpFailure = Schema.Struct({
  _tag: Schema.Literal("HttpFailure"),
  reason: Schema.Literal("Transport", "Encode", "InvalidUrl"),
  description: Schema.String
})

const Answer = Schema.Union(
  Schema.TaggedStruct("Greeted", { channel: Schema.String }),
  Schema.TaggedStruct("Begun", { url: Schema.String, pending: PendingAuthorization }),
  Schema.TaggedStruct("Completed", { sessionKey: Schema.String }),
  Schema.TaggedStruct("Known", { status: Status }),
  Schema.TaggedStruct("Refreshed", {}),
  Schema.TaggedStruct("SignedOut", {
    revocation: Schema.Literal("Revoked", "NotConfigured", "NothingHeld", "Failed"),
    error: Schema.optional(AttemptError)
  }),
  Schema.TaggedStruct("Responded", { status: Schema.Number, headers: Pairs, body: Schema.Uint8ArrayFromSelf }),
  Schema.TaggedStruct("Failed", { error: Schema.Union(OAuth2Error, HttpFailure) }),
  Schema.TaggedStruct("Died", {})
)
export type Answer = typeof Answer.Type

export const FromWorker = Schema.Struct({ id: Schema.Number, answer: Answer })

/** What happened to a session. */
export const Event = Schema.Struct({
  event: Schema.String,
  sessionKey: Schema.String,
  generation: Schema.optional(Schema.Number),
  reason: Schema.optional(Schema.String)
})

/** Where messages come and go: a page's end and a worker's end look alike. */
export interface Port {
  /** What is not a worker of its own delivers nothing before this. */
  start?(): void
  postMessage(message: unknown, transfer: Array<Transferable>): void
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void
}
