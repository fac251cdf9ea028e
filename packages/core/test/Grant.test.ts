import { Grant, Parameters } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { canary } from "./fuzz.js"
import { leaks } from "./secrecy.js"

const form = (grant: Grant.Grant) => [...Parameters.encode(grant.parameters)]
const code = Redacted.make(`${canary}-code`)
const codeVerifier = Redacted.make(`${canary}-verifier`)
const client = { scope: ["a", "b"], resource: ["https://api.test"] }

describe("Grant", () => {
  it("B192 B193 B196 B199 the authorization code grant has code, redirect URI and verifier, and no scope", () => {
    const grant = Grant.authorizationCode({ code, codeVerifier, redirectUri: "https://me/cb", scope: ["a"] })
    assert.strictEqual(grant.grantType, "authorization_code")
    assert.deepStrictEqual(form(grant), [
      ["code", `${canary}-code`],
      ["redirect_uri", "https://me/cb"],
      ["code_verifier", `${canary}-verifier`]
    ])
    assert.deepStrictEqual(grant.scope, ["a"])
    assert.isFalse(grant.renewable)
    assert.deepStrictEqual(leaks(grant, [canary]), [])
  })

  it("B018 the resources of a sign-in are repeated in the code grant", () => {
    const grant = Grant.authorizationCode({
      code,
      codeVerifier,
      redirectUri: "r",
      resource: ["https://a", "https://b"]
    })
    assert.deepStrictEqual(form(grant).slice(3), [["resource", "https://a"], ["resource", "https://b"]])
  })

  it("B209 B210 the client credentials grant has the scope, the resource and what else is asked for", () => {
    assert.deepStrictEqual(form(Grant.clientCredentials()), [])
    assert.deepStrictEqual(form(Grant.clientCredentials({ scope: [] })), [])
    assert.deepStrictEqual(
      form(
        Grant.clientCredentials({ scope: "a  b", resource: "https://api", parameters: { audience: "x", blank: "" } })
      ),
      [["audience", "x"], ["blank", ""], ["resource", "https://api"], ["scope", "a b"]]
    )
    assert.isTrue(Grant.clientCredentials().renewable)
  })

  it("B017 B210 a resource among the other parameters is sent where none is named beside them", () => {
    assert.deepStrictEqual(form(Grant.clientCredentials({ parameters: { resource: "https://api" } })), [
      ["resource", "https://api"]
    ])
  })

  it("S42 B177 B341 the refresh token grant names a scope only when it is asked to", () => {
    const refreshToken = Redacted.make(canary)
    assert.deepStrictEqual(form(Grant.refreshToken({ refreshToken })), [["refresh_token", canary]])
    for (const scope of ["a b", ["a", "b"]]) {
      const asked = [["refresh_token", canary], ["scope", "a b"]]
      assert.deepStrictEqual(form(Grant.refreshToken({ refreshToken, scope })), asked)
    }
    assert.deepStrictEqual(leaks(Grant.refreshToken({ refreshToken }), [canary]), [])
  })

  it("B321 any other grant is its name and its parameters, and cannot be run again unless it says so", () => {
    const grant = Grant.extension("urn:x", { assertion: Redacted.make(canary), n: 0 }, { scope: "a" })
    assert.strictEqual(grant.grantType, "urn:x")
    assert.deepStrictEqual(form(grant), [["assertion", canary], ["n", "0"], ["scope", "a"]])
    assert.isFalse(grant.renewable)
    assert.isTrue(Grant.extension("urn:x", {}, { renewable: true }).renewable)
    assert.deepStrictEqual(leaks(grant, [canary]), [])
  })

  it("B204 B210 B320 the client's scope and resource are asked for where the grant takes them and says nothing", () => {
    assert.deepStrictEqual(form(Grant.withDefaults(Grant.clientCredentials(), client)), [
      ["scope", "a b"],
      ["resource", "https://api.test"]
    ])
    assert.deepStrictEqual(
      form(Grant.withDefaults(Grant.clientCredentials({ scope: "c", resource: "https://other" }), client)),
      [["resource", "https://other"], ["scope", "c"]]
    )
    assert.deepStrictEqual(form(Grant.withDefaults(Grant.clientCredentials({ scope: [] }), client)), [
      ["resource", "https://api.test"]
    ])
    assert.deepStrictEqual(Grant.withDefaults(Grant.extension("urn:x", {}), client).scope, ["a", "b"])
    assert.deepStrictEqual(
      Grant.withDefaults(Grant.extension("urn:x", {}), { scope: undefined, resource: [] }).scope,
      undefined
    )
  })

  it("S42 B199 B211 B341 the client's scope and resource are sent neither with a code nor with a refresh token", () => {
    for (
      const grant of [
        Grant.authorizationCode({ code, codeVerifier, redirectUri: "r" }),
        Grant.refreshToken({ refreshToken: Redacted.make("r") })
      ]
    ) {
      assert.deepStrictEqual(form(Grant.withDefaults(grant, client)), form(grant))
    }
  })

  it.effect("a source of grants makes one anew each time it is asked", () =>
    Effect.gen(function*() {
      const source = yield* Grant.GrantSource
      const [first, second] = [yield* source.grant, yield* source.grant]
      assert.notDeepEqual(form(first), form(second))
    }).pipe(Effect.provide(Grant.layer((() => {
      let number = 0
      return Effect.sync(() => Grant.extension("urn:x", { assertion: String(++number) }))
    })()))))
})
