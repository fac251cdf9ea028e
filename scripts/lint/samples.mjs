// Code that breaks the rules of the house, for `scripts/check-rules.mjs`. A comment `// !rule` says by which rules, and
// by no other, its line has to be refused; a line without one has to be accepted.

const core = String.raw`
import * as Effect from "effect/Effect"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Random from "effect/Random" // !@typescript-eslint/no-restricted-imports
import * as Cache from "effect/Cache" // !@typescript-eslint/no-restricted-imports
import * as ScopedCache from "effect/ScopedCache" // !@typescript-eslint/no-restricted-imports
import * as Timers from "node:timers" // !@typescript-eslint/no-restricted-imports
import * as Fs from "node:fs" // !@typescript-eslint/no-restricted-imports
import type { Option } from "effect" // !@typescript-eslint/no-restricted-imports
import { Layer } from "effect" // !@typescript-eslint/no-restricted-imports @effect/no-import-from-barrel-package
import { HttpBody } from "@effect/platform" // !@typescript-eslint/no-restricted-imports @effect/no-import-from-barrel-package
import { Redacted } from "effect/Redacted" // !@typescript-eslint/consistent-type-imports
export const used = [Random, Cache, ScopedCache, Timers, Fs, Layer, HttpBody]
export type Used = Option.Option<Redacted>
export const now = Date.now() // !no-restricted-properties
export const elapsed = performance.now() // !no-restricted-properties
export const today = new Date() // !no-restricted-syntax
export const today2 = Date() // !no-restricted-syntax
export const stated = new Date(0)
export const dice = Math.random() // !no-restricted-properties
export const dice2 = Effect.random // !no-restricted-properties
export const bytes = crypto.getRandomValues(new Uint8Array(1)) // !no-restricted-globals
export const bytes2 = globalThis.crypto.randomUUID() // !no-restricted-globals
setTimeout(() => {}, 1) // !no-restricted-globals
setInterval(() => {}, 1) // !no-restricted-globals
setImmediate(() => {}) // !no-restricted-globals
globalThis.setTimeout(() => {}, 1) // !no-restricted-globals
console.log("") // !no-restricted-globals
globalThis.console.log("") // !no-restricted-globals
export const env = process.env["HOME"] // !no-restricted-globals no-restricted-properties
export const platform = process.platform // !no-restricted-globals
export const buffer = Buffer.from("") // !no-restricted-globals
export const place = window.location // !no-restricted-globals
export const kept = localStorage.length // !no-restricted-globals
export const cached = Effect.cached(Effect.void) // !no-restricted-syntax
export const cached2 = Effect.cachedWithTTL(Effect.void, "1 second") // !no-restricted-syntax
export const cached3 = Effect.cachedFunction(() => Effect.void) // !no-restricted-syntax
export class Service extends Effect.Service<Service>()("Service", { succeed: {} }) {} // !no-restricted-properties
export class Tag extends Context.Tag("Tag")<Tag, string>() {}
export const followed = HttpClient.followRedirects // !no-restricted-properties
export const retried = HttpClient.retryTransient // !no-restricted-properties
`

const typed = String.raw`
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
class TaggedError extends Data.TaggedError("TaggedError") {}
const promise = Promise.resolve(1)
promise // !@typescript-eslint/no-floating-promises @typescript-eslint/no-unused-expressions
promise.then(() => 1) // !@typescript-eslint/no-floating-promises
export const truthy = promise ? 1 : 2 // !@typescript-eslint/no-misused-promises
export const awaited = async () => { await 1 } // !@typescript-eslint/await-thenable
Effect.sync(() => 1) // !house/no-floating-effect
export const inner = Effect.gen(function*() {
  Effect.log("") // !house/no-floating-effect
  yield* Effect.void
  yield* Effect.exit(Effect.void)
  yield* Effect.flip(new TaggedError())
  new TaggedError() // !house/no-floating-effect
  yield* Effect.succeed(Effect.void) // !house/no-floating-effect
})
Effect.runFork(inner)
export const loose: any = 1 // !@typescript-eslint/no-explicit-any
export const parsed = JSON.parse("{}") // !@typescript-eslint/no-unsafe-assignment
export const member = JSON.parse("{}").a // !@typescript-eslint/no-unsafe-assignment @typescript-eslint/no-unsafe-member-access
// @ts-ignore // !@typescript-eslint/ban-ts-comment
export const shown = String({}) // !@typescript-eslint/no-base-to-string
export const list: string[] = [] // !@typescript-eslint/array-type
export const choose = (kind: "a" | "b") => {
  switch (kind) { // !@typescript-eslint/switch-exhaustiveness-check
    case "a": return 1
  }
  return 2
}
export const fail = () => { throw "text" } // !@typescript-eslint/only-throw-error
/** @deprecated */
const old = 1
export const young = old // !@typescript-eslint/no-deprecated
export const needless = old as 1 // !@typescript-eslint/no-deprecated @typescript-eslint/no-unnecessary-type-assertion
export const required = require("effect") // !@typescript-eslint/no-require-imports @typescript-eslint/no-unsafe-assignment @typescript-eslint/no-unsafe-call no-restricted-globals
export const argument = Number.parseInt(JSON.parse("{}")) // !@typescript-eslint/no-unsafe-argument
export const call = () => { JSON.parse("{}")() } // !@typescript-eslint/no-unsafe-call
export const returned = () => JSON.parse("{}") // !@typescript-eslint/no-unsafe-return
export const rejected = Promise.reject("text") // !@typescript-eslint/prefer-promise-reject-errors
export const sum = 1 + {} // !@typescript-eslint/no-unsafe-assignment @typescript-eslint/restrict-plus-operands
import { type Effect as E } from "effect/Effect" // !@typescript-eslint/no-import-type-side-effects
export type Used = E<void>
`

