import { AuthorizationRequest, Endpoint, Parameters } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Redacted } from "effect"
import { canary, runs, wellFormedText } from "./fuzz.js"
import { leaks } from "./secrecy.js"

const endpoint = (url = "https://as.test/authorize") =>
  Either.getOrThrow(Endpoint.make("authorizationEndpoint", url, {}))

const request: AuthorizationRequest.AuthorizationRequest = {
  clientId: "cid",
  redirectUri: "https://me/cb?x=1&y=é",
  state: "s t",
  codeChallenge: "challenge",
  scope: ["a b", "c"],
  resource: undefined,
  parameters: []
}

const make = (overrides: Partial<AuthorizationRequest.AuthorizationRequest> = {}, url?: string) =>
  AuthorizationRequest.toUrl({ ...request, ...overrides }, endpoint(url))

const refused = (result: Either.Either<unknown, unknown>) =>
  Either.isLeft(result) ? (result.left as { readonly _tag: string; readonly field: string }) : undefined

const nonEmpty = wellFormedText.filter((text) => text !== "")

const anyRequest: FastCheck.Arbitrary<AuthorizationRequest.AuthorizationRequest> = FastCheck.record({
  clientId: nonEmpty,
  redirectUri: nonEmpty,
  state: nonEmpty,
  codeChallenge: nonEmpty,
  scope: FastCheck.option(FastCheck.array(FastCheck.stringMatching(/^[!-~]{1,8}$/), { minLength: 1, maxLength: 3 }), {
    nil: undefined
  }),
  resource: FastCheck.option(FastCheck.array(nonEmpty, { minLength: 1, maxLength: 3 }), { nil: undefined }),
  parameters: FastCheck.uniqueArray(FastCheck.tuple(nonEmpty, wellFormedText), {
    selector: ([name]) => name,
    maxLength: 4
  }).map((pairs) => pairs.filter(([name]) => !AuthorizationRequest.reserved.includes(name)))
})

describe("AuthorizationRequest", () => {
  it("B187 B188 B199 B267 B268 the URL has the parameters of the code flow, after the endpoint's own query", () => {
    const url = Either.getOrThrow(
      make(
        { parameters: [["access_type", "offline"]], resource: ["https://a", "https://b"] },
        "https://h/a?foo=bar&foo=baz&e="
      )
    )
    assert.deepStrictEqual([...url.searchParams], [
      ["foo", "bar"],
      ["foo", "baz"],
      ["e", ""],
      ["response_type", "code"],
      ["client_id", "cid"],
      ["redirect_uri", "https://me/cb?x=1&y=é"],
      ["scope", "a b c"],
      ["state", "s t"],
      ["code_challenge", "challenge"],
      ["code_challenge_method", "S256"],
      ["resource", "https://a"],
      ["resource", "https://b"],
      ["access_type", "offline"]
    ])
  })

  it("B188 no scope, or an empty one, is not sent", () => {
    for (const scope of [undefined, []]) {
      assert.isFalse(Either.getOrThrow(make({ scope })).searchParams.has("scope"))
    }
  })

  it("S10 S12 B189 B190 B271 the code flow with S256 is all there is: no extra parameter changes that", () => {
    for (const name of ["response_type", "code_challenge_method", "code_challenge"]) {
      const error = refused(make({ parameters: [[name, "plain"]] }))
      assert.deepStrictEqual([error?._tag, error?.field], ["InputError", name])
    }
  })

  it("S18 B020 each reserved parameter is refused by its name, its value unsaid", () => {
    for (const name of AuthorizationRequest.reserved) {
      const result = make({ parameters: [["prompt", "login"], [name, canary]] })
      assert.deepStrictEqual([refused(result)?._tag, refused(result)?.field], ["InputError", name])
      assert.deepStrictEqual(leaks(result, [canary]), [])
    }
  })

  it("S18 S19 an endpoint whose own query sets a reserved parameter is refused", () => {
    for (const name of AuthorizationRequest.reserved) {
      assert.strictEqual(refused(make({}, `https://as.test/authorize?${name}=x`))?.field, name)
    }
  })

  it("S17 S30 nothing that is secret can be put into the URL, whatever its name", () => {
    for (
      const name of ["client_secret", "code_verifier", "client_assertion", "refresh_token", "access_token", "password"]
    ) {
      assert.strictEqual(refused(make({ parameters: [[name, canary]] }))?.field, name)
    }
    const redacted = make({ parameters: [["login_token", Redacted.make(canary)]] })
    assert.strictEqual(refused(redacted)?.field, "login_token")
    assert.deepStrictEqual(leaks(redacted, [canary]), [])
  })

  it("S22 the redirect URI is sent as it is written", () => {
    for (
      const redirectUri of [
        "https://ME.test:443/cb",
        "http://127.0.0.1:1/cb?",
        "com.example.app:/cb",
        "https://me/%63b"
      ]
    ) {
      assert.strictEqual(Either.getOrThrow(make({ redirectUri })).searchParams.get("redirect_uri"), redirectUri)
    }
  })

  it("S18 S21 S22 a server reads the very request that a client has written", () =>
    FastCheck.assert(
      FastCheck.property(anyRequest, (request) => {
        const url = Either.getOrThrow(AuthorizationRequest.toUrl(request, endpoint("https://as.test/authorize")))
        assert.deepStrictEqual(Either.getOrThrow(AuthorizationRequest.fromUrl(new URL(url.href))), request)
        assert.isUndefined(
          Parameters.repeated(new URLSearchParams([...url.searchParams].filter(([k]) => k !== "resource")))
        )
      }),
      runs(200)
    ))

  it("S12 S21 S23 a server refuses a request without state, without S256, of another flow, or with a repetition", () => {
    const url = Either.getOrThrow(make())
    for (
      const name of ["response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method"]
    ) {
      for (
        const change of [
          (params: URLSearchParams) => params.delete(name),
          (params: URLSearchParams) => params.set(name, ""),
          (params: URLSearchParams) => params.append(name, params.get(name) ?? "")
        ]
      ) {
        const spoilt = new URL(url)
        change(spoilt.searchParams)
        assert.strictEqual(refused(AuthorizationRequest.fromUrl(spoilt))?.field, name)
      }
    }
    for (
      const [name, value] of [["response_type", "token"], ["response_type", "code id_token"], [
        "code_challenge_method",
        "plain"
      ]] as const
    ) {
      const other = new URL(url)
      other.searchParams.set(name, value)
      assert.strictEqual(refused(AuthorizationRequest.fromUrl(other))?.field, name)
    }
  })
})
