/** The rig's processes, each as one file: they are started by the hundred, and have to be there at once. */
import { build } from "esbuild"
import { fileURLToPath } from "node:url"

const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

export const bundle = (): Promise<unknown> =>
  build({
    entryPoints: [at("processes/server.ts"), at("processes/worker.ts")],
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
    logLevel: "warning"
  })

export const pathOf = (name: "server" | "worker"): string => at(`.cache/${name}.mjs`)
