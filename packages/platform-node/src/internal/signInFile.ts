import { StoreError } from "@effect-oauth2/core/OAuth2Error"
import { PendingAuthorization } from "@effect-oauth2/core/PendingAuthorization"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { decodeWith, type Unreadable } from "./storedJson.js"
import type { Found } from "./versionedFiles.js"

/** What a sign-in's file says. Without what is pending, it was used up. */
const SignInFile = Schema.Struct({
  version: Schema.Literal(1),
  state: Schema.String,
  expiresAt: Schema.Number,
  pending: Schema.optional(PendingAuthorization)
})

export type State =
  | { readonly _tag: "Absent" }
  | { readonly _tag: "Pending"; readonly pending: PendingAuthorization }
  | { readonly _tag: "Used" }
  | { readonly _tag: "Unreadable"; readonly reason: Unreadable }

const decodeFile = decodeWith(SignInFile, "pending")
const encode = Schema.encode(Schema.parseJson(SignInFile))

/** Fails with `StoreError`, reason `Corrupt`, when the sign-in is none. */
export const encodePending = (pending: PendingAuthorization): Effect.Effect<string, StoreError> =>
  Effect.mapError(
    encode({ version: 1, state: pending.state, expiresAt: pending.expiresAt, pending }),
    () => new StoreError({ operation: "put", reason: "Corrupt" })
  )

/** The code verifier is of no use any more. */
export const encodeUsed = ({ expiresAt, state }: PendingAuthorization): string =>
  JSON.stringify({ version: 1, state, expiresAt })

/** What was found under a state. A file that speaks of another sign-in is none of it. */
export const decode = (state: string, { text, version }: Found): State => {
  if (version === 0) return { _tag: "Absent" }
  const file = decodeFile(text)
  if (Either.isLeft(file)) return { _tag: "Unreadable", reason: file.left }
  if (file.right.state !== state) return { _tag: "Unreadable", reason: "Corrupt" }
  return file.right.pending === undefined ? { _tag: "Used" } : { _tag: "Pending", pending: file.right.pending }
}

/** What cannot be read never expires: it is left as it is. */
export const expiresAt = ({ text }: Found): number =>
  Either.match(decodeFile(text), { onLeft: () => Infinity, onRight: ({ expiresAt }) => expiresAt })
