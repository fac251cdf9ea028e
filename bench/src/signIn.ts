/**
 * What it costs to begin a sign-in, and to renew a session.
 */
import { OAuth2Client, type OAuth2Crypto, type OAuth2Session } from "@effect-oauth2/core"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { createHash, randomBytes } from "node:crypto"
import { layer, made, makeToken, opaque, ready, type Respond, web } from "./fixtures.js"
import { block, type Length, median, sideBySide } from "./measure.js"
import type { Section } from "./report.js"

/** So many sign-ins begin at once. */
const batch = 25

export const signIn = async (length: Length): Promise<Section> => {
  const { client } = await open(ready("{}"))
  const overReady = await open((request) => ready(tokenResponse())(request))
  const overWeb = await open((request) => web(tokenResponse())(request))
  const { client: withNodeCrypto } = await open(ready("{}"), nodeCrypto)
  let pending = 0
  const begin = Effect.map(client.begin(), () => {
    pending++
  })
  const beginning = await sideBySide({
    batch: {
      size: batch,
      run: () => Effect.runPromise(Effect.all(many(begin), { concurrency: "unbounded", discard: true }))
    },
    alone: { ...block(batch, () => begin, identity), waits: true },
    nodeCrypto: block(batch, () => withNodeCrypto.begin(), identity),
    digest: { ...block(batch, () => digest, identity), waits: true }
  }, length)
  const renewing = await sideBySide({
    refresh: block(10, () => overReady.session.refresh, identity),
    webRefresh: block(10, () => overWeb.session.refresh, identity)
  }, length)
  return {
    title: "A sign-in and a renewal",
    figures: [
      {
        name: "begin-us",
        title: `begin(): authorization URL with PKCE S256 and state, in batches of ${batch}, each`,
        value: median(beginning.batch),
        unit: "us",
        most: 45
      },
      { name: "begin-alone-us", title: "  one after the other", value: median(beginning.alone), unit: "us" },
      {
        name: "begin-node-crypto-us",
        title: "  by node:crypto, as platform-node has it, one after the other",
        value: median(beginning.nodeCrypto),
        unit: "us",
        most: 45
      },
      { name: "sha-256-us", title: "  one WebCrypto SHA-256 alone", value: median(beginning.digest), unit: "us" },
      { name: "begin-pending", title: "  sign-ins pending in the end, by WebCrypto", value: pending, unit: "count" },
      {
        name: "refresh-us",
        title: "session.refresh: asked, decoded, stored; tracing on",
        value: median(renewing.refresh),
        unit: "us",
        most: 100
      },
      {
        name: "refresh-web-us",
        title: "  where the stub answers with a web Response",
        value: median(renewing.webRefresh),
        unit: "us"
      }
    ]
  }
}

const nodeCrypto: OAuth2Crypto.OAuth2CryptoService = {
  randomBytes: (length) => Effect.sync(() => new Uint8Array(randomBytes(length))),
  sha256: (bytes) => Effect.sync(() => new Uint8Array(createHash("sha256").update(bytes).digest()))
}

/** A client over a stub, and a session of it. */
const open = (
  respond: Respond,
  crypto?: OAuth2Crypto.OAuth2CryptoService
): Promise<{ readonly client: OAuth2Client.OAuth2ClientService; readonly session: OAuth2Session.OAuth2Session }> =>
  ManagedRuntime.make(layer(made(respond), crypto)).runPromise(
    Effect.flatMap(
      OAuth2Client.OAuth2Client,
      (client) => Effect.map(client.restore(makeToken(Date.now())), (session) => ({ client, session }))
    )
  )

/** Each renewal rotates both tokens; making them costs the stub nothing that would be measured. */
const tokenResponse = (): string => {
  issued++
  return `{"access_token":"${secret}${issued}","token_type":"Bearer","expires_in":3600,` +
    `"refresh_token":"${secret}r${issued}","scope":"profile email"}`
}

const secret = opaque()
let issued = 0

const verifier = new TextEncoder().encode(opaque())
const digest = Effect.promise(() => crypto.subtle.digest("SHA-256", verifier))

const many = <A>(value: A): ReadonlyArray<A> => Array.from({ length: batch }, () => value)
