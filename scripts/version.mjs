// `npm run version`: turns the waiting changesets into versions and changelogs. Changesets makes a release major when a
// peer leaves its range, and before 1.0 every minor of core leaves `^0.x.0`; so the range is opened for the while.
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { packages, readJson, root } from "./packages.mjs"

const [core, ...platforms] = packages

const askForCore = (range) => {
  for (const { path } of platforms) {
    const file = join(path, "package.json")
    const manifest = readJson(file)
    manifest.peerDependencies[core.name] = range
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
  }
}

const versionOfCore = () => readJson(join(core.path, "package.json")).version

const run = (command, ...arguments_) =>
  spawnSync(command, arguments_, { cwd: root, stdio: "inherit", shell: process.platform === "win32" }).status === 0

askForCore(">=0.1.0")
const versioned = run("npx", "changeset", "version")
askForCore(`^${versionOfCore()}`)
process.exitCode = versioned && run("npm", "install", "--package-lock-only") ? 0 : 1
