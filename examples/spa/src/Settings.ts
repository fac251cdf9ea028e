/** What the page is told of its surroundings, by a file of its own origin. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const Schema_ = Schema.Struct({
  clientId: Schema.String,
  issuer: Schema.String,
  authorizationEndpoint: Schema.String,
  tokenEndpoint: Schema.String,
  revocationEndpoint: Schema.String,
  endSessionEndpoint: Schema.String,
  redirectUri: Schema.String,
  /** The API's origin. */
  api: Schema.String,
  /** Who can sign in here. */
  user: Schema.Struct({ name: Schema.String, password: Schema.String }),
  serverIsRunning: Schema.Boolean
})

export interface Settings extends Schema.Schema.Type<typeof Schema_> {}

export const Settings = Context.GenericTag<Settings>("spa/Settings")

/** Reads them, over the `HttpClient` that is provided. */
export const layer = Layer.effect(
  Settings,
  Effect.gen(function*() {
    const http = yield* HttpClient.HttpClient
    const response = yield* http.get(new URL("/settings.json", location.origin))
    return yield* HttpClientResponse.schemaBodyJson(Schema_)(response)
  })
)
