import {
  Custody,
  OAuth2Client,
  OAuth2Error,
  OAuth2HttpClient,
  OAuth2Session,
  type Token,
  type TokenPlacement
} from "@effect-oauth2/core"
import * as LegacyTokenPlacement from "@effect-oauth2/core/LegacyTokenPlacement"
import { HttpBody, HttpClientRequest } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { publicClient } from "./fixtures.js"
import { canary } from "./fuzz.js"
import { leaks } from "./secrecy.js"
import { recorder } from "./spans.js"
import { fakeFetch } from "./transports.js"

const aToken = (text: string): Token.Token => ({ accessToken: Redacted.make(text), tokenType: "Bearer", issuedAt: 0 })

/** Sends through an authorized client with that placement: what arrived, and what came of it. */
const send = (
  placement: TokenPlacement.TokenPlacement,
  request: HttpClientRequest.HttpClientRequest,
  text = "AT"
) =>
  Effect.gen(function*() {
    const { calls, layer } = fakeFetch(() => Response.json({}))
    const trace = recorder()
    const result = yield* Effect.gen(function*() {
      const session = yield* (yield* OAuth2Client.OAuth2Client).restore(aToken(text))
      const http = yield* OAuth2HttpClient.OAuth2HttpClient
      return yield* Effect.either(
        Effect.provideService(http.execute(request), OAuth2Session.CurrentSession, session)
      )
    }).pipe(
      Effect.provide(
        OAuth2Client.layerHttpClient({ origins: ["https://api.test"], placement }).pipe(
          Layer.provideMerge(OAuth2Client.layer(publicClient)),
          Layer.provide(Custody.layerMemory),
          Layer.provide(layer)
        )
      ),
      Effect.provide(trace.layer)
    )
    return { calls, result, trace }
  })

const arrived = (
  placement: TokenPlacement.TokenPlacement,
  request: HttpClientRequest.HttpClientRequest,
  text?: string
) =>
  Effect.map(send(placement, request, text), ({ calls, result }) => {
    assert.strictEqual(result._tag, "Right")
    assert.lengthOf(calls, 1)
    assert.isUndefined(calls[0]!.headers["authorization"])
    return calls[0]!
  })

const refused = (placement: TokenPlacement.TokenPlacement, request: HttpClientRequest.HttpClientRequest) =>
  Effect.map(send(placement, request, canary), ({ calls, result }) => {
    assert.deepStrictEqual(calls, [])
    if (result._tag === "Right" || result.left._tag !== "InputError") return assert.fail("was sent")
    assert.deepStrictEqual(leaks(result.left, [canary]), [])
    return result.left.field
  })

const url = "https://api.test/resource"
const { bodyText, bodyUnsafeJson, bodyUrlParams, get, post, setBody, setHeader, setUrlParam } = HttpClientRequest
const { body, query } = LegacyTokenPlacement
const formType = "application/x-www-form-urlencoded"

