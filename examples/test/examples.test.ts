import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { fileURLToPath } from "node:url"
import * as ExampleServer from "../support/exampleServer.js"
import * as RunExample from "../support/runExample.js"

const file = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url))

const client = (id: string, authentication: "client_secret_basic" | "client_secret_post") => ({
  id,
  secret: `${id}-secret`,
  authentication,
  redirectUris: ["https://app.example.com/callback"]
})

const exampleCom = TestAuthorizationServer.make({
  issuer: "https://as.example.com",
  resourceOrigins: ["https://api.example.com"],
  clients: [
    client("report-job", "client_secret_basic"),
    client("web", "client_secret_post"),
    { id: "tool", authentication: "none", redirectUris: ["http://127.0.0.1/callback"] }
  ]
})

describe("examples", () => {
  it.scopedLive("B209 the job is authorized by client credentials, with one token request for all its calls", () =>
    Effect.gen(function*() {
      const as = yield* exampleCom
      const server = yield* ExampleServer.serve([as])
      const job = yield* RunExample.start(file("job.ts"), server, { CLIENT_SECRET: "report-job-secret" })
      const { code, output } = yield* job.exit
      assert.strictEqual(output, "monday 200\ntuesday 200\nwednesday 200\n")
      assert.strictEqual(code, 0)
      assert.strictEqual(yield* as.tokenRequests("client_credentials"), 1)
    }))

  it.scopedLive("a job without its secret says which setting is missing, and asks nobody for a token", () =>
    Effect.gen(function*() {
      const as = yield* exampleCom
      const server = yield* ExampleServer.serve([as])
      const job = yield* RunExample.start(file("job.ts"), server)
      const { code, output } = yield* job.exit
      assert.match(output, /CLIENT_SECRET/)
      assert.strictEqual(code, 1)
      assert.strictEqual(yield* as.tokenRequests(), 0)
    }))

  it.scopedLive("S05 two providers have a session each, and neither gets the other's token", () =>
    Effect.gen(function*() {
      const billing = yield* TestAuthorizationServer.make({
        issuer: "https://login.billing.example.com",
        resourceOrigins: ["https://billing.example.com"],
        clients: [client("billing-client", "client_secret_basic")]
      })
      const mail = yield* TestAuthorizationServer.make({
        issuer: "https://login.mail.example.com",
        resourceOrigins: ["https://mail.example.com"],
        clients: [client("mail-client", "client_secret_basic")]
      })
      const server = yield* ExampleServer.serve([billing, mail])
      const program = yield* RunExample.start(file("two-providers.ts"), server, {
        BILLING_SECRET: "billing-client-secret",
        MAIL_SECRET: "mail-client-secret"
      })
      const { code, output } = yield* program.exit
      assert.strictEqual(output, "billing 200\nmail 200\nmail's token at billing: OriginNotAllowed\n")
      assert.strictEqual(code, 0)
    }))

  it.scopedLive("a generated client runs over the authorized client, typed and plain", () =>
    Effect.gen(function*() {
      const as = yield* exampleCom
      const server = yield* ExampleServer.serve([as])
      const program = yield* RunExample.start(file("http-api-client.ts"), server, {
        CLIENT_SECRET: "report-job-secret"
      })
      const { code, output } = yield* program.exit
      assert.strictEqual(output, "typed /reports/today\nplain /reports/today\n")
      assert.strictEqual(code, 0)
      assert.strictEqual(yield* as.tokenRequests(), 1)
    }))

  it.scopedLive("B407 the command-line tool signs a user in through a port of this machine, and out again", () =>
    Effect.gen(function*() {
      const as = yield* exampleCom
      const server = yield* ExampleServer.serve([as])
      const tool = yield* RunExample.start(file("command-line.ts"), server)
      const url = yield* tool.line(/^Open (.+)$/)
      const callback = yield* as.authorize(url)
      const page = yield* Effect.promise(() => fetch(callback))
      assert.strictEqual(page.status, 200)
      assert.strictEqual(page.headers.get("cache-control"), "no-store")
      const { code, output } = yield* tool.exit
      assert.match(output, /signed in 200\nsigned out Revoked\n$/)
      assert.strictEqual(code, 0)
      assert.strictEqual((yield* as.families)[0]?.revoked?.reason, "revocation_request")
    }))

  it.scopedLive("B400 B407 a provider that differs is met by hooks, by a password, and by renewals that are told", () =>
    Effect.gen(function*() {
      const as = yield* TestAuthorizationServer.make({
        issuer: "https://as.example.com",
        resourceOrigins: ["https://api.example.com"],
        clients: [{ id: "kiosk", authentication: "none" }],
        extensionGrants: {
          password: (params) =>
            params.get("username") === "ada" && params.get("password") === "s3cret"
              ? { subject: "ada", refreshToken: true }
              : { error: "invalid_grant" }
        }
      })
      const server = yield* ExampleServer.serve([as])
      const program = yield* RunExample.start(file("custom-provider.ts"), server, { PASSWORD: "s3cret" })
      const { code, output } = yield* program.exit
      assert.strictEqual(output, "ada may read\norders 200\nada may read\norders 200\n")
      assert.strictEqual(code, 0)
      const exchanges = yield* as.exchanges("token")
      assert.deepStrictEqual(exchanges.map(({ headers }) => headers["x-api-version"]?.pipe(Redacted.value)), [
        "2026-01",
        "2026-01"
      ])
    }))

  it.scopedLive("B408 a callback may land in another process than the one that began, and each user has a session", () =>
    Effect.gen(function*() {
      const as = yield* exampleCom
      const server = yield* ExampleServer.serve([as])
      const env = { CLIENT_SECRET: "web-secret", COOKIE_KEY: Buffer.alloc(32, 7).toString("base64") }
      const [first, second] = yield* Effect.all([
        RunExample.start(file("web-server.ts"), server, env),
        RunExample.start(file("web-server.ts"), server, env)
      ])
      const origins = yield* Effect.all([
        first.line(/(http:\/\/127\.0\.0\.1:\d+)/),
        second.line(/(http:\/\/127\.0\.0\.1:\d+)/)
      ])
      const users = yield* Effect.forEach(["alice", "bob"], (subject) => signIn(as, origins, subject))
      const subjects = yield* Effect.forEach(users, (cookie) => get(`${origins[1]}/me`, cookie))
      const bodies = yield* Effect.forEach(subjects, (response) => Effect.promise(() => response.json()))
      assert.deepStrictEqual(bodies.map((body) => (body as { readonly subject: string }).subject), ["alice", "bob"])
      const stranger = yield* get(`${origins[1]}/me`, "session=guessed")
      assert.strictEqual(stranger.headers.get("location"), "/login")
    }))
})

const get = (url: string, cookie = "") => Effect.promise(() => fetch(url, { redirect: "manual", headers: { cookie } }))

/** Begins at the first process, and comes back to the second. The cookie of the session. */
const signIn = (
  as: TestAuthorizationServer.TestAuthorizationServerService,
  [first, second]: readonly [string, string],
  subject: string
) =>
  Effect.gen(function*() {
    const login = yield* get(`${first}/login`)
    const callback = yield* as.authorize(login.headers.get("location") ?? "", { subject })
    const back = yield* get(`${second}${callback.pathname}${callback.search}`, cookieOf(login, "pending"))
    assert.strictEqual(back.headers.get("location"), "/me")
    const again = yield* get(`${second}${callback.pathname}${callback.search}`, cookieOf(login, "pending"))
    assert.strictEqual(again.status, 400)
    return cookieOf(back, "session")
  })

const cookieOf = (response: Response, name: string): string =>
  response.headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`))?.split(";")[0] ?? ""
