/**
 * Runs a program file as a process of its own, against the example servers.
 */
import { Effect, Option, Queue, Stream } from "effect"
import { spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { ExampleServer } from "./exampleServer.js"

const hosts = new URL("./hosts.mjs", import.meta.url).href

const root = fileURLToPath(new URL("../..", import.meta.url))

export interface RunningExample {
  /** Waits for the first line that matches, and returns its first group, or the line. */
  readonly line: (pattern: RegExp) => Effect.Effect<string>
  /** Types a line, as the user at the terminal would. */
  readonly type: (line: string) => Effect.Effect<void>
  /** Waits for the end: exit code and all that was printed. */
  readonly exit: Effect.Effect<{ readonly code: number | null; readonly output: string }>
}

/** Starts the program; it is ended with the scope. */
export const start = (
  file: string,
  server: ExampleServer,
  env: Readonly<Record<string, string>> = {},
  args: ReadonlyArray<string> = []
) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "example-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true }))
    )
    const written = (name: string, text: string) =>
      Effect.promise(() => writeFile(join(folder, name), text)).pipe(Effect.as(join(folder, name)))
    const child = spawn(process.execPath, ["--import", "tsx", "--import", hosts, file, ...args], {
      cwd: root,
      env: {
        PATH: process.env["PATH"],
        NODE_EXTRA_CA_CERTS: yield* written("ca.pem", server.ca),
        EXAMPLE_SERVER_PORTS: JSON.stringify(server.ports),
        PRIVATE_CA_FILE: yield* written("private-ca.pem", server.privateCa),
        CLIENT_CERT_FILE: yield* written("client.pem", server.client.cert),
        CLIENT_KEY_FILE: yield* written("client.key", server.client.key),
        ...env
      }
    })
    let output = ""
    const lines = yield* Queue.unbounded<string>()
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      for (const line of chunk.toString().split("\n")) if (line !== "") Queue.unsafeOffer(lines, line)
    }
    child.stdout.on("data", read)
    child.stderr.on("data", read)
    const closed = new Promise<number | null>((resolve) => child.on("close", resolve))
    yield* Effect.addFinalizer(() =>
      Effect.promise(() => {
        child.kill("SIGTERM")
        return closed
      })
    )
    const running: RunningExample = {
      line: (pattern) =>
        Stream.fromQueue(lines).pipe(
          Stream.filterMap((line) => {
            const match = pattern.exec(line)
            return match === null ? Option.none() : Option.some(match[1] ?? line)
          }),
          Stream.runHead,
          Effect.flatten,
          Effect.timeout("60 seconds"),
          Effect.catchAll(() => Effect.die(new Error(`Nothing printed matches ${pattern}. Printed was:\n${output}`)))
        ),
      type: (line) => Effect.sync(() => void child.stdin.write(`${line}\n`)),
      exit: Effect.promise(() => closed).pipe(
        Effect.timeout("60 seconds"),
        Effect.orDieWith(() => new Error(`Still running. Printed was:\n${output}`)),
        Effect.map((code) => ({ code, output }))
      )
    }
    return running
  })
