// Writes the barrel of each package, `src/index.ts`, from the modules that are there: one namespace for each, under
// the doc comment that opens it. What lies in `internal/` or `testing/`, and what is named `Legacy…`, stays out.
//
//   node scripts/codegen.mjs [--check]     with --check nothing is written, and a barrel that is out of date fails
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { barrelModulesOf, packages } from "./packages.mjs"

const check = process.argv.includes("--check")
const problems = []

/** The doc comment that opens a module, when it is the module's own and not that of its first declaration. */
const openingComment = (source) =>
  /^(\/\*\*(?:[^*]|\*(?!\/))*\*\/)\s*(?:import|export \*|\/\*\*|\/\/)/.exec(source)?.[1]

const barrelOf = (pkg) => {
  const owner = new Map()
  return barrelModulesOf(pkg).map((module) => {
    const file = `packages/${pkg.directory}/src/${module}.ts`
    const name = basename(module)
    if (!/^[A-Z]\w*$/.test(name)) problems.push(`${file}: a public module is named in PascalCase`)
    if (owner.has(name)) problems.push(`${file}: ${owner.get(name)} has the same name in the barrel`)
    owner.set(name, file)
    const comment = openingComment(readFileSync(join(pkg.src, `${module}.ts`), "utf8"))
    if (comment === undefined) problems.push(`${file}: opens with no doc comment that says what the module is`)
    return `${comment === undefined ? "" : `${comment}\n`}export * as ${name} from "./${module}.js"\n`
  }).join("\n")
}

for (const pkg of packages) {
  const path = join(pkg.src, "index.ts")
  const wanted = barrelOf(pkg)
  const found = existsSync(path) ? readFileSync(path, "utf8") : undefined
  if (wanted === "" || wanted === found) continue
  if (check) problems.push(`packages/${pkg.directory}/src/index.ts is out of date: run "npm run codegen"`)
  else writeFileSync(path, wanted)
}

for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
