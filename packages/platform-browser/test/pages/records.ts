/** Records that are told apart by a name, as a test sees them. */
import * as SessionRecord from "@effect-oauth2/core/SessionRecord"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

export const record = (name: string) =>
  SessionRecord.authorized(1, {
    accessToken: Redacted.make(`access-${name}`),
    tokenType: "Bearer",
    issuedAt: 0
  })

/** The access token, or why there is none. */
export const told = (result: Either.Either<Option.Option<SessionRecord.SessionRecord>, { readonly reason: string }>) =>
  Either.match(result, {
    onLeft: ({ reason }) => reason,
    onRight: (found) => {
      const token = Option.getOrUndefined(found)?.token
      return token === undefined ? "nothing" : Redacted.value(token.accessToken)
    }
  })
