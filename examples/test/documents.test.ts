import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as CodeBlocks from "../support/codeBlocks.js"
import * as DifferentServers from "../support/differentServers.js"
import * as ExampleServer from "../support/exampleServer.js"
import * as RunExample from "../support/runExample.js"

const secret = "client-secret"

const exampleCom = TestAuthorizationServer.make({
  issuer: "https://as.example.com",
  resourceOrigins: ["https://api.example.com"],
  clients: [
    { id: "report-job", secret },
    { id: "web", secret, redirectUris: ["https://app.example.com/callback"] },
    { id: "tool", authentication: "none", redirectUris: ["http://127.0.0.1/callback"] }
  ],
  extensionGrants: { "urn:ietf:params:oauth:grant-type:token-exchange": () => ({ subject: "ada" }) }
})

const quirkyCom = TestAuthorizationServer.make({
  issuer: "https://quirky.example.com",
  resourceOrigins: ["https://shop.example.com"],
  clients: [{ id: "shop", secret, authentication: "client_secret_post" }]
})

/** An expired token of a user of `web`, as another library has stored it. */
const storedToken = (as: TestAuthorizationServer.TestAuthorizationServerService, document: string) =>
  Effect.map(as.issue({ clientId: "web", scope: "profile" }), ({ refreshToken }) =>
    JSON.stringify({
      access_token: "expired",
      token_type: "Bearer",
      refresh_token: Redacted.value(refreshToken!),
      ...(document.includes("simple-oauth2")
        ? { scope: "profile", expires_in: 3600, expires_at: "2026-01-01T00:00:00.000Z" }
        : { scope: ["profile"], expires_in: 3600, expires_at: 1_767_225_600.5 })
    }))

/** Where a program finds itself at home. */
const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "example-home-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true }))
)

/** Plays the user: signs in, and comes back to where the program waits. */
const signIn = (as: TestAuthorizationServer.TestAuthorizationServerService, program: RunExample.RunningExample) =>
  Effect.gen(function*() {
    const callback = yield* as.authorize(yield* program.line(/^Open (.+)$/))
    return yield* callback.hostname === "127.0.0.1"
      ? Effect.promise(() => fetch(callback))
      : program.type(callback.href)
  })

const blocks = await CodeBlocks.extract(await CodeBlocks.documents())

describe("what the documentation shows", () => {
  it("the first program has at most 20 lines", () => {
    assert.isAtMost(blocks[0]!.code.trimEnd().split("\n").length, 20)
  })

  it("B409 every program for those who come from another library says what it prints", () => {
    const coming = blocks.filter(({ document }) => document.startsWith("docs/coming-from-"))
    assert.sameMembers([...new Set(coming.map(({ document }) => document))], [
      "docs/coming-from-openid-client.md",
      "docs/coming-from-requests-oauthlib.md",
      "docs/coming-from-simple-oauth2.md"
    ])
    assert.deepStrictEqual(coming.filter(({ prints }) => prints === undefined), [])
  })

  for (const block of blocks) {
    const promise = block.prints === undefined ? "runs" : "runs, and prints what it says"
    it.scopedLive(`B409 ${block.document}: “${block.heading}” ${promise}`, () =>
      Effect.gen(function*() {
        const as = yield* exampleCom
        const server = yield* ExampleServer.serve([as, DifferentServers.quirky(yield* quirkyCom)])
        const program = yield* RunExample.start(block.file, server, {
          HOME: yield* temporaryFolder,
          CLIENT_SECRET: secret,
          STORED_TOKEN: yield* storedToken(as, block.document)
        })
        if (block.code.includes("Open ${")) yield* signIn(as, program)
        const { code, output } = yield* program.exit
        assert.strictEqual(code, 0, output)
        if (block.prints !== undefined) assert.strictEqual(output.replace(/^Open .*\n/m, ""), block.prints)
        if (block === blocks[0]) assert.strictEqual(output, "200\n")
      }))
  }
})
