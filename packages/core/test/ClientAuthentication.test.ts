import { ClientAuthentication, OAuth2Error, Parameters } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Redacted } from "effect"
import { canary, runs, wellFormedText } from "./fuzz.js"
import { leaks } from "./secrecy.js"

const endpoint = new URL("https://as.test/token")

const credentials = (method: ClientAuthentication.ClientAuthentication, clientId = "cid") =>
  Effect.runSync(method.authenticate({ clientId, endpoint }))

/** The two halves as they were before base64. */
const basic = (method: ClientAuthentication.ClientAuthentication, clientId?: string): string => {
  const { headers, parameters } = credentials(method, clientId)
  assert.deepStrictEqual(parameters, [])
  assert.deepStrictEqual(Object.keys(headers), ["authorization"])
  const [scheme, text] = Redacted.value(headers["authorization"] ?? Redacted.make("")).split(" ")
  assert.strictEqual(scheme, "Basic")
  return Buffer.from(text ?? "", "base64").toString("utf8")
}

const basicOf = (secret: string, options?: { readonly formEncode?: boolean }) =>
  ClientAuthentication.clientSecretBasic(Redacted.make(secret), options)

describe("ClientAuthentication", () => {
  it("S41 B291 B309 a public client sends its id in the form, and no secret, not even an empty one", () => {
    assert.strictEqual(ClientAuthentication.none.method, "none")
    const { headers, parameters } = credentials(ClientAuthentication.none)
    assert.deepStrictEqual(headers, {})
    assert.deepStrictEqual(parameters, [["client_id", "cid"]])
  })

  it("S37 B289 B310 both halves of Basic are form-encoded first, in UTF-8", () => {
    for (
      const [id, secret, expected] of [
        ["cid", "s", "cid:s"],
        ["a b", "s:p+/=%", "a+b:s%3Ap%2B%2F%3D%25"],
        ["a:b", "c:d", "a%3Ab:c%3Ad"],
        ["ü", "é😀", "%C3%BC:%C3%A9%F0%9F%98%80"],
        ["1PP", "-_.~*!'()", "1PP:-_.%7E*%21%27%28%29"],
        ["cid", "", "cid:"],
        ["cid", "a\u0000\r\n", "cid:a%00%0D%0A"]
      ] as const
    ) {
      assert.strictEqual(basic(basicOf(secret), id), expected)
    }
  })

  it("B310 servers that take the two as they are get them in UTF-8", () => {
    assert.strictEqual(basic(basicOf("s:p+/=%é", { formEncode: false }), "a b"), "a b:s:p+/=%é")
  })

  it("S37 what was encoded for Basic is decoded to the very id and secret, whatever they are", () =>
    FastCheck.assert(
      FastCheck.property(wellFormedText, wellFormedText, (id, secret) => {
        const [clientId, clientSecret, ...rest] = basic(basicOf(secret), id).split(":")
        const decode = (text: string | undefined) => new URLSearchParams(`a=${text}`).get("a")
        assert.deepStrictEqual([decode(clientId), decode(clientSecret), rest.length], [id, secret, 0])
      }),
      runs(300)
    ))

  it("B292 B293 id and secret are sent in the form where the client says so, a blank secret too", () => {
    for (const secret of ["s", ""]) {
      const { headers, parameters } = credentials(ClientAuthentication.clientSecretPost(Redacted.make(secret)))
      assert.deepStrictEqual(headers, {})
      assert.deepStrictEqual([...Parameters.encode(parameters)], [["client_id", "cid"], ["client_secret", secret]])
    }
  })

  it.effect("B300 a method of one's own is asked anew for every request, and told the endpoint", () =>
    Effect.gen(function*() {
      let number = 0
      const asked: Array<string> = []
      const method = ClientAuthentication.custom("private_key_jwt", (request) =>
        Effect.sync(() => {
          asked.push(`${request.clientId} ${request.endpoint.href}`)
          return { headers: {}, parameters: [["client_assertion", Redacted.make(`a${++number}`)]] }
        }))
      const first = yield* method.authenticate({ clientId: "cid", endpoint })
      const second = yield* method.authenticate({ clientId: "cid", endpoint: new URL("https://as.test/revoke") })
      assert.notDeepEqual([...Parameters.encode(first.parameters)], [...Parameters.encode(second.parameters)])
      assert.deepStrictEqual(asked, ["cid https://as.test/token", "cid https://as.test/revoke"])
    }))

  it.effect("B109 what a method of one's own fails with is what the request fails with", () =>
    Effect.gen(function*() {
      const failure = new OAuth2Error.InputError({ field: "key", problem: "is locked" })
      const method = ClientAuthentication.custom("x", () => Effect.fail(failure))
      assert.strictEqual(yield* Effect.flip(method.authenticate({ clientId: "cid", endpoint })), failure)
    }))

  it("S74 no method shows its secret, nor do the credentials that it makes", () => {
    for (
      const method of [
        ClientAuthentication.clientSecretBasic(Redacted.make(canary)),
        ClientAuthentication.clientSecretPost(Redacted.make(canary)),
        basicOf(canary, { formEncode: false })
      ]
    ) {
      assert.deepStrictEqual(leaks(method, [canary, btoa(`cid:${canary}`)]), [])
      assert.deepStrictEqual(leaks(credentials(method), [canary, btoa(`cid:${canary}`)]), [])
    }
  })

  it("S37 a secret of any length can be sent", () => {
    const secret = "s".repeat(300_000)
    assert.strictEqual(basic(basicOf(secret)), `cid:${secret}`)
  })
})
