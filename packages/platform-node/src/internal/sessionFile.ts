import { StoreError } from "@effect-oauth2/core/OAuth2Error"
import { SessionRecord } from "@effect-oauth2/core/SessionRecord"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { decodeWith, type Unreadable } from "./storedJson.js"
import type { Found } from "./versionedFiles.js"

/** On its way from one key to another. Whoever finds it so takes it there. */
const Leaving = Schema.Struct({ id: Schema.String, to: Schema.String })
export type Leaving = typeof Leaving.Type

/** Where it came from, until the next change. */
const Arrived = Schema.Struct({ id: Schema.String, from: Schema.String })
export type Arrived = typeof Arrived.Type

/** What a session's file says. Without a record, the session is gone. */
const SessionFile = Schema.Struct({
  version: Schema.Literal(1),
  key: Schema.String,
  record: Schema.optional(SessionRecord),
  leaving: Schema.optional(Leaving),
  arrived: Schema.optional(Arrived)
})

export type SessionFile = typeof SessionFile.Type

/** What is known of a session by its newest file. */
export type State =
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Present"; readonly record: SessionRecord; readonly arrived: Arrived | undefined }
  | { readonly _tag: "Leaving"; readonly record: SessionRecord; readonly leaving: Leaving }
  | { readonly _tag: "Unreadable"; readonly reason: Unreadable }

const encodeFile = Schema.encode(Schema.parseJson(SessionFile))

/** Fails with `StoreError`, reason `Corrupt`, when a record is none. */
export const encode = (operation: string, file: Omit<SessionFile, "version">): Effect.Effect<string, StoreError> =>
  Effect.mapError(encodeFile({ version: 1, ...file }), () => new StoreError({ operation, reason: "Corrupt" }))

/** The file's own words, whichever session they are about. */
export const decodeAny = decodeWith(SessionFile, "record")

/** What was found under a key. A file that speaks of another session is none of it. */
export const decode = (key: string, { text, version }: Found): State => {
  if (version === 0) return { _tag: "Absent" }
  const file = decodeAny(text)
  if (Either.isLeft(file)) return { _tag: "Unreadable", reason: file.left }
  const { arrived, leaving, record } = file.right
  if (file.right.key !== key) return { _tag: "Unreadable", reason: "Corrupt" }
  if (record === undefined) return { _tag: "Absent" }
  return leaving === undefined ? { _tag: "Present", record, arrived } : { _tag: "Leaving", record, leaving }
}
