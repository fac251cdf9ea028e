/**
 * Bundles a page's program of the packages' sources, as one module that needs no other.
 */
import { build } from "esbuild"
import { fileURLToPath } from "node:url"

const source = (path: string): string => fileURLToPath(new URL(`../../packages/${path}`, import.meta.url))

export const bundle = async (entry: URL): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    charset: "utf8",
    format: "esm",
    logLevel: "warning",
    platform: "browser",
    target: "es2022",
    tsconfigRaw: {},
    alias: {
      "@effect-oauth2/core/testing": source("core/src/testing/index.ts"),
      "@effect-oauth2/core": source("core/src"),
      "@effect-oauth2/platform-browser": source("platform-browser/src")
    },
    write: false
  })
  return outputFiles[0]!.text
}
