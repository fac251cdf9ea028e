/**
 * What it costs to ask a session for its token while that is fresh.
 */
import { OAuth2Client } from "@effect-oauth2/core"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Ref from "effect/Ref"
import { layer, made, makeToken, ready } from "./fixtures.js"
import { block, type Length, median, ratio, sideBySide } from "./measure.js"
import type { Section } from "./report.js"

const size = 2_000

export const freshToken = async (length: Length): Promise<Section> => {
  const session = await ManagedRuntime.make(layer(made(ready("{}")))).runPromise(
    Effect.flatMap(OAuth2Client.OAuth2Client, (client) => client.restore(makeToken(Date.now())))
  )
  const ref = Effect.runSync(Ref.make(makeToken(Date.now())))
  const samples = await sideBySide({
    ref: block(size, () => Ref.get(ref), identity),
    token: block(size, () => session.token, identity),
    accessToken: block(size, () => session.accessToken, identity)
  }, length)
  return {
    title: "A fresh token",
    figures: [
      {
        name: "fresh-token-over-ref-get",
        title: "session.accessToken, over Ref.get",
        value: ratio(samples.accessToken, samples.ref),
        unit: "ratio",
        most: 10
      },
      { name: "fresh-token-us", title: "session.accessToken", value: median(samples.accessToken), unit: "us" },
      { name: "ref-get-us", title: "Ref.get in the same loop", value: median(samples.ref), unit: "us" }
    ],
    notes: [`session.token is ${ratio(samples.token, samples.ref).toFixed(2)} x Ref.get`]
  }
}
