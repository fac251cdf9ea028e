/** Environment variables of this process, set for as long as the scope. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export const withEnvironment = (
  variables: Readonly<Record<string, string>>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.sync(() => {
      const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
      Object.assign(process.env, variables)
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const [name, value] of before) {
          if (value === undefined) delete process.env[name]
          else process.env[name] = value
        }
      })
  ))
