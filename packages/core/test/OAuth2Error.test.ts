import { OAuth2Error } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Either, Redacted, Schema } from "effect"

const errorResponse = (code: string, over: Partial<ConstructorParameters<typeof OAuth2Error.ErrorResponse>[0]> = {}) =>
  new OAuth2Error.ErrorResponse({ endpoint: "token", code, status: 400, ...over })

const unreachable = new OAuth2Error.TransportError({ endpoint: "token", reason: "Unreachable", code: "ECONNREFUSED" })

const token = { accessToken: Redacted.make("AT"), tokenType: "Bearer", issuedAt: 0 }

/** One of each kind, and of each reason that changes what can be done about it. */
const examples: ReadonlyArray<readonly [OAuth2Error.OAuth2Error, remedy: OAuth2Error.Remedy, ambiguous: boolean]> = [
  [
    new OAuth2Error.ConfigurationError({ field: "tokenEndpoint", problem: "is not https. Use https" }),
    "operator",
    false
  ],
  [new OAuth2Error.InputError({ field: "url", problem: "is not absolute. Write it in full" }), "program", false],
  [new OAuth2Error.InsecureTransportError({ origin: "http://api.test" }), "program", false],
  [new OAuth2Error.OriginNotAllowed({ origin: "https://x", allowed: ["https://a", "https://b"] }), "program", false],
  [new OAuth2Error.RedirectRefused({ origin: "https://api.test" }), "program", false],
  ...OAuth2Error.AuthorizationResponseReason.literals.map((reason) =>
    [new OAuth2Error.AuthorizationResponseError({ reason }), "user", false] as const
  ),
  [errorResponse("invalid_grant"), "user", false],
  [errorResponse("invalid_client", { status: 401, description: "Unknown client" }), "operator", false],
  [errorResponse("temporarily_unavailable", { status: 503, retryAfter: 5_000 }), "retry", false],
  [
    errorResponse("access_denied", { endpoint: "authorization", status: undefined, state: "s", uri: "u" }),
    "user",
    false
  ],
  [unreachable, "retry", false],
  [new OAuth2Error.TransportError({ endpoint: "token", reason: "Timeout" }), "retry", true],
  [new OAuth2Error.TransportError({ endpoint: "revocation", reason: "ConnectionLost" }), "retry", true],
  [new OAuth2Error.InvalidResponse({ endpoint: "token", reason: "Json", status: 200 }), "operator", true],
  [
    new OAuth2Error.InvalidResponse({
      endpoint: "token",
      reason: "MissingMember",
      status: 200,
      contentType: "application/json",
      contentLength: 2,
      member: "access_token"
    }),
    "operator",
    true
  ],
  [new OAuth2Error.InvalidResponse({ endpoint: "token", reason: "Status", status: 502 }), "retry", true],
  [new OAuth2Error.InvalidResponse({ endpoint: "token", reason: "Status", status: 429 }), "retry", false],
  [
    new OAuth2Error.InvalidResponse({ endpoint: "token", reason: "Status", status: 503, retryAfter: 1 }),
    "retry",
    false
  ],
  [new OAuth2Error.InvalidResponse({ endpoint: "token", reason: "Status", status: 404 }), "operator", true],
  [new OAuth2Error.StoreError({ operation: "get", reason: "Unavailable" }), "retry", false],
  [new OAuth2Error.StoreError({ operation: "get", reason: "Corrupt" }), "operator", false],
  [new OAuth2Error.StoreError({ operation: "get", reason: "NewerVersion" }), "operator", false],
  ...OAuth2Error.ReauthorizationReason.literals.map((reason) =>
    [new OAuth2Error.ReauthorizationRequired({ reason }), "user", false] as const
  ),
  [new OAuth2Error.RefreshFailed({ reason: "Attempt", retryAt: 1_000, lastError: unreachable }), "retry", false],
  [
    new OAuth2Error.RefreshFailed({ reason: "CoolDown", retryAt: 1_000, lastError: errorResponse("invalid_client") }),
    "operator",
    false
  ],
  [new OAuth2Error.RefreshFailed({ reason: "Closing" }), "retry", false],
  [new OAuth2Error.RefreshFailed({ reason: "ReadOnly" }), "retry", false],
  [new OAuth2Error.StoreError({ operation: "get", reason: "UnknownKey" }), "operator", false],
  [
    new OAuth2Error.ScopeMismatch({ granted: ["a"], missing: ["b"], additional: [], token }),
    "user",
    false
  ],
  [new OAuth2Error.HookError({ hook: "accessTokenRequest", problem: "no" }), "operator", false],
  [new OAuth2Error.HookError({ hook: "accessTokenResponse", problem: "no" }), "operator", true],
  [new OAuth2Error.TokenExpired({ expiresAt: 0 }), "retry", false],
  [new OAuth2Error.UnsupportedTokenType({ tokenType: "mac" }), "operator", false]
]

