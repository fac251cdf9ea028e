import { FileTokenStore } from "@effect-oauth2/platform-node"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { bundle, ended, startBundle, temporaryFolder } from "./support/processes.js"
import * as Servers from "./support/servers.js"

/** How often the program is ended. To look closer: `GRACEFUL_TRIALS=1000`. */
const trials = Number(process.env["GRACEFUL_TRIALS"] ?? 10)

/** How long the server holds the reply to a request that it has already acted upon, in milliseconds. */
const held = 300

it.scopedLive(
  `R18 SIGTERM while a renewal is in flight, ${trials} times: the successor is kept, nothing is left, the end is quick`,
  () =>
    Effect.gen(function*() {
      const program = yield* bundle(new URL("./support/endlessProgram.ts", import.meta.url))
      const reports = yield* Effect.forEach(
        Array.from({ length: trials }, (_, i) => i),
        // the signal comes anywhere between the arrival of the request and just before its reply
        (i) => Effect.scoped(trial(program, ((i + 0.5) / trials) * (held - 20))),
        { concurrency: 2 }
      )
      // The process needs the processor for so long; on a machine with nothing else to do, that is the time it takes.
      assert.isBelow(Math.min(...reports.map(({ cpuMillis }) => cpuMillis)), 100)
      for (const { cpuMillis } of reports) assert.isBelow(cpuMillis, 500)
      assert.isBelow(Math.min(...reports.map(({ millis }) => millis)), 100)
    }),
  30_000 + trials * 10_000
)

const trial = (program: string, signalAfter: number) =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    const [directory, report] = [join(folder, "sessions"), join(folder, "report.json")]
    const tokens = yield* Servers.http((request, response) => {
      request.resume()
      setTimeout(() => child.kill("SIGTERM"), signalAfter)
      setTimeout(() => {
        response.writeHead(200, { "content-type": "application/json" })
        response.end(JSON.stringify({ ...renewed, token_type: "Bearer", expires_in: 3600 }))
      }, held)
    })
    const child = startBundle(program, [`http://127.0.0.1:${tokens.port}/token`, directory, report])
    assert.deepStrictEqual(yield* ended(child), { code: 0, output: "" })

    assert.strictEqual(tokens.connections(), 1)
    const record = yield* onlyRecord(directory)
    assert.deepStrictEqual([record?.generation, record?.state._tag], [2, "Idle"])
    assert.strictEqual(record?.token?.refreshToken && Redacted.value(record.token.refreshToken), renewed.refresh_token)
    const said = Schema.decodeUnknownSync(Report)(readFileSync(report, "utf8"))
    assert.deepStrictEqual(said.left, [], "timers and sockets at the end of the program")
    return said
  })

/** The session that the program left, as its file says. */
const onlyRecord = (directory: string) =>
  Effect.gen(function*() {
    const store = yield* FileTokenStore.make({ directory })
    const keys = yield* store.idle?.({ prefix: "", renewedBefore: Infinity, limit: 9 }) ?? Effect.succeed([])
    assert.lengthOf(keys, 1)
    return Option.getOrUndefined(yield* store.get(keys[0]!))
  })

const renewed = { access_token: "access-2", refresh_token: "refresh-2" }

/** What the program says of its end: what it was like from the renewed token's being in the file to the last moment. */
const Report = Schema.parseJson(Schema.Struct({
  millis: Schema.Number,
  cpuMillis: Schema.Number,
  left: Schema.Array(Schema.String)
}))
