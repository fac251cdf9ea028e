/** The rig's processes, each as one file: they are started by the hundred, and have to be there at once. */
import { build } from "esbuild"
import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

const programs = ["server", "worker", "writer", "reader"] as const

export type Program = typeof programs[number]

/** Each file is there whole or not at all: others may be starting the one before it. */
export const bundle = async (): Promise<void> => {
  const { outputFiles } = await build({
    entryPoints: programs.map((name) => at(`processes/${name}.ts`)),
    outdir: at(".cache"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    tsconfig: at("../tsconfig.base.json"),
    external: ["better-sqlite3", "pg-native", "@napi-rs/keyring", "@parcel/watcher"],
    // What is CommonJS among the dependencies asks for Node's modules by `require`
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: "warning",
    write: false
  })
  for (const { contents, path } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.${process.pid}`, contents)
    renameSync(`${path}.${process.pid}`, path)
  }
}

export const pathOf = (name: Program): string => at(`.cache/${name}.mjs`)
