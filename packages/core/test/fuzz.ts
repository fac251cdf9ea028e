/** What the properties share: how often they run, hostile values, and what has to hold of every parser. */
import { assert } from "@effect/vitest"
import { FastCheck } from "effect"
import { leaks } from "./secrecy.js"

/** A longer run: `FUZZ_FACTOR=1000 FUZZ_SEED=$RANDOM npx vitest run packages/core`. */
const factor = Number(process.env["FUZZ_FACTOR"] ?? 1)
const seed = Number(process.env["FUZZ_SEED"] ?? 20_260_101)

export const runs = (count: number): { readonly numRuns: number; readonly seed: number } => ({
  numRuns: Math.ceil(count * factor),
  seed
})

/** What no error may ever show. It is put where the secrets are. */
export const canary = "CANARY-4f1d9c07e2"

/** Texts that have broken parsers before. */
export const hostileText: FastCheck.Arbitrary<string> = FastCheck.oneof(
  FastCheck.constantFrom(
    "",
    " ",
    "\u0000",
    "\ufeff",
    "\ud800",
    "\udfff\ud800",
    "\u202e\u2066",
    "\u001b[31m",
    "<script>alert(1)</script>",
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "%",
    "%zz",
    "%00",
    "+",
    "&",
    "=",
    ";",
    "\r\n",
    "\\",
    "\"",
    "null",
    "NaN",
    "-1",
    "1e400",
    "a".repeat(5_000)
  ),
  FastCheck.string(),
  FastCheck.string({ unit: "binary" }),
  FastCheck.array(FastCheck.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units))
)

/** The same without lone surrogates, which no form can carry. */
export const wellFormedText: FastCheck.Arbitrary<string> = hostileText.map((text) =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text))
)

/** JSON of any shape, with keys that are dangerous to copy. */
export const hostileJson: FastCheck.Arbitrary<string> = FastCheck.oneof(
  FastCheck.constantFrom(
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "0.5",
    "3600",
    "1e308",
    "-1e308",
    "1e400",
    "-1e400",
    "9".repeat(1_000),
    "\"\"",
    "\" \"",
    "\"3600\"",
    "\"1e308\"",
    "\"-1e308\"",
    "\"Infinity\"",
    "\"NaN\"",
    "\"2006-01-02T15:04:05Z\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\u202e\"",
    "[]",
    "{}",
    "[[[[]]]]",
    "{\"__proto__\":{\"polluted\":true}}",
    "{\"constructor\":{\"prototype\":{\"polluted\":true}}}",
    `"${canary}"`,
    `["${canary}"]`,
    `{"a":"${canary}"}`,
    `"${canary}\\n"`
  ),
  FastCheck.json(),
  hostileText.map((text) => JSON.stringify(text))
)

/** Bytes of a text, now and then spoilt. */
export const spoiltBytes = (text: FastCheck.Arbitrary<string>): FastCheck.Arbitrary<Uint8Array> =>
  FastCheck.tuple(
    text,
    FastCheck.constantFrom("", "", "", "\ufeff", "\ufeff\ufeff", " \r\n\t", "\u0000"),
    FastCheck.constantFrom("none", "none", "none", "none", "invalid", "cut"),
    FastCheck.nat()
  ).map(([text, before, spoil, position]) => {
    const bytes = new TextEncoder().encode(before + text)
    if (bytes.length === 0 || spoil === "none") return bytes
    const at = position % bytes.length
    if (spoil === "cut") return bytes.slice(0, at)
    const copy = Uint8Array.from(bytes)
    copy[at] = 0xff
    return copy
  })

/** That no prototype was changed meanwhile. */
export const withoutPollution = <A>(act: () => A): A => {
  const before = prototypes()
  const result = act()
  assert.deepStrictEqual(prototypes(), before)
  return result
}

const prototypes = () =>
  [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype].map((prototype) =>
    Reflect.ownKeys(prototype).length
  )

export const assertSecret = (value: unknown): void => assert.deepStrictEqual(leaks(value, [canary]), [])

/** The least CPU time of several runs, in milliseconds: what the work costs, and not what else the machine does. */
export const milliseconds = (act: () => unknown, times = 5): number =>
  Math.min(
    ...Array.from({ length: times }, () => {
      const start = process.cpuUsage()
      act()
      const { system, user } = process.cpuUsage(start)
      return (user + system) / 1_000
    })
  )
