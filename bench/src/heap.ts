/**
 * What a live session costs in memory: two opaque tokens of 54 characters, under a key of its own.
 */
import { OAuth2Client as BadgatewayClient, OAuth2Fetch } from "@badgateway/oauth2-client"
import { OAuth2Client } from "@effect-oauth2/core"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { OAuth2Client as GoogleClient } from "google-auth-library"
import { setImmediate } from "node:timers/promises"
import { layer, made, makeToken, opaque, ready } from "./fixtures.js"

/** Makes the sessions from one number up to another, and keeps them. */
type Hold = (from: number, to: number) => Promise<void>

/** What is held, so that nothing of it is collected before it is measured. */
const held: Array<unknown> = []

export interface Heap {
  readonly sessions: number
  readonly bytesPerSession: number
}

export const heap = async (library: keyof typeof libraries, sessions: number): Promise<Heap> => {
  const hold = await libraries[library]()
  await hold(sessions, sessions + 1_000)
  const before = await used()
  const until = performance.now() + mostMillis
  let live = 0
  while (live < sessions && performance.now() < until) {
    await hold(live, live + 1_000)
    live += 1_000
    await setImmediate()
  }
  return { sessions: live, bytesPerSession: (await used() - before) / live }
}

/** A slow machine makes fewer sessions rather than everybody wait. */
const mostMillis = 40_000

const libraries = {
  ours: async (): Promise<Hold> => {
    const runtime = ManagedRuntime.make(layer(made(ready("{}"))))
    const client = await runtime.runPromise(OAuth2Client.OAuth2Client)
    held.push(runtime, client)
    return (from, to) =>
      Effect.runPromise(
        Effect.forEach(keys(from, to), (sessionKey) =>
          Effect.suspend(() => client.restore(makeToken(Date.now()), { sessionKey })), { discard: true })
      )
  },
  badgateway: (): Promise<Hold> => {
    const client = new BadgatewayClient({ clientId: "bench", tokenEndpoint: "https://as.example.com/token" })
    const sessions = new Map<string, OAuth2Fetch>()
    held.push(sessions)
    return Promise.resolve(async (from, to) => {
      for (const key of keys(from, to)) {
        const token = { accessToken: opaque(), refreshToken: opaque(), expiresAt: Date.now() + 3_600_000 }
        const session = new OAuth2Fetch({ client, getNewToken: () => null, getStoredToken: () => token })
        await session.getAccessToken()
        sessions.set(key, session)
      }
    })
  },
  google: (): Promise<Hold> => {
    const sessions = new Map<string, GoogleClient>()
    held.push(sessions)
    return Promise.resolve((from, to) => {
      for (const key of keys(from, to)) {
        const session = new GoogleClient({ clientId: "bench" })
        session.setCredentials({
          access_token: opaque(),
          refresh_token: opaque(),
          expiry_date: Date.now() + 3_600_000
        })
        sessions.set(key, session)
      }
      return Promise.resolve()
    })
  }
}

const keys = (from: number, to: number): ReadonlyArray<string> =>
  Array.from({ length: to - from }, (_, index) => `user-${from + index}`)

const used = async (): Promise<number> => {
  for (let round = 0; round < 4; round++) {
    globalThis.gc!()
    await setImmediate()
  }
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}