describe("LegacyTokenPlacement", () => {
  describe("query", () => {
    it.effect("B148 B231 B356 the token goes into the query behind what is there, and into no header", () =>
      Effect.gen(function*() {
        const call = yield* arrived(query(), get(`${url}?foo=bar`))
        assert.strictEqual(call.url, `${url}?foo=bar&access_token=AT`)
      }))

    it.effect("B148 B231 a token is form-encoded, and its parameter has the name that the API gives it", () =>
      Effect.gen(function*() {
        const call = yield* arrived(query("oauth_token"), setUrlParam(get(`${url}#top`), "a", "b"), "a+b/c==&d")
        const { searchParams } = new URL(call.url)
        assert.deepStrictEqual([...searchParams], [["a", "b"], ["oauth_token", "a+b/c==&d"]])
        assert.include(call.url, "oauth_token=a%2Bb%2Fc%3D%3D%26d")
      }))

    it.effect("B231 a body of any kind stays as it is", () =>
      Effect.gen(function*() {
        const call = yield* arrived(query(), bodyUnsafeJson(post(url), { a: 1 }))
        assert.strictEqual(call.body, `{"a":1}`)
        assert.strictEqual(new URL(call.url).search, "?access_token=AT")
      }))

    for (const request of [get(`${url}?access_token=z`), setUrlParam(get(url), "access_token", "z")]) {
      it.effect(`B357 S65 a token of the program's own is not replaced, ${request.url}`, () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* refused(query(), request), "access_token")
        }))
    }

    for (
      const request of [
        get(`${url}?access_token=&a=b`),
        setUrlParam(get(`${url}?a=b`), "access_token", " "),
        get(`${url}?a=b&access_token=&access_token=%20`)
      ]
    ) {
      it.effect(`a blank one is, ${request.url}`, () =>
        Effect.gen(function*() {
          assert.strictEqual((yield* arrived(query(), request)).url, `${url}?a=b&access_token=AT`)
        }))
    }

    it.effect("S74 S75 no span shows the token, and the caller gets its own request back", () =>
      Effect.gen(function*() {
        const request = get(url)
        const { result, trace } = yield* send(query(), request, canary)
        if (result._tag === "Left") return assert.fail("was refused")
        assert.strictEqual(result.right.request, request)
        assert.deepStrictEqual(leaks(trace.spans.map(({ attributes, name }) => [name, ...attributes]), [canary]), [])
      }))
  })

  describe("body", () => {
    const forms: ReadonlyArray<readonly [string, HttpClientRequest.HttpClientRequest]> = [
      ["bytes", bodyText(post(url), "foo=bar", formType)],
      ["parameters", bodyUrlParams(post(url), { foo: "bar" })],
      ["a type with a charset", bodyText(post(url), "foo=bar", `${formType}; charset=UTF-8`)],
      ["a raw text with its type", setBody(post(url), HttpBody.raw("foo=bar", { contentType: formType }))],
      ["raw parameters", setBody(post(url), HttpBody.raw(new URLSearchParams("foo=bar")))]
    ]

    for (const [what, request] of forms) {
      it.effect(`B149 B232 B358 the token goes into a form of ${what} behind what is there`, () =>
        Effect.gen(function*() {
          const call = yield* arrived(body(), request)
          assert.strictEqual(call.body, "foo=bar&access_token=AT")
          assert.strictEqual(call.url, url)
          assert.include(call.headers["content-type"], formType)
        }))
    }

    it("B232 the length is that of what is sent", () => {
      const request = setHeader(bodyUrlParams(post(url), { foo: "bär" }), "content-length", "7")
      const placed = body("oauth_token").place(request, aToken("AT"))
      if (placed instanceof OAuth2Error.InputError || placed.body._tag !== "Uint8Array") return assert.fail(url)
      assert.strictEqual(new TextDecoder().decode(placed.body.body), "foo=b%C3%A4r&oauth_token=AT")
      assert.strictEqual(placed.headers["content-length"], "27")
    })

    it.effect("B232 B358 a request without a body gets one", () =>
      Effect.gen(function*() {
        const call = yield* arrived(body(), post(url))
        assert.strictEqual(call.body, "access_token=AT")
        assert.strictEqual(call.headers["content-type"], formType)
      }))

    for (
      const [what, request] of [
        ["JSON", bodyUnsafeJson(post(url), { a: 1 })],
        ["plain text", bodyText(post(url), "a=1")],
        ["a raw text of no type", setBody(post(url), HttpBody.raw("a=1"))],
        ["multipart", setBody(post(url), HttpBody.formData(new FormData()))],
        ["a method without one", get(url)]
      ] as const
    ) {
      it.effect(`B358 a body of ${what} is neither lost nor mangled: the request is refused`, () =>
        Effect.gen(function*() {
          assert.strictEqual(yield* refused(body(), request), "body")
        }))
    }

    it.effect("B357 S65 a token of the program's own is not replaced, a blank one is", () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* refused(body(), bodyUrlParams(post(url), { access_token: "z" })), "access_token")
        const call = yield* arrived(body(), bodyUrlParams(post(url), { access_token: "", a: "b" }))
        assert.strictEqual(call.body, "a=b&access_token=AT")
      }))

    it.effect("B357 the request that was given stays as it was", () =>
      Effect.gen(function*() {
        const given = new URLSearchParams("a=b")
        yield* arrived(body(), setBody(post(url), HttpBody.raw(given)))
        assert.strictEqual(given.toString(), "a=b")
      }))
  })

  it.effect("B148 a placement can be chosen for the requests of one effect", () =>
    Effect.gen(function*() {
      const { calls, layer } = fakeFetch(() => Response.json({}))
      yield* Effect.gen(function*() {
        const session = yield* (yield* OAuth2Client.OAuth2Client).restore(aToken("AT"))
        const http = yield* OAuth2HttpClient.OAuth2HttpClient
        yield* http.get(url).pipe(
          OAuth2HttpClient.withPlacement(query()),
          Effect.zipRight(http.get(url)),
          Effect.provideService(OAuth2Session.CurrentSession, session)
        )
      }).pipe(Effect.provide(
        OAuth2Client.layerHttpClient({ origins: ["https://api.test"] }).pipe(
          Layer.provideMerge(OAuth2Client.layer(publicClient)),
          Layer.provide(Custody.layerMemory),
          Layer.provide(layer)
        )
      ))
      assert.deepStrictEqual(calls.map(({ headers, url }) => [url, headers["authorization"]]), [
        [`${url}?access_token=AT`, undefined],
        [url, "Bearer AT"]
      ])
    }))
})
