// The lock file holds versions and hashes and no addresses: an install asks whichever registry npm is set to ask. It names
// every dependency for every platform, and says of our own packages what their package.json says; else `npm ci` fails.
import { join } from "node:path"
import { readJson, root } from "./packages.mjs"

const { packages: locked } = readJson(join(root, "package-lock.json"))

/** Where Node would look for a package from a folder: beside it, then in each folder above. */
const findFrom = (path, name) => {
  const found = `${path === "" ? "" : `${path}/`}node_modules/${name}`
  if (locked[found] !== undefined) return true
  if (path === "") return false
  return findFrom(path.slice(0, Math.max(0, path.lastIndexOf("/"))), name)
}

const addresses = Object.entries(locked)
  .filter(([, { link, resolved }]) => resolved !== undefined && link !== true)
  .map(([path, { resolved }]) => `${path} names an address: ${resolved}`)

const missing = Object.entries(locked).flatMap(([path, entry]) =>
  Object.keys({ ...entry.dependencies, ...entry.optionalDependencies, ...entry.devDependencies })
    .filter((name) => !findFrom(path, name))
    .map((name) => `${path || "the project"} needs ${name}, which is not there`)
)

const outdated = Object.keys(locked).filter((path) => !path.includes("node_modules/")).flatMap((path) => {
  const manifest = readJson(join(root, path, "package.json"))
  return ["version", "dependencies", "devDependencies", "peerDependencies"]
    .filter((key) => JSON.stringify(sorted(manifest[key])) !== JSON.stringify(sorted(locked[path][key])))
    .map((key) => `${path || "the project"} has other ${key} in its package.json`)
})

function sorted(value) {
  return value instanceof Object ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)) : value
}

const problems = [...addresses, ...missing, ...outdated]
if (problems.length > 0) {
  console.error(problems.slice(0, 20).map((problem) => `package-lock.json: ${problem}`).join("\n"))
  console.error(`${problems.length} in all. "npm install --package-lock-only" with this project's .npmrc mends it.`)
  process.exitCode = 1
}