const browser = String.raw`
import * as Fs from "node:fs" // !@typescript-eslint/no-restricted-imports
export const used = [Fs]
export const locks = navigator.locks
export const kept = localStorage.length
export const now = Date.now() // !no-restricted-properties
setTimeout(() => {}, 1) // !no-restricted-globals
console.log("") // !no-restricted-globals
export const platform = process.platform // !no-restricted-globals
`

const node = String.raw`
import { FileSystem } from "@effect/platform" // !@typescript-eslint/no-restricted-imports @effect/no-import-from-barrel-package
import { Token } from "@effect-oauth2/core" // !@typescript-eslint/no-restricted-imports @effect/no-import-from-barrel-package
import * as Http from "node:http"
export const used = [FileSystem, Token, Http]
export const platform = process.platform
export const env = process.env["HOME"] // !no-restricted-properties
export const kept = localStorage.length // !no-restricted-globals
setTimeout(() => {}, 1) // !no-restricted-globals
console.log("") // !no-restricted-globals
`

const crypto = String.raw`
export const subtle = globalThis.crypto.subtle
console.log("") // !no-restricted-globals
`

const test = String.raw`
import { describe, it } from "@effect/vitest"
import { vi } from "vitest"
it.skip("S01", () => {}) // !no-restricted-properties
it.only("S01", () => {}) // !no-restricted-properties
it.effect.skip("S01", () => {}) // !no-restricted-syntax
describe.skip("S01", () => {}) // !no-restricted-properties
vi.mock("effect/Effect") // !no-restricted-properties
vi.useFakeTimers() // !no-restricted-properties
`

const language = String.raw`
export var old = 1 // !no-var
let fixed = 1 // !prefer-const
export const same = (a) => a == fixed // !eqeqeq
export const self = (a) => a === a // !no-self-compare
export const assigned = (a) => { if (a = 1) return a } // !no-cond-assign no-constant-condition
export const constant = () => { if (1) return 1 } // !no-constant-condition
export const stop = () => { debugger } // !no-debugger
export const nothing = (a) => { if (a) {} } // !no-empty
export const run = (a) => eval(a) // !no-eval
export const leave = () => { try { return 1 } finally { return 2 } } // !no-unsafe-finally
export const escaped = "\a" // !no-useless-escape
export const renamed = ({ a: a }) => a // !no-useless-rename
export const short = { fixed: fixed } // !object-shorthand
`

const layout = String.raw`
export const quotes = 'single' // !@effect/dprint
export const semicolon = 1; // !@effect/dprint
export const arrow = value => value // !@effect/dprint
export const fine = { a: 1, b: (value) => value }
`

/** Where each sample pretends to be, and whether rules that ask for types, or for the layout, are judged by it. */
export const samples = [
  { path: "packages/core/src/RuleSample.ts", code: core },
  { path: "packages/core/src/TypedSample.ts", code: typed, typed: true },
  { path: "packages/core/src/OAuth2Crypto.ts", code: crypto },
  { path: "packages/platform-browser/src/RuleSample.ts", code: browser },
  { path: "packages/platform-node/src/RuleSample.ts", code: node },
  { path: "packages/core/test/RuleSample.test.ts", code: test },
  { path: "scripts/RuleSample.mjs", code: language },
  { path: "scripts/RuleSample.mjs", code: layout, layout: true }
]
