// What the other scripts know about the packages: where they are, in which order they build, and what they publish.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The public packages, each after those that it uses. */
export const packages = ["core", "platform-node", "platform-browser", "sql"].map((directory) => {
  const path = join(root, "packages", directory)
  return { directory, path, src: join(path, "src"), name: `@effect-oauth2/${directory}` }
})

/** The files in a folder and, unless told otherwise, below it, as paths from it with forward slashes, sorted. */
export const filesOf = (folder, { deep = true } = {}) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: deep, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
      .sort()
    : []

/** The modules of a package, as paths from `src` without their extension. */
export const modulesOf = ({ src }) =>
  filesOf(src).filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts")).map((file) => file.slice(0, -3))

/** What programs may import: everything but `internal/` and the parts of the test kit, whose entry is its index. */
export const entriesOf = (pkg) =>
  modulesOf(pkg).filter((module) =>
    !module.startsWith("internal/") && (!module.startsWith("testing/") || module === "testing/index")
  )

/** What the barrel names: the entries without the test kit and without what the standards advise against. */
export const barrelModulesOf = (pkg) =>
  entriesOf(pkg).filter((module) =>
    module !== "index" && module !== "testing/index" && !/^legacy$/i.test(dirname(module)) &&
    !basename(module).startsWith("Legacy")
  )

export const readJson = (path) => JSON.parse(readFileSync(path, "utf8"))
