/**
 * A program that uses a database of sessions, in a process of its own: it does a block of work whenever it is told its
 * name. `custodyProcess.mjs SETTINGS`
 */
import {
  Custody,
  OAuth2Client,
  type OAuth2Session,
  type PendingAuthorizations,
  type TokenStore
} from "@effect-oauth2/core"
import { TestAuthorizationServer } from "@effect-oauth2/core/testing"
import { SqlCustody } from "@effect-oauth2/sql"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Kind, type Settings, sizes } from "./CustodyProcesses.js"
import * as Database from "./database.js"
import * as StoreWork from "./StoreWork.js"

const { server, share, table } = JSON.parse(process.argv[2]!) as Settings

type Stores = TokenStore.TokenStore | PendingAuthorizations.PendingAuthorizations

const layerOf = (transport: HttpClient.HttpClient, custody: Layer.Layer<Stores, unknown>) =>
  OAuth2Client.layer({ clientId: "app", tokenEndpoint: "https://as.test/token" }).pipe(
    Layer.provide([custody, Layer.succeed(HttpClient.HttpClient, transport)])
  )

const program = Effect.gen(function*() {
  const connection = yield* Database.connect(server)
  const authorizationServer = yield* TestAuthorizationServer.make({ logSize: 100 })
  const sessionIn = (custody: Layer.Layer<Stores, unknown>) =>
    Effect.gen(function*() {
      const context = yield* Layer.build(Layer.fresh(layerOf(authorizationServer.httpClient, custody)))
      const client = Context.get(context, OAuth2Client.OAuth2Client)
      return yield* client.restore(yield* authorizationServer.issue(), { sessionKey: `process-${share.index}` })
    })
  const refreshing = (kind: Kind, session: OAuth2Session.OAuth2Session) =>
    Effect.repeatN(session.refresh, sizes[kind] - 1)
  const work: Readonly<Record<Kind, Effect.Effect<unknown, unknown>>> = {
    ...(yield* StoreWork.make(connection, table, share)),
    refresh: refreshing(
      "refresh",
      yield* sessionIn(Layer.provide(SqlCustody.layer(), Layer.succeedContext(connection)))
    ),
    refreshInMemory: refreshing("refreshInMemory", yield* sessionIn(Custody.layerMemory))
  }
  process.on("message", (kind: Kind) => void Effect.runPromise(work[kind]).then(() => process.send!("done")))
  process.send!("ready")
  return yield* Effect.never
})

void Effect.runPromise(Effect.scoped(program))
