/**
 * The network between this page and the servers, with a switch. While it is off, requests fail as they do when the
 * device has no network: at once, and without a word of why.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"

export class Network extends Context.Tag("spa/Network")<Network, {
  readonly isUp: SubscriptionRef.SubscriptionRef<boolean>
}>() {}

export const layer = Layer.effect(Network, Effect.map(SubscriptionRef.make(true), (isUp) => ({ isUp })))

/** The `HttpClient` that is provided, behind the switch. */
export const layerTransport = Layer.effect(
  HttpClient.HttpClient,
  Effect.gen(function*() {
    const { isUp } = yield* Network
    return HttpClient.transform(
      yield* HttpClient.HttpClient,
      (response, request) =>
        Effect.flatMap(SubscriptionRef.get(isUp), (isUp) =>
          isUp ? response : new HttpClientError.RequestError({
            request,
            reason: "Transport",
            cause: new TypeError("Failed to fetch")
          }))
    )
  })
)

/** Turns the switch. When the network is back the page is told so, as the browser would. */
export const turn = Effect.gen(function*() {
  const { isUp } = yield* Network
  const now = yield* SubscriptionRef.updateAndGet(isUp, (isUp) => !isUp)
  yield* Effect.sync(() => globalThis.dispatchEvent(new Event(now ? "online" : "offline")))
})
