import { Custody, OAuth2Client } from "@effect-oauth2/core"
import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { generator } from "../../../../support/random.js"
import { layer, publicClient } from "../fixtures.js"
import { runs } from "../fuzz.js"

const Server = TestAuthorizationServer.TestAuthorizationServer
const Client = OAuth2Client.OAuth2Client

/** Numbers below a limit, out of the run's seed. */
const dice = (seed: number) => {
  const random = generator(seed)
  return (below: number) => Math.floor(random() * below)
}

interface Flow {
  readonly user: string
  readonly begun: OAuth2Client.Begun
  readonly callback: URL
}

const refused = (client: OAuth2Client.OAuth2ClientService, options: OAuth2Client.CompleteOptions) =>
  Effect.map(
    Effect.flip(client.complete(options)),
    ({ _tag }) => assert.strictEqual(_tag, "AuthorizationResponseError")
  )

describe("sign-ins of many at a time", () => {
  const { numRuns, seed } = runs(10_000)

  it.effect(`S27 R36 in ${numRuns} interleaved flows of 100 users no token goes to another user`, () =>
    Effect.gen(function*() {
      const [server, client] = yield* Effect.all([Server, Client])
      const roll = dice(seed)
      const open: Array<Flow> = []
      const begin = Effect.gen(function*() {
        const user = `user-${roll(100)}`
        const begun = yield* client.begin({ sessionKey: user })
        open.push({ user, begun, callback: yield* server.authorize(begun.url, { subject: user }) })
      })
      const complete = Effect.gen(function*() {
        const [flow] = open.splice(roll(open.length), 1)
        const other = open[roll(open.length)]
        if (flow === undefined) return
        if (other !== undefined) {
          yield* refused(client, { callback: flow.callback, pending: other.begun.pending })
          if (other.user !== flow.user) yield* refused(client, { callback: flow.callback, sessionKey: other.user })
        }
        const proof = roll(2) === 0 ? { pending: flow.begun.pending } : { sessionKey: flow.user }
        const session = yield* client.complete({ callback: flow.callback, ...proof })
        assert.strictEqual(session.key, flow.user)
        const { accessToken } = yield* session.token
        assert.strictEqual((yield* server.family(accessToken)).subject, flow.user)
      })
      for (let begun = 0; begun < numRuns; begun++) {
        if (begun % 100 === 99) yield* TestClock.adjust("10 seconds")
        yield* begin
        while (open.length > 0 && roll(100) < open.length) yield* complete
      }
      while (open.length > 0) yield* complete
      assert.strictEqual(yield* server.tokenRequests(), numRuns)
    }).pipe(Effect.provide(layer())))
})

describe("several servers, one of them hostile", () => {
  const { numRuns, seed } = runs(10_000)
  const issuerOf = (index: number) => `https://as${index}.test`

  /** Servers of which number 0 is hostile, and one client of the program at each. */
  const setUp = (count: number) =>
    Effect.gen(function*() {
      const [hostile, ...honest] = yield* Effect.forEach(
        Array.from({ length: count }, (_, index) => index),
        (index) =>
          TestAuthorizationServer.make({
            issuer: issuerOf(index),
            resourceOrigins: [`https://api${index}.test`],
            seed: index,
            logSize: 3 * numRuns
          })
      )
      assert.isDefined(hostile)
      const transport = Layer.succeed(HttpClient.HttpClient, TestAuthorizationServer.httpClient([hostile, ...honest]))
      const stores = yield* Layer.build(Layer.merge(Custody.layerMemory, transport))
      const clients = yield* Effect.forEach([hostile, ...honest], ({ endpoints, issuer }) =>
        OAuth2Client.make({
          ...publicClient,
          issuer,
          authorizationResponseIssParameterSupported: true,
          tokenEndpoint: endpoints.token,
          authorizationEndpoint: endpoints.authorization,
          revocationEndpoint: endpoints.revocation
        }).pipe(Effect.provide(stores)))
      return { hostile, servers: [hostile, ...honest], clients }
    })

  for (const count of [2, 3, 5]) {
    const rounds = Math.ceil(numRuns / 3)
    it.scoped(`S25 R35 of ${count}, in ${rounds} orders of events, none gets a code or verifier of another's`, () =>
      Effect.gen(function*() {
        const { clients, hostile, servers } = yield* setUp(count)
        const roll = dice(seed + count)
        const open: Array<{ readonly at: number; readonly begun: OAuth2Client.Begun; readonly callback: URL }> = []
        let owed = 0
        for (let round = 0; round < rounds; round++) {
          const at = roll(count)
          const begun = yield* clients[at]!.begin({ sessionKey: `user-${roll(10)}` })
          // The hostile server may send the user agent on to an honest one, with a request of its own making.
          const isDetour = at === 0 && roll(2) === 0
          const answering = isDetour ? 1 + roll(count - 1) : at
          const url = new URL(servers[answering]!.endpoints.authorization)
          url.search = begun.url.search
          open.push({ at, begun, callback: yield* servers[answering]!.authorize(url) })
          if (roll(4) === 0) continue
          const [flow] = open.splice(roll(open.length), 1)
          assert.isDefined(flow)
          const { callback, begun: { pending } } = flow
          const elsewhere = (flow.at + 1 + roll(count - 1)) % count
          yield* refused(clients[elsewhere]!, { callback, pending })
          if (callback.searchParams.get("iss") === issuerOf(flow.at)) {
            yield* clients[flow.at]!.complete({ callback, pending })
            owed += flow.at === 0 ? 1 : 0
          } else {
            yield* refused(clients[flow.at]!, { callback, pending })
          }
        }
        assert.isAbove(owed, 0)
        assert.strictEqual(yield* hostile.tokenRequests(), owed)
        for (const server of servers) {
          for (const { error, grantType, status } of yield* server.exchanges("token")) {
            // A code or a verifier of another server's would have been refused.
            assert.deepStrictEqual([grantType, status, error], ["authorization_code", 200, undefined])
          }
        }
      }))
  }
})
