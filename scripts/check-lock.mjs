// The lock file holds versions and hashes and no addresses: an install asks whichever registry npm is set to ask.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./packages.mjs"

const lines = readFileSync(join(root, "package-lock.json"), "utf8").split("\n")
const addresses = lines.flatMap((line, index) =>
  /"resolved": "(?!packages\/|examples|demo|bench)/.test(line) ? [`package-lock.json:${index + 1}: ${line.trim()}`] : []
)

if (addresses.length > 0) {
  console.error(addresses.slice(0, 10).join("\n"))
  console.error(
    `${addresses.length} registry addresses. Install with the .npmrc of this project (omit-lockfile-registry-resolved).`
  )
  process.exitCode = 1
}
