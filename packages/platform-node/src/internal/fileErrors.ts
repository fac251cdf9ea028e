import { StoreError } from "@effect-oauth2/core/OAuth2Error"
import * as Effect from "effect/Effect"
import { FileProblem, untrusted } from "./privateFolder.js"

/**
 * What went wrong with a file, as a store's error. The system's code is logged for whoever looks for it, at level debug.
 */
export const asStoreError =
  (operation: string) =>
  <A, E, R>(effect: Effect.Effect<A, E | FileProblem, R>): Effect.Effect<A, Exclude<E, FileProblem> | StoreError, R> =>
    Effect.catchAll(
      effect,
      (error): Effect.Effect<never, Exclude<E, FileProblem> | StoreError> =>
        error instanceof FileProblem
          ? Effect.zipRight(
            Effect.logDebug(`A file of the token store failed in ${operation}: ${error.code}`),
            new StoreError({ operation, reason: error.code === untrusted ? "Corrupt" : "Unavailable" })
          )
          : Effect.fail(error as Exclude<E, FileProblem>)
    )
