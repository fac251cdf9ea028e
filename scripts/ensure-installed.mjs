// Installs the dependencies when they are missing or not those of package-lock.json, and says so in plain words. The
// commands of package.json start with it, so that they work right after a clone. It needs nothing but Node.
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, statSync, utimesSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const lockFile = join(root, "package-lock.json")
const installedFile = join(root, "node_modules/.package-lock.json")
const leastNode = [20, 18, 1]

const isAtLeast = (version, least) => {
  for (const [index, part] of least.entries()) {
    if (version[index] !== part) return version[index] > part
  }
  return true
}

const stop = (message) => {
  console.error(`\n${message}\n`)
  process.exit(1)
}

/** What a lock file says of one folder, as far as it decides whether that folder has to be installed anew. */
const identity = (entry) => `${entry.link === true ? entry.resolved : entry.version} ${entry.integrity ?? ""}`

/** Whether node_modules holds what the lock file asks for. Optional packages are those of other platforms. */
const holdsWhatIsLocked = () => {
  const locked = JSON.parse(readFileSync(lockFile, "utf8")).packages
  const installed = JSON.parse(readFileSync(installedFile, "utf8")).packages
  return Object.entries(locked).every(([path, entry]) => {
    if (!path.includes("node_modules/")) return true
    const found = installed[path]
    return found === undefined ? entry.optional === true : identity(found) === identity(entry)
  })
}

const missing = () => {
  if (!existsSync(installedFile)) return "The dependencies are not installed yet"
  if (statSync(installedFile).mtimeMs >= statSync(lockFile).mtimeMs) return undefined
  if (!holdsWhatIsLocked()) return "The installed dependencies are not those of package-lock.json"
  const now = new Date()
  utimesSync(installedFile, now, now)
  return undefined
}

const install = (reason) => {
  console.error(`${reason}: running "npm ci", which downloads them from your npm registry. This takes a minute or two.`)
  const windows = process.platform === "win32"
  const { error, status } = spawnSync(
    "npm",
    ["ci", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"],
    { cwd: root, stdio: ["ignore", 2, 2], shell: windows }
  )
  if (error !== undefined) stop(`npm did not start (${error.message}). It comes with Node: is it on the PATH?`)
  if (status !== 0) {
    stop(
      `"npm ci" failed (exit code ${status}), so nothing can run yet. Its own message is above.\n` +
        "ENOTFOUND, ECONNREFUSED, ETIMEDOUT or EAI_AGAIN there means that npm cannot reach its registry: look at the\n" +
        "network, at the proxy (\"npm config get proxy\") and at the registry (\"npm config get registry\"), then try again."
    )
  }
}

const node = process.versions.node.split(".").map(Number)
if (!isAtLeast(node, leastNode)) {
  stop(`This project needs Node ${leastNode.join(".")} or newer; this is Node ${process.versions.node}.`)
}
const reason = missing()
if (reason !== undefined) install(reason)
