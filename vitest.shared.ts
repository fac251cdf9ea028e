import { fileURLToPath } from "node:url"
import type { ViteUserConfig } from "vitest/config"

const source = (path: string) => fileURLToPath(new URL(`./packages/${path}`, import.meta.url))

/** What every package's tests share: the packages are resolved to their sources, not to their builds. */
const config: ViteUserConfig = {
  resolve: {
    alias: [
      { find: /^@effect-oauth2\/core\/testing$/, replacement: source("core/src/testing/index.ts") },
      { find: /^@effect-oauth2\/([a-z-]+)$/, replacement: `${source("")}$1/src/index.ts` },
      { find: /^@effect-oauth2\/([a-z-]+)\/(.+)$/, replacement: `${source("")}$1/src/$2.ts` }
    ]
  },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 60_000
  }
}

export default config
