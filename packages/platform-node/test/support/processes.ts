/** Programs in processes of their own, over the sources of this repository. */
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../../..", import.meta.url))

/** Runs a TypeScript program with node. */
export const start = (
  program: URL,
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string | undefined>> = process.env
): ChildProcess =>
  spawn(process.execPath, ["--import", "tsx", fileURLToPath(program), ...args], {
    cwd: root,
    env: environment,
    stdio: ["ignore", "pipe", "inherit"]
  })
