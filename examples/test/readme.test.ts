import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as CodeBlocks from "../support/codeBlocks.js"
import * as ExampleServer from "../support/exampleServer.js"
import * as RunExample from "../support/runExample.js"

const exampleCom = TestAuthorizationServer.make({
  issuer: "https://as.example.com",
  resourceOrigins: ["https://api.example.com"],
  clients: [
    { id: "report-job", secret: "job-secret", authentication: "client_secret_basic" },
    { id: "tool", authentication: "none", redirectUris: ["http://127.0.0.1/callback"] }
  ]
})

const readme = await CodeBlocks.extract("README.md")

describe("README", () => {
  it("B409 every block compiles", () => {
    assert.isAbove(readme.length, 0)
    assert.deepStrictEqual(CodeBlocks.diagnose(readme.map((block) => block.file)), [])
  }, 150_000)

  it("the first program has at most 20 lines", () => {
    assert.isAtMost(readme[0]!.lines, 20)
  })

  for (const block of readme) {
    it.scopedLive(`“${block.heading}” runs`, () =>
      Effect.gen(function*() {
        const as = yield* exampleCom
        const server = yield* ExampleServer.serve([as])
        const program = yield* RunExample.start(block.file, server, { CLIENT_SECRET: "job-secret" })
        if (block.heading.startsWith("A command-line tool")) {
          const callback = yield* as.authorize(yield* program.line(/^Open (.+)$/))
          yield* Effect.promise(() => fetch(callback))
        }
        const { code, output } = yield* program.exit
        assert.strictEqual(code, 0, output)
        if (block === readme[0]) assert.strictEqual(output, "200\n")
      }))
  }
})
