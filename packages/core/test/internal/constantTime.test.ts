import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { equals } from "../../src/internal/constantTime.js"
import { hostileText, milliseconds, runs } from "../fuzz.js"

describe("constantTime", () => {
  it("S79 two texts are equal when they are the same text", () =>
    FastCheck.assert(
      FastCheck.property(hostileText, hostileText, (a, b) => {
        assert.strictEqual(equals(a, b), a === b)
        assert.isTrue(equals(a, `${a}`))
      }),
      runs(500)
    ))

  it("S79 B115 the time does not tell where two texts differ", () => {
    const length = 2_000_000
    const text = "s".repeat(length)
    const early = `t${"s".repeat(length - 1)}`
    const late = `${"s".repeat(length - 1)}t`
    assert.isFalse(equals(text, early) || equals(text, late))
    const ratio = milliseconds(() => equals(text, early)) / milliseconds(() => equals(text, late))
    assert.isTrue(ratio > 0.2 && ratio < 5, `${ratio}`)
  })
})
