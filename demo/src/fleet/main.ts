/**
 * `npm run demo:fleet`: ends with 0 when nothing was lost, with 1 when something was, with 130 after Ctrl-C.
 *
 * The fleet runs in a group of processes of its own. Ctrl-C would otherwise reach its database, its server and its
 * workers all at once; so it reaches this one, which lets go of the fleet, and the fleet ends one after the other.
 * It does the same when this one is killed.
 */
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"

const fleet = fork(fileURLToPath(new URL("run.ts", import.meta.url)), process.argv.slice(2), {
  detached: true,
  stdio: ["ignore", "inherit", "inherit", "ipc"]
})

let stopped = false

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    stopped = true
    if (fleet.connected) fleet.disconnect()
  })
}
process.on("SIGWINCH", () => void fleet.kill("SIGWINCH"))

fleet.once("exit", (code) => {
  if (stopped) process.stderr.write("\n  Stopped. All processes of the fleet have ended.\n")
  process.exit(stopped ? 130 : code ?? 1)
})
