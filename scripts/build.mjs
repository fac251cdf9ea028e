// Builds the packages, each after those that it uses: TypeScript emits `build/*.js` and `dist/*.d.ts`, then Babel
// writes `dist/*.js` with every top-level call marked as pure, so that a bundler may drop what a program does not use.
// Both folders are siblings of `src`, so the source maps that TypeScript makes hold for what Babel writes.
//
//   node scripts/build.mjs [--force]
import { transformFileAsync } from "@babel/core"
import annotatePureCalls from "babel-plugin-annotate-pure-calls"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { filesOf, modulesOf, packages, root } from "./packages.mjs"

const force = process.argv.includes("--force")
const tsc = join(root, "node_modules/typescript/bin/tsc")

const modified = (path) => existsSync(path) ? statSync(path).mtimeMs : 0
const stateOf = (pkg) => join(pkg.path, "build/.tsbuildinfo")
const stampOf = (pkg) => join(pkg.path, "build/.stamp")

const outputsOf = (pkg) =>
  modulesOf(pkg).flatMap((module) => [
    join(pkg.path, "build", `${module}.js`),
    join(pkg.path, "build", `${module}.js.map`),
    join(pkg.path, "dist", `${module}.js`),
    join(pkg.path, "dist", `${module}.js.map`),
    join(pkg.path, "dist", `${module}.d.ts`),
    join(pkg.path, "dist", `${module}.d.ts.map`)
  ])

const inputsOf = (pkg, built) => [
  ...modulesOf(pkg).map((module) => join(pkg.src, `${module}.ts`)),
  ...["package.json", "tsconfig.src.json", "tsconfig.build.json"].map((file) => join(pkg.path, file)),
  ...["package-lock.json", "tsconfig.base.json", "scripts/build.mjs"].map((file) => join(root, file)),
  ...built.map(stampOf)
]

/** Removes what belongs to modules that are no longer there. */
const removeOrphans = (pkg) => {
  const kept = new Set([...outputsOf(pkg), stateOf(pkg), stampOf(pkg)])
  for (const folder of ["build", "dist"].map((name) => join(pkg.path, name))) {
    for (const file of filesOf(folder)) {
      if (!kept.has(join(folder, file))) rmSync(join(folder, file))
    }
  }
}

const compile = (pkg) => {
  const arguments_ = [tsc, "-p", join(pkg.path, "tsconfig.build.json"), "--pretty", `${process.stdout.isTTY === true}`]
  return spawnSync(process.execPath, arguments_, { stdio: "inherit" }).status === 0
}

const annotate = async (pkg, module) => {
  const from = join(pkg.path, "build", `${module}.js`)
  const to = join(pkg.path, "dist", `${module}.js`)
  if (modified(to) >= modified(from) && existsSync(`${to}.map`)) return
  const { code, map } = await transformFileAsync(from, {
    babelrc: false,
    configFile: false,
    compact: false,
    inputSourceMap: true,
    sourceMaps: true,
    plugins: [annotatePureCalls]
  })
  mkdirSync(dirname(to), { recursive: true })
  // `src` is published beside `dist`: the maps point at it and need no copy.
  writeFileSync(`${to}.map`, JSON.stringify({ ...map, file: basename(to), sourcesContent: undefined }))
  writeFileSync(to, `${code}\n//# sourceMappingURL=${basename(to)}.map\n`)
}

const build = async (pkg, built) => {
  const started = new Date()
  if (modulesOf(pkg).length === 0) return false
  removeOrphans(pkg)
  const complete = outputsOf(pkg).every((file) => existsSync(file))
  const fresh = modified(stampOf(pkg)) > Math.max(...inputsOf(pkg, built).map(modified))
  if (complete && fresh && !force) return true
  // TypeScript does not look whether what it once wrote is still there: without it, its memory is worth nothing.
  if (!complete || force) {
    for (const folder of ["build", "dist"]) rmSync(join(pkg.path, folder), { recursive: true, force: true })
  }
  if (!compile(pkg)) return false
  for (const module of modulesOf(pkg)) await annotate(pkg, module)
  writeFileSync(stampOf(pkg), "")
  utimesSync(stampOf(pkg), started, started)
  return true
}

const built = []
for (const pkg of packages) {
  if (!await build(pkg, built)) {
    console.error(modulesOf(pkg).length === 0 ? `${pkg.name} holds no module` : `${pkg.name} does not build`)
    process.exitCode = 1
    break
  }
  built.push(pkg)
}
