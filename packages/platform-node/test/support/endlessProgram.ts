/**
 * A program under `NodeRuntime.runMain` that renews its one session and would then wait for ever. It is ended by
 * SIGTERM.
 *
 *   endlessProgram.ts <token endpoint> <folder of the store> <file of the report>
 *
 * The report says how long the process lived on after the renewed token was on the disk, and what was left at the end
 * of the program that would have kept the process alive.
 */
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import * as PendingAuthorizations from "@effect-oauth2/core/PendingAuthorizations"
import type { Token } from "@effect-oauth2/core/Token"
import * as TokenStore from "@effect-oauth2/core/TokenStore"
import * as FileTokenStore from "@effect-oauth2/platform-node/FileTokenStore"
import * as NodeTransport from "@effect-oauth2/platform-node/NodeTransport"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Runtime from "@effect/platform/Runtime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { writeFileSync } from "node:fs"

const [tokenEndpoint = "", directory = "", reportFile = ""] = process.argv.slice(2)

let committed = { time: NaN, cpu: process.cpuUsage() }
let left: ReadonlyArray<string> = []

process.on("exit", () => {
  const cpu = process.cpuUsage(committed.cpu)
  const afterCommit = { millis: performance.now() - committed.time, cpuMillis: (cpu.user + cpu.system) / 1_000 }
  writeFileSync(reportFile, JSON.stringify({ ...afterCommit, left }))
})

/** Takes down when the renewed token is on the disk. */
const store = Effect.map(FileTokenStore.make({ directory }), (files): TokenStore.SharedStore => ({
  ...files,
  commit: (key, claim, next) =>
    Effect.tap(files.commit(key, claim, next), () =>
      Effect.sync(() => {
        committed = { time: performance.now(), cpu: process.cpuUsage() }
      }))
}))

const Live = OAuth2Client.layer({ clientId: "app", tokenEndpoint, allowInsecureLoopback: true }).pipe(
  Layer.provide(Layer.effect(TokenStore.TokenStore, store)),
  Layer.provide(PendingAuthorizations.layerMemory),
  Layer.provide(NodeTransport.layer())
)

const expired: Token = {
  accessToken: Redacted.make("access-1"),
  refreshToken: Redacted.make("refresh-1"),
  tokenType: "Bearer",
  issuedAt: 0,
  expiresAt: 3_600_000
}

/** What a process is born with. */
const inheritance = ["PipeWrap", "TTYWrap"]

OAuth2Client.OAuth2Client.pipe(
  Effect.flatMap((client) => client.restore(expired)),
  Effect.flatMap((session) => session.accessToken),
  Effect.zipRight(Effect.never),
  Effect.provide(Live),
  NodeRuntime.runMain({
    teardown: (exit, onExit) => {
      left = process.getActiveResourcesInfo().filter((resource) => !inheritance.includes(resource))
      Runtime.defaultTeardown(exit, onExit)
    }
  })
)
