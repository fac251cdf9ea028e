/**
 * Bundles as a page gets them: the built packages through esbuild, minified, for the browser, then gzip -9.
 */
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

const root = fileURLToPath(new URL("../../", import.meta.url))

export interface Bundle {
  readonly code: string
  readonly metafile: Metafile
}

export const gzipped = (code: string): number => gzipSync(code, { level: 9 }).length

/** The path of an entry of this folder. */
export const entry = (name: string): string => fileURLToPath(new URL(`entries/${name}.ts`, import.meta.url))

/** What a browser downloads. */
export const forBrowser = (entryPoint: string, plugins: Array<Plugin> = []): Promise<Bundle> =>
  bundle({ entryPoints: [entryPoint], minify: true, plugins })

const external = ["effect", "@effect/platform", "@effect/platform-browser"]

/** Our own part of the same bundle, after tree shaking, as it can be read; Effect's modules stay imports. */
export const ourPart = (entryPoint: string): Promise<Bundle> => bundle({ entryPoints: [entryPoint], external })

/** Our own part, of the packages' sources: for tests, which need no build. Top-level calls are not marked as pure. */
export const ourSources = (entryPoint: string): Promise<Bundle> =>
  bundle({ entryPoints: [entryPoint], external, alias: { "@effect-oauth2/core": "./packages/core/src" } })

/** What a bundle holds of each module of ours, in bytes, the largest first. */
export const ourModules = ({ metafile }: Bundle): ReadonlyArray<readonly [module: string, bytes: number]> =>
  Object.values(metafile.outputs)
    .flatMap((output) => Object.entries(output.inputs))
    .flatMap(([path, { bytesInOutput }]) => {
      const [, name, module] = /packages\/([a-z-]+)\/(?:dist|src)\/(.*)\.[jt]s$/.exec(path) ?? []
      return name === undefined || module === undefined || bytesInOutput === 0
        ? []
        : [[`${name}/${module}`, bytesInOutput] as const]
    })
    .sort(([, one], [, other]) => other - one)

const bundle = async (options: BuildOptions): Promise<Bundle> => {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    bundle: true,
    charset: "utf8",
    format: "esm",
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
    platform: "browser",
    target: "es2022",
    // No `paths`: the packages are what they are for their users, the built ones.
    tsconfigRaw: {},
    ...options,
    write: false
  })
  return { code: outputFiles[0]!.text, metafile: metafile! }
}
