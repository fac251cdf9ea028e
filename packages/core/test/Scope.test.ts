import { Scope } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { hostileText, runs } from "./fuzz.js"

const word = FastCheck.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]{1,12}$/)
const scope = FastCheck.array(word, { maxLength: 8 })

describe("Scope", () => {
  it("B023 words, in whatever collection, become one text with single spaces", () => {
    assert.strictEqual(Scope.toText(Scope.make(["read", "write"])), "read write")
    assert.strictEqual(Scope.toText(Scope.make(new Set(["a", "b"]))), "a b")
    assert.strictEqual(
      Scope.toText(Scope.make((function*() {
        yield "a"
        yield "b"
      })())),
      "a b"
    )
    assert.strictEqual(Scope.toText(Scope.make([])), "")
    assert.strictEqual(Scope.toText(Scope.make("")), "")
  })

  it("B024 the members of a list are not split again, and a text is", () => {
    assert.deepStrictEqual(Scope.make(["a b"]), ["a b"])
    assert.deepStrictEqual(Scope.make("foo bar baz "), ["foo", "bar", "baz"])
  })

  it("B025 a text is split on runs of white space, and there is no empty word", () => {
    assert.deepStrictEqual(Scope.make(""), [])
    assert.deepStrictEqual(Scope.make(" a  b "), ["a", "b"])
    assert.deepStrictEqual(Scope.make("a\tb\r\nc"), ["a", "b", "c"])
  })

  it("B026 a comma separates nothing", () => {
    assert.deepStrictEqual(Scope.make("x,y"), ["x,y"])
  })

  it("B027 scopes are compared as sets of case-sensitive words", () => {
    assert.isTrue(Scope.equals(Scope.make("b a a"), ["a", "b"]))
    assert.isFalse(Scope.equals(["X"], ["x"]))
    assert.isFalse(Scope.equals(["a"], ["a", "b"]))
    assert.isFalse(Scope.equals(["a", "b"], ["a"]))
    assert.isTrue(Scope.equals([], []))
  })

  it("B031 what is missing and what is additional are differences, also where nothing is known", () => {
    assert.deepStrictEqual(Scope.difference(["a", "b", "c"], ["b"]), ["a", "c"])
    assert.deepStrictEqual(Scope.difference([], ["b"]), [])
    assert.deepStrictEqual(Scope.difference(["b"], []), ["b"])
  })

  it("B023 B024 B025 words survive the way over the wire, whatever they are", () =>
    FastCheck.assert(
      FastCheck.property(scope, (words) => {
        assert.deepStrictEqual(Scope.make(Scope.toText(words)), words)
      }),
      runs(500)
    ))

  it("B027 equality holds for every order and repetition, and difference and equality agree", () =>
    FastCheck.assert(
      FastCheck.property(scope, scope, FastCheck.nat(), (a, b, turn) => {
        const turned = [...a.slice(turn % (a.length + 1)), ...a.slice(0, turn % (a.length + 1)), ...a]
        assert.isTrue(Scope.equals(a, turned))
        assert.strictEqual(Scope.equals(a, b), Scope.equals(b, a))
        assert.deepStrictEqual(Scope.difference(a, a), [])
        assert.strictEqual(Scope.equals(Scope.difference(a, b), a), !a.some((word) => b.includes(word)))
      }),
      runs(500)
    ))

  it("B025 no text makes it throw, and no word of a text is empty or has white space", () =>
    FastCheck.assert(
      FastCheck.property(hostileText, (text) => {
        for (const word of Scope.make(text)) assert.match(word, /^\S+$/)
      }),
      runs(500)
    ))
})
