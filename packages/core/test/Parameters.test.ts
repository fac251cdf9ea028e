import { Parameters } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Redacted } from "effect"
import { canary, runs, wellFormedText as wellFormed } from "./fuzz.js"
import { leaks } from "./secrecy.js"

const pairs = (params: URLSearchParams) => [...params]

describe("Parameters", () => {
  it("B010 B018 B021 a form is UTF-8, percent-encoded, with + for a space; a list repeats the name", () => {
    const form = Parameters.encode(Parameters.make({ a: "x y/z:", "é": "ü", resource: ["https://a", "https://b"] }))
    assert.strictEqual(
      form.toString(),
      "a=x+y%2Fz%3A&%C3%A9=%C3%BC&resource=https%3A%2F%2Fa&resource=https%3A%2F%2Fb"
    )
  })

  it("B017 only undefined is left out: empty text, 0 and false are sent", () => {
    assert.deepStrictEqual(
      Parameters.make({ a: undefined, b: "", c: 0, d: false, e: true, f: [], g: -1.5 }),
      [["b", ""], ["c", "0"], ["d", "false"], ["e", "true"], ["g", "-1.5"]]
    )
  })

  it("B011 B012 B013 parameters come after those of the URL's own query, which are kept, repeated ones too", () => {
    const url = Parameters.appendTo(new URL("https://h/a?foo=bar&foo=baz&e=&flag#frag"), [["response_type", "code"]])
    assert.deepStrictEqual(pairs(url.searchParams), [
      ["foo", "bar"],
      ["foo", "baz"],
      ["e", ""],
      ["flag", ""],
      ["response_type", "code"]
    ])
    assert.strictEqual(url.hash, "#frag")
    assert.strictEqual(Parameters.appendTo(new URL("https://h"), [["a", "1"]]).href, "https://h/?a=1")
  })

  it("B147 the URL that is given stays as it was", () => {
    const url = new URL("https://h/a?b=c")
    Parameters.appendTo(url, [["d", "e"]])
    assert.strictEqual(url.href, "https://h/a?b=c")
  })

  it("B019 a repeated name keeps all its values", () => {
    assert.deepStrictEqual(pairs(Parameters.encode([["a", "1"], ["a", "2"]])), [["a", "1"], ["a", "2"]])
  })

  it("S18 B020 the first parameter that is reserved is named, whatever its value", () => {
    const error = Parameters.reservedError([["x", "1"], ["state", canary], ["nonce", "2"]], ["nonce", "state"])
    assert.strictEqual(error?._tag, "InputError")
    assert.strictEqual(error?.field, "state")
    assert.deepStrictEqual(leaks(error, [canary]), [])
    assert.isUndefined(Parameters.reservedError([["State", "1"]], ["state"]))
  })

  it("S23 B119 the first repeated name is found, an inherited one is none", () => {
    assert.strictEqual(Parameters.repeated(new URLSearchParams("a=1&b=2&b=2&a=3")), "b")
    assert.isUndefined(Parameters.repeated(new URLSearchParams("toString=1&constructor=2&__proto__=3")))
    assert.strictEqual(Parameters.repeated(new URLSearchParams("__proto__=1&__proto__=2")), "__proto__")
  })

  it("S18 B020 what is set takes the place of a default of its name, all of its values, and no default is sent beside it", () => {
    const defaults = Parameters.make({ prompt: "login", audience: ["a", "b"], keep: "1" })
    assert.deepStrictEqual(Parameters.withDefaults(Parameters.make({ prompt: "none", audience: "c" }), defaults), [
      ["keep", "1"],
      ["prompt", "none"],
      ["audience", "c"]
    ])
    assert.deepStrictEqual(Parameters.withDefaults([], defaults), defaults)
    assert.deepStrictEqual(Parameters.withDefaults(defaults, []), defaults)
  })

  it("S74 a secret parameter is shown by no rendering, and is on the wire", () => {
    const parameters = Parameters.make({ client_secret: Redacted.make(canary), a: "1" })
    assert.deepStrictEqual(leaks(parameters, [canary]), [])
    assert.strictEqual(Parameters.encode(parameters).get("client_secret"), canary)
  })

  it("B010 B015 every well-formed pair survives the way over the wire", () =>
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.tuple(wellFormed, wellFormed)), (list) => {
        assert.deepStrictEqual(pairs(new URLSearchParams(Parameters.encode(list).toString())), list)
      }),
      runs(300)
    ))

  it("B011 every URL keeps its own pairs, and gets every pair that is appended", () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.tuple(wellFormed, wellFormed), { maxLength: 5 }),
        FastCheck.array(FastCheck.tuple(wellFormed, wellFormed), { maxLength: 5 }),
        (own, more) => {
          const url = new URL(`https://h/p?${Parameters.encode(own).toString()}`)
          assert.deepStrictEqual(pairs(Parameters.appendTo(url, more).searchParams), [...own, ...more])
        }
      ),
      runs(200)
    ))

  it("S46 no name changes a prototype", () => {
    const parameters = Parameters.make(
      JSON.parse("{\"__proto__\":\"x\",\"constructor\":\"y\"}") as Record<string, string>
    )
    assert.deepStrictEqual(parameters, [["__proto__", "x"], ["constructor", "y"]])
    assert.strictEqual(Parameters.encode(parameters).toString(), "__proto__=x&constructor=y")
  })
})
