/**
 * What an authorized request with a fresh token costs, and what other clients' layers cost over a stub of theirs.
 */
import { OAuth2Client as BadgatewayClient, OAuth2Fetch } from "@badgateway/oauth2-client"
import { OAuth2Client, OAuth2HttpClient, OAuth2Session } from "@effect-oauth2/core"
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { gaxios, OAuth2Client as GoogleClient } from "google-auth-library"
import { api, bare, layer, made, makeToken, opaque, ready, web } from "./fixtures.js"
import { added, block, type Length, median, promises, ratio, sideBySide, type Subject } from "./measure.js"
import type { Section } from "./report.js"

const { CurrentSession } = OAuth2Session
type CurrentSession = OAuth2Session.CurrentSession

const url = `${api}/things/1`
const body = "{\"ok\":true}"

export const requests = async (length: Length): Promise<Section> => {
  const overMade = await variants(made(ready(body)), 500)
  const overBare = await variants(bare(ready(body)), 1_000)
  const overWeb = await variants(made(web(body)), 20)
  const samples = await sideBySide({
    constant: overMade.constant,
    authorized: overMade.authorized,
    perRequest: overMade.perRequest,
    ofSession: overMade.ofSession,
    bare: overBare.plain,
    bareAuthorized: overBare.authorized,
    webConstant: overWeb.constant,
    webAuthorized: overWeb.authorized,
    ...badgateway(20),
    ...google(20)
  }, length)
  return {
    title: "A request with a fresh token, its body read, over a stubbed transport; tracing off",
    figures: [
      {
        name: "authorized-request-ratio",
        title: "authorized, over the same client with a constant header",
        value: ratio(samples.authorized, samples.constant),
        unit: "ratio",
        most: 1.25
      },
      {
        name: "authorized-request-ratio-web",
        title: "the same where the stub answers with a web Response",
        value: ratio(samples.webAuthorized, samples.webConstant),
        unit: "ratio"
      },
      {
        name: "authorized-request-added-us",
        title: "added to a bare HttpClient.makeWith stub",
        value: added(samples.bareAuthorized, samples.bare),
        unit: "us",
        most: 2.5
      },
      {
        name: "authorized-request-added-over-constant-us",
        title: "added to a constant header over HttpClient.make",
        value: added(samples.authorized, samples.constant),
        unit: "us"
      },
      {
        name: "authorized-request-session-per-request-added-us",
        title: "  with the session provided for each request",
        value: added(samples.perRequest, samples.constant),
        unit: "us"
      },
      {
        name: "authorized-request-bound-client-added-us",
        title: "  by httpClientFor(session)",
        value: added(samples.ofSession, samples.constant),
        unit: "us"
      },
      {
        name: "badgateway-request-added-us",
        title: "@badgateway/oauth2-client, added to its stub",
        value: added(samples.badgateway, samples.badgatewayStub),
        unit: "us"
      },
      {
        name: "google-request-added-us",
        title: "google-auth-library, added to its stub",
        value: added(samples.google, samples.googleStub),
        unit: "us"
      }
    ],
    notes: [
      `whole requests: authorized ${micros(samples.authorized)}, constant header ${micros(samples.constant)}, ` +
      `bare ${micros(samples.bare)}, with a web Response ${micros(samples.webConstant)}`,
      `stubs alone: fetch ${micros(samples.badgatewayStub)}, gaxios ${micros(samples.googleStub)}; ` +
      `medians of ${samples.constant.length} rounds`
    ]
  }
}

const micros = (values: ReadonlyArray<number>): string => `${median(values).toFixed(1)} µs`

// ---- this library

type Request<E, R> = Effect.Effect<string, E, R>

/** The same request through one transport, as it is and through the clients made over it. */
const variants = (transport: HttpClient.HttpClient, size: number) =>
  // Never disposed: what the layers hold is needed as long as the process runs.
  ManagedRuntime.make(layer(transport)).runPromise(Effect.gen(function*() {
    const client = yield* OAuth2Client.OAuth2Client
    const session = yield* client.restore(makeToken(Date.now()))
    const authorized = yield* OAuth2HttpClient.OAuth2HttpClient
    const ofSession = yield* OAuth2Client.httpClientFor(session)
    const constant = HttpClient.mapRequest(
      transport,
      HttpClientRequest.setHeader("authorization", `Bearer ${opaque()}`)
    )
    const requests = <E, R extends CurrentSession>(
      client: HttpClient.HttpClient.With<E, R>,
      each: (request: Request<E | HttpClientError, R>) => Request<E | HttpClientError, CurrentSession> = (request) =>
        request
    ): Subject =>
      block(
        size,
        () => each(Effect.flatMap(client.get(url), (response) => response.text)),
        (repeated) =>
          repeated.pipe(
            Effect.locally(HttpClient.currentTracerDisabledWhen, () => true),
            Effect.provideService(CurrentSession, session)
          )
      )
    return {
      plain: requests(transport),
      constant: requests(constant),
      authorized: requests(authorized),
      perRequest: requests(authorized, Effect.provideService(CurrentSession, session)),
      ofSession: requests(ofSession)
    }
  }))

// ---- other clients, by the way their documentation shows

const badgateway = (size: number) => {
  const client = new BadgatewayClient({ clientId: "bench", tokenEndpoint: "https://as.example.com/token" })
  const authorized = new OAuth2Fetch({
    client,
    scheduleRefresh: false,
    getNewToken: () => null,
    getStoredToken: () => ({ accessToken: opaque(), refreshToken: opaque(), expiresAt: Date.now() + 3_600_000 })
  })
  const stub = () => Promise.resolve(new Response(body))
  return {
    badgatewayStub: promises(size, async () => (await stub()).text()),
    badgateway: promises(size, async () => (await authorized.mw()(new Request(url), stub)).text())
  }
}

const google = (size: number) => {
  const fetchImplementation = () => Promise.resolve(new Response(body))
  const transporter = new gaxios.Gaxios({ fetchImplementation })
  const authorized = new GoogleClient({ clientId: "bench", transporterOptions: { fetchImplementation } })
  authorized.setCredentials({
    access_token: opaque(),
    refresh_token: opaque(),
    expiry_date: Date.now() + 3_600_000
  })
  return {
    googleStub: promises(size, () => transporter.request({ url, responseType: "text" })),
    google: promises(size, () => authorized.request({ url, responseType: "text" }))
  }
}
