/**
 * A command as a user runs it, with everything that it prints.
 */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

export interface Ended {
  readonly code: number | null
  readonly output: string
}

/** `sawOutput` is called with all that was printed so far, and may end the process. */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  options: {
    readonly directory: "." | "demo" | "examples/spa"
    readonly sawOutput?: (output: string, kill: (signal: NodeJS.Signals) => void) => void
  }
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const root = new URL("../../../", import.meta.url)
    const child = spawn(command, args, {
      cwd: fileURLToPath(new URL(options.directory, root)),
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    const see = (chunk: string) => {
      output += chunk
      options.sawOutput?.(output, (signal) => child.kill(signal))
    }
    child.stdout.setEncoding("utf8").on("data", see)
    child.stderr.setEncoding("utf8").on("data", see)
    child.once("error", reject)
    // Not before the last process that could print has ended, the servers included.
    child.once("close", (code) => resolve({ code, output }))
  })
