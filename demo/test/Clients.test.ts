import * as Grant from "@effect-oauth2/core/Grant"
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import * as OAuth2HttpClient from "@effect-oauth2/core/OAuth2HttpClient"
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Servers from "../src/Servers.js"
import type { ClientRecord, Ready } from "../src/servers/Messages.js"
import * as TestProgram from "./support/TestProgram.js"

class TestServers extends Context.Tag("TestServers")<TestServers, Servers.Servers>() {
  static readonly layer = Layer.scoped(TestServers, Servers.make({ tokenSeconds: 60 }))
}

const hello = Effect.flatMap(
  Effect.all([OAuth2HttpClient.OAuth2HttpClient, TestServers]),
  ([http, { ready }]) => http.get(`${ready.api}/hello`)
)

/** The program of one client, signed in. */
const withSession = <A, E, R>(
  client: (ready: Ready) => ClientRecord,
  use: (session: Effect.Effect.Success<ReturnType<typeof TestProgram.signIn>>) => Effect.Effect<A, E, R>
) =>
  Effect.flatMap(TestServers, ({ ready }) =>
    Effect.provide(
      Effect.flatMap(TestProgram.signIn(ready), use),
      TestProgram.layer(ready, { client: client(ready) })
    ))

layer(TestServers.layer, { excludeTestServices: true, timeout: 60_000 })("oidc-provider over HTTPS", (it) => {
  for (const name of ["native", "basic", "post"] as const) {
    const method = { native: "none", basic: "client_secret_basic", post: "client_secret_post" }[name]
    it.effect(`takes a client that proves itself by ${method}, at each of its endpoints`, () =>
      withSession(({ clients }) => clients[name], (session) =>
        Effect.gen(function*() {
          const servers = yield* TestServers
          const before = yield* servers.report
          assert.strictEqual((yield* hello).status, 200)
          yield* session.refresh
          assert.strictEqual((yield* hello).status, 200)
          assert.deepStrictEqual(yield* session.signOut, { revocation: "Revoked" })
          const after = yield* servers.report
          assert.deepStrictEqual(after.tokenRequests.slice(before.tokenRequests.length), [
            { status: 200, grantType: "refresh_token" }
          ])
          assert.strictEqual(after.grantsRevoked, before.grantsRevoked + 1)
          assert.strictEqual(after.callsRefused, before.callsRefused)
        })))
  }

  it.effect("refuses a client with a wrong secret, which is told so", () =>
    Effect.gen(function*() {
      const { ready } = yield* TestServers
      const client = { ...ready.clients.basic, clientSecret: "not the secret" }
      const error = yield* Effect.flip(
        Effect.provide(TestProgram.signIn(ready), TestProgram.layer(ready, { client }))
      )
      assert.strictEqual(error._tag, "ErrorResponse")
      assert.include({ ...error }, { code: "invalid_client", status: 401 })
    }))

  it.effect("revokes a refresh token, and the next call fails with ReauthorizationRequired", () =>
    withSession(({ clients }) => clients.native, (session) =>
      Effect.gen(function*() {
        const client = yield* OAuth2Client.OAuth2Client
        const { refreshToken } = yield* session.token
        assert.isDefined(refreshToken)
        yield* client.revoke(refreshToken, "refresh_token")
        const error = yield* Effect.flip(hello)
        assert.strictEqual(error._tag, "ReauthorizationRequired")
        assert.include({ ...error }, { reason: "InvalidGrant" })
        assert.strictEqual((yield* Effect.flip(session.refresh))._tag, "ReauthorizationRequired")
      })))

  it.effect("ends the whole session when a refresh token comes a second time", () =>
    withSession(({ clients }) => clients.native, (session) =>
      Effect.gen(function*() {
        const client = yield* OAuth2Client.OAuth2Client
        const servers = yield* TestServers
        const { refreshToken: used } = yield* session.token
        yield* session.refresh
        assert.strictEqual((yield* hello).status, 200)
        const { grantsRevoked } = yield* servers.report
        const refusal = yield* Effect.flip(client.requestToken(Grant.refreshToken({ refreshToken: used! })))
        assert.strictEqual(refusal._tag, "ErrorResponse")
        assert.include({ ...refusal }, { code: "invalid_grant" })
        assert.strictEqual((yield* servers.report).grantsRevoked, grantsRevoked + 1)
        assert.strictEqual((yield* Effect.flip(hello))._tag, "ReauthorizationRequired")
      })))
})
