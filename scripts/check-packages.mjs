// Packs the packages as npm would publish them, and holds them against publint, against "are the types wrong", and
// against Node: every entry can be imported, nothing internal can, and a bundle holds only the modules that it uses.
import { build } from "esbuild"
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import { publint } from "publint"
import { formatMessage } from "publint/utils"
import { barrelModulesOf, entriesOf, modulesOf, packages, readJson, root } from "./packages.mjs"

const packed = join(root, ".cache/packed")

const run = (command, arguments_, cwd = root) =>
  spawnSync(command, arguments_, { cwd, encoding: "utf8", shell: process.platform === "win32" })

/** Packs a package and returns the path of its tarball and the files in it. */
const pack = (pkg) => {
  const { status, stderr, stdout } = run("npm", ["pack", "--json", "--pack-destination", packed], pkg.path)
  if (status !== 0) throw new Error(`npm pack fails in packages/${pkg.directory}:\n${stderr}`)
  const [{ filename, files }] = JSON.parse(stdout)
  return { tarball: join(packed, filename), files: files.map(({ path }) => path) }
}

const specifier = (pkg, entry) => entry === "index" ? pkg.name : `${pkg.name}/${entry.replace(/\/index$/, "")}`

const contents = (pkg, { files }) => {
  const allowed = /^(?:dist|src)\/|^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md)$/
  const wanted = [
    "package.json",
    "README.md",
    "LICENSE",
    ...modulesOf(pkg).flatMap((module) => [
      `src/${module}.ts`,
      ...[".js", ".js.map", ".d.ts", ".d.ts.map"].map((extension) => `dist/${module}${extension}`)
    ])
  ]
  return [
    ...wanted.filter((file) => !files.includes(file)).map((file) => `the tarball lacks ${file}`),
    ...files.filter((file) => !allowed.test(file)).map((file) => `the tarball holds ${file}`)
  ]
}

const publishing = async (pkg, { tarball }) => {
  const content = readFileSync(tarball)
  const { messages } = await publint({
    level: "suggestion",
    pack: { tarball: content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength) }
  })
  const manifest = readJson(join(pkg.path, "package.json"))
  return messages.map((message) => `publint: ${formatMessage(message, manifest, { color: false })}`)
}

const typesOf = (pkg, { tarball }) => {
  const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js")
  const entries = entriesOf(pkg).map((entry) => specifier(pkg, entry).replace(pkg.name, "."))
  const { status, stderr, stdout } = run(process.execPath, [
    attw,
    tarball,
    "--profile",
    "esm-only",
    "--no-definitely-typed",
    "--no-emoji",
    "--no-color",
    "--entrypoints",
    ...entries
  ])
  return status === 0 && !/\bwarning\b/i.test(stdout + stderr) ? [] : [`attw:\n${stdout}${stderr}`]
}

/** Node's own answer, in a process of its own: what must load does, and what must not is refused by `exports`. */
const loading = (pkg) => {
  const open = entriesOf(pkg).map((entry) => specifier(pkg, entry))
  const closed = modulesOf(pkg).filter((module) => !entriesOf(pkg).includes(module)).map((m) => `${pkg.name}/${m}`)
  const program = `
    for (const name of ${JSON.stringify(open)}) {
      await import(name).catch((error) => console.log(name + " does not load: " + error))
    }
    for (const name of ${JSON.stringify(closed)}) {
      await import(name).then(
        () => console.log(name + " is internal, and loads"),
        (error) => error.code === "ERR_PACKAGE_PATH_NOT_EXPORTED" || console.log(name + ": " + error)
      )
    }`
  const { stderr, stdout } = run(process.execPath, ["--input-type=module", "--eval", program], pkg.path)
  return `${stdout}${stderr}`.split("\n").filter((line) => line.trim() !== "")
}

const bundle = async (pkg, contents) => {
  const { metafile } = await build({
    stdin: { contents, resolveDir: pkg.path },
    bundle: true,
    format: "esm",
    metafile: true,
    write: false,
    logLevel: "silent",
    plugins: [{
      name: "ours-only",
      setup: ({ onResolve }) => {
        onResolve(
          { filter: /^[^.]/ },
          ({ path }) => path.startsWith("@effect-oauth2/") ? undefined : { path, external: true, sideEffects: false }
        )
      }
    }]
  })
  const [{ inputs }] = Object.values(metafile.outputs)
  return Object.keys(inputs).filter((file) => file !== "<stdin>" && inputs[file].bytesInOutput > 0).sort().join(" ")
}

/** A program pays for the modules that it uses: taken from the barrel they weigh what they weigh alone. */
const shaking = async (pkg) => {
  const problems = []
  const unused = await bundle(pkg, `import * as All from "${pkg.name}"`)
  if (unused !== "") problems.push(`a bundle that uses nothing of it holds ${unused}`)
  for (const module of barrelModulesOf(pkg)) {
    const name = basename(module)
    const alone = await bundle(pkg, `import * as ${name} from "${pkg.name}/${module}"\nconsole.log(${name})`)
    const taken = await bundle(pkg, `import { ${name} } from "${pkg.name}"\nconsole.log(${name})`)
    if (alone !== taken) problems.push(`${name} by the barrel bundles ${taken}\n  and alone ${alone}`)
  }
  return problems
}

rmSync(packed, { recursive: true, force: true })
mkdirSync(packed, { recursive: true })
for (const pkg of packages) {
  const archive = pack(pkg)
  const problems = [
    ...contents(pkg, archive),
    ...await publishing(pkg, archive),
    ...typesOf(pkg, archive),
    ...loading(pkg),
    ...await shaking(pkg)
  ]
  for (const problem of problems) console.error(`${pkg.name}: ${problem}`)
  if (problems.length > 0) process.exitCode = 1
}
