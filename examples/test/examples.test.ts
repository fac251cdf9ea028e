import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as DifferentServers from "../support/differentServers.js"
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

/** It takes ada's password. */
const kiosk = TestAuthorizationServer.make({
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

  it.scopedLive("B407 mutual TLS: the token comes from a server that demands a certificate of a private authority, and the API sees none", () =>
    Effect.gen(function*() {
      const as = yield* TestAuthorizationServer.make({
        issuer: "https://mtls.example.com",
        resourceOrigins: ["https://api.example.com"],
        clients: [client("settlement", "client_secret_post")]
      })
      const server = yield* ExampleServer.serve([DifferentServers.byCertificate(as, "settlement-secret")])
      const program = yield* RunExample.start(file("mutual-tls.ts"), server)
      const { code, output } = yield* program.exit
      assert.strictEqual(output, "payments 200\n")
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(server.seen, [
        { host: "mtls.example.com", path: "/token", certificate: "settlement" },
        { host: "api.example.com", path: "/payments", certificate: undefined }
      ])
    }))

  it.scopedLive("B407 mutual TLS: a certificate of another authority gets in nowhere, and a CA file that is none is named", () =>
    Effect.gen(function*() {
      const as = yield* TestAuthorizationServer.make({ issuer: "https://mtls.example.com" })
      const server = yield* ExampleServer.serve([DifferentServers.byCertificate(as, "")])
      const foreign = yield* ExampleServer.serve([])
      const strange = yield* RunExample.start(file("mutual-tls.ts"), { ...server, client: foreign.client })
      const broken = yield* RunExample.start(file("mutual-tls.ts"), { ...server, privateCa: "none" })
      const [refused, misread] = yield* Effect.all([strange.exit, broken.exit])
      assert.match(refused.output, /RefreshFailed|TransportError/)
      assert.match(misread.output, /ConfigurationError/)
      assert.deepStrictEqual([refused.code, misread.code], [1, 1])
      assert.deepStrictEqual(server.seen, [])
    }))

  it.scopedLive("B407 the password grant: the password is sent once, and a wrong one is refused", () =>
    Effect.gen(function*() {
      const as = yield* kiosk
      const server = yield* ExampleServer.serve([as])
      const [right, wrong] = yield* Effect.all([
        RunExample.start(file("legacy-password.ts"), server, { PASSWORD: "s3cret" }),
        RunExample.start(file("legacy-password.ts"), server, { PASSWORD: "guessed" })
      ])
      assert.deepStrictEqual(yield* right.exit, { code: 0, output: "orders 200\n" })
      assert.deepStrictEqual(yield* wrong.exit, { code: 0, output: "refused invalid_grant\n" })
      assert.strictEqual(yield* as.tokenRequests("password"), 2)
    }))

  it.scopedLive("B407 the implicit flow: the token is read out of the fragment that the user brings", () =>
    Effect.gen(function*() {
      const as = yield* TestAuthorizationServer.make({
        issuer: "https://as.example.com",
        resourceOrigins: ["https://api.example.com"],
        clients: [{ id: "old-page", authentication: "none" }]
      })
      const server = yield* ExampleServer.serve([as])
      const program = yield* RunExample.start(file("legacy-implicit.ts"), server)
      yield* program.type(yield* implicitly(as, yield* program.line(/^Open (.+)$/)))
      const { code, output } = yield* program.exit
      assert.match(output, /signed in 200\n$/)
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(server.seen.map(({ path }) => path), ["/me"])
    }))

  it.scopedLive("B407 the implicit flow: a token that came with another's state is not used", () =>
    Effect.gen(function*() {
      const as = yield* exampleCom
      const server = yield* ExampleServer.serve([as])
      const program = yield* RunExample.start(file("legacy-implicit.ts"), server)
      const url = yield* program.line(/^Open (.+)$/)
      yield* program.type((yield* implicitly(as, url)).replace(/state=[^&]+/, "state=guessed"))
      const { code, output } = yield* program.exit
      assert.match(output, /refused StateMismatch\n$/)
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(server.seen, [])
    }))

  it.scopedLive("B407 a token that has expired is renewed by hand, by itself, and with an updater that is told", () =>
    Effect.gen(function*() {
      const as = yield* exampleCom
      yield* as.configure({ rotation: "none" })
      const { refreshToken } = yield* as.issue({ clientId: "tool" })
      const server = yield* ExampleServer.serve([as])
      const program = yield* RunExample.start(file("refresh-styles.ts"), server, {
        REFRESH_TOKEN: Redacted.value(refreshToken!)
      })
      const { code, output } = yield* program.exit
      assert.strictEqual(
        output,
        "by hand 200\nautomatic 200\nsaved for ada: the expired token\nsaved for ada: a new token\nautomatic 200\n"
      )
      assert.strictEqual(code, 0)
      assert.strictEqual(yield* as.tokenRequests("refresh_token"), 3)
    }))

  it.scopedLive("B407 a provider with quirks is met by a profile", () =>
    Effect.gen(function*() {
      const as = yield* TestAuthorizationServer.make({
        issuer: "https://quirky.example.com",
        resourceOrigins: ["https://shop.example.com"],
        clients: [client("shop", "client_secret_post")]
      })
      const server = yield* ExampleServer.serve([DifferentServers.quirky(as)])
      const program = yield* RunExample.start(file("provider-profile.ts"), server, { CLIENT_SECRET: "shop-secret" })
      const { code, output } = yield* program.exit
      assert.strictEqual(output, "orders 200\nmay see orders and stock for 60 minutes\n")
      assert.strictEqual(code, 0)
    }))

  it.scopedLive("B407 the command-line tool signs a user in through a port of this machine, keeps the session for its next run, and ends it", () =>
    Effect.gen(function*() {
      const as = yield* exampleCom
      const server = yield* ExampleServer.serve([as])
      const home = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "example-home-"))),
        (home) => Effect.promise(() => rm(home, { recursive: true }))
      )
      const run = (...args: ReadonlyArray<string>) =>
        RunExample.start(file("command-line.ts"), server, { HOME: home }, args)
      const first = yield* run()
      const url = yield* first.line(/^Open (.+)$/)
      const callback = yield* as.authorize(url)
      const page = yield* Effect.promise(() => fetch(callback))
      assert.strictEqual(page.status, 200)
      assert.strictEqual(page.headers.get("cache-control"), "no-store")
      const { code, output } = yield* first.exit
      assert.match(output, /signed in 200\n$/)
      assert.strictEqual(code, 0)

      const second = yield* run()
      assert.deepStrictEqual(yield* second.exit, { code: 0, output: "signed in 200\n" })
      assert.strictEqual(yield* as.tokenRequests("authorization_code"), 1)

      const third = yield* run("sign-out")
      assert.deepStrictEqual(yield* third.exit, { code: 0, output: "signed in 200\nsigned out Revoked\n" })
      assert.strictEqual((yield* as.families)[0]?.revoked?.reason, "revocation_request")
      const fourth = yield* run()
      assert.match(yield* fourth.line(/^Open (.+)$/), /^https:\/\/as\.example\.com\/authorize/)
    }))

  it.scopedLive("B400 B407 a provider that differs is met by hooks, by a password, and by renewals that are told", () =>
    Effect.gen(function*() {
      const as = yield* kiosk
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

/** Plays a server that still has the implicit flow: the address that it sends the browser back to. */
const implicitly = (as: TestAuthorizationServer.TestAuthorizationServerService, url: string) =>
  Effect.gen(function*() {
    const asked = new URL(url).searchParams
    assert.strictEqual(asked.get("response_type"), "token")
    const { accessToken, tokenType } = yield* as.issue({ refreshToken: false })
    const fragment = new URLSearchParams({
      access_token: Redacted.value(accessToken),
      token_type: tokenType,
      expires_in: "3600",
      state: asked.get("state") ?? ""
    })
    return `${asked.get("redirect_uri")}#${fragment}`
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
