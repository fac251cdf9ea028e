/**
 * Three ways to live with a token that expires. Each program starts with one that has expired, as out of a database.
 *
 * The second is what a program needs as a rule; the third is for tokens that are kept outside a `TokenStore`.
 */
import { BearerToken, Custody, Grant, OAuth2Client, OAuth2HttpClient, OAuth2Session, Token } from "@effect-oauth2/core"
import { NodeTransport } from "@effect-oauth2/platform-node"
import { HttpClient, HttpClientRequest } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Clock, Config, Console, Effect, Layer, Redacted } from "effect"

const expired = Effect.map(Config.redacted("REFRESH_TOKEN"), (refreshToken) => ({
  accessToken: Redacted.make("expired"),
  tokenType: "Bearer",
  issuedAt: 0,
  expiresAt: 3_600_000,
  refreshToken
}))

const me = "https://api.example.com/me"

/** By hand: the program holds the token itself, catches `TokenExpired`, and asks for another. */
const byHand = Effect.gen(function*() {
  const client = yield* OAuth2Client.OAuth2Client
  const http = yield* HttpClient.HttpClient
  const get = (token: Token.Token) =>
    Effect.flatMap(BearerToken.authorize(HttpClientRequest.get(me), token), http.execute)

  const token = yield* expired
  const response = yield* get(token).pipe(
    Effect.catchTag("TokenExpired", () => Effect.flatMap(client.requestToken(Grant.refreshToken(token)), get))
  )
  yield* Console.log("by hand", response.status)
})

/** Automatic: a session renews its token before it is sent, once for all who ask at the same time. */
const automatic = Effect.gen(function*() {
  const client = yield* OAuth2Client.OAuth2Client
  const http = yield* OAuth2HttpClient.OAuth2HttpClient
  const session = yield* client.restore(yield* expired, { sessionKey: "ada" })
  const response = yield* Effect.provideService(http.get(me), OAuth2Session.CurrentSession, session)
  yield* Console.log("automatic", response.status)
})

/** The updater of the third program: told of every token, the restored one included, before it is used. */
const save = (sessionKey: string, token: Token.Token) =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (now) => Console.log(`saved for ${sessionKey}:`, Token.isExpired(token, now) ? "the expired token" : "a new token")
  )

/** The client; with `onToken`, also the third program. */
const live = (options: Pick<OAuth2Client.Options, "onToken"> = {}) =>
  OAuth2Client.layerHttpClient({ origins: ["https://api.example.com"] }).pipe(
    Layer.provideMerge(OAuth2Client.layer({
      clientId: "tool",
      tokenEndpoint: "https://as.example.com/token",
      ...options
    })),
    Layer.provide(Custody.layerMemory),
    Layer.provideMerge(NodeTransport.layer())
  )

Effect.all([
  Effect.provide(byHand, live()),
  Effect.provide(automatic, live()),
  Effect.provide(automatic, live({ onToken: save }))
]).pipe(NodeRuntime.runMain)
