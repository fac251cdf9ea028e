import type { State } from "./state.js"

/** What is granted of a requested scope: all of it, without repetition, or nothing at all when a word is unknown. */
export const grantedScope = (state: State, requested: ReadonlyArray<string>): ReadonlyArray<string> | undefined =>
  requested.every((word) => state.scopes === undefined || state.scopes.has(word))
    ? [...new Set(requested)]
    : undefined

/** Whether a resource is none of this server's (RFC 8707 §2). */
export const invalidTarget = (state: State, resource: ReadonlyArray<string>): boolean =>
  resource.some((text) => !URL.canParse(text) || !state.resourceOrigins.includes(new URL(text).origin))