/** What somebody can do, in words. */
const nextStep =
  /\b(Use|Write|Add|Call|Begin|Pass|Authorize|Sign|Check|Compare|Try|Update|Mend|mend|Refresh|Ask|Give|Leave|List)\b/

describe("OAuth2Error", () => {
  for (const [error, remedy, ambiguous] of examples) {
    const reason = "reason" in error ? ` ${error.reason}` : "code" in error ? ` ${error.code}` : ""
    it(`R41 B109 ${error._tag}${reason} says who can help, whether the server may have acted, and the next step`, () => {
      assert.strictEqual(error.remedy, remedy)
      assert.strictEqual(error.ambiguous, ambiguous)
      assert.match(error.message, nextStep)
      assert.notMatch(error.message, /undefined|\[object|NaN|\.\./)
    })
  }

  it("R41 B107 B109 every tag of the closed union has an example here, and a program can name them all", () => {
    const tags = OAuth2Error.OAuth2Error.members.map((member) => member._tag)
    assert.strictEqual(new Set(tags).size, tags.length)
    assert.deepStrictEqual([...new Set(examples.map(([error]) => error._tag))].sort(), [...tags].sort())
    const name = (error: OAuth2Error.OAuth2Error): string => {
      switch (error._tag) {
        case "ConfigurationError":
        case "InputError":
        case "InsecureTransportError":
        case "OriginNotAllowed":
        case "RedirectRefused":
        case "AuthorizationResponseError":
        case "ErrorResponse":
        case "TransportError":
        case "InvalidResponse":
        case "StoreError":
        case "ReauthorizationRequired":
        case "RefreshFailed":
        case "HookError":
        case "ScopeMismatch":
        case "TokenExpired":
        case "UnsupportedTokenType":
          return error._tag
      }
    }
    for (const [error] of examples) assert.strictEqual(name(error), error._tag)
  })

  it("B002 an insecure address is named by its origin", () => {
    const error = new OAuth2Error.InsecureTransportError({ origin: "http://api.test" })
    assert.include(error.message, "http://api.test is not https")
  })

  it("B081 B082 an error of the server shows code, description and the status that came", () => {
    const error = errorResponse("invalid_client", { status: 401, description: "Unknown client", uri: "u", state: "s" })
    assert.match(error.message, /^The token endpoint answered invalid_client: Unknown client \(HTTP 401\)/)
    assert.match(
      errorResponse("invalid_client", { status: undefined }).message,
      /^The token endpoint answered invalid_client\./
    )
    assert.deepInclude(error, { status: 401, uri: "u", state: "s" })
  })

  it("B106 the server's errors are of another class than those raised here", () => {
    assert.notInstanceOf(errorResponse("token_expired"), OAuth2Error.TokenExpired)
    assert.instanceOf(errorResponse("token_expired"), OAuth2Error.ErrorResponse)
  })

  it.effect("B109 an error can be caught by its tag", () =>
    Effect.gen(function*() {
      const handled = Effect.fail<OAuth2Error.OAuth2Error>(errorResponse("invalid_grant")).pipe(
        Effect.catchTag("ErrorResponse", ({ code }) => Effect.succeed(code))
      )
      assert.strictEqual(yield* handled, "invalid_grant")
    }))

  it("B260 R41 an error may cross a process: encoded, in JSON, and decoded it is the same error", () => {
    for (const [error] of examples) {
      const sent: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(OAuth2Error.OAuth2Error)(error)))
      const received = Either.getOrThrow(Schema.decodeUnknownEither(OAuth2Error.OAuth2Error)(sent))
      assert.strictEqual(received._tag, error._tag)
      assert.strictEqual(received.message, error.message)
      assert.strictEqual(received.remedy, error.remedy)
      assert.strictEqual(received.ambiguous, error.ambiguous)
    }
  })

  it("R41 an error is an Error, with its message in what is printed of it", () => {
    for (const [error] of examples) {
      assert.instanceOf(error, Error)
      assert.include(Cause.pretty(Cause.fail(error)), error.message)
    }
  })

  it("S48 R24 an error about an instant can be shown whatever the instant is", () => {
    for (const instant of [-8.64e15, 0, 8.64e15]) {
      assert.include(new OAuth2Error.TokenExpired({ expiresAt: instant }).message, new Date(instant).toISOString())
      assert.include(new OAuth2Error.RefreshFailed({ reason: "CoolDown", retryAt: instant }).message, "Try again at")
    }
  })
})
