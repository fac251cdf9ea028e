// Compiles the examples of the documentation: every `@example` of the packages' sources and every `ts` block of the
// Markdown. Each is written to .cache/examples at the line where it stands, so that a message names it.
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { filesOf, modulesOf, packages, root } from "./packages.mjs"

const folder = join(root, ".cache/examples")

const documents = [
  ...packages.flatMap((pkg) => modulesOf(pkg).map((module) => `packages/${pkg.directory}/src/${module}.ts`)),
  ...filesOf(join(root, "docs")).filter((file) => !file.startsWith("api/")).map((file) => `docs/${file}`),
  ...filesOf(root, { deep: false }),
  ...packages.flatMap(({ directory, path }) =>
    filesOf(path, { deep: false }).map((file) => `packages/${directory}/${file}`)
  )
].filter((file) => /\.(?:md|ts)$/.test(file))

/** The `ts` blocks of a Markdown file, each with the number of the lines before it. */
const blocksOf = (text) =>
  [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(({ 1: code, index }) => ({
    before: text.slice(0, index).split("\n").length,
    code
  }))

/** The examples of doc comments: all up to the next tag, or what a fence encloses. */
const examplesOf = (text) =>
  [...text.matchAll(/^ *\* @example\b.*\n((?: *\*(?! @\w|\/).*\n)*)/gm)].map(({ 0: all, 1: body, index }) => ({
    before: text.slice(0, index + all.length - body.length).split("\n").length - 1,
    code: body.replace(/^ *\* ?/gm, "").replace(/^```.*$/gm, "")
  }))

rmSync(folder, { recursive: true, force: true })
for (const document of documents) {
  const text = readFileSync(join(root, document), "utf8")
  for (const { before, code } of document.endsWith(".md") ? blocksOf(text) : examplesOf(text)) {
    const path = join(folder, `${document.replace(/\.\w+$/, "")}.${before + 1}.ts`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${"\n".repeat(before)}${code}\n`)
  }
}

const options = { noEmit: true, noUnusedLocals: false, types: ["node"] }
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, "none.ts"), "export {}\n")
writeFileSync(
  join(folder, "tsconfig.json"),
  JSON.stringify({ extends: "../../tsconfig.base.json", compilerOptions: options, include: ["**/*.ts"] })
)
const { status } = spawnSync(
  process.execPath,
  ["node_modules/typescript/bin/tsc", "-p", ".cache/examples/tsconfig.json", "--pretty", "false"],
  { cwd: root, stdio: "inherit" }
)
process.exitCode = status === 0 ? 0 : 1
