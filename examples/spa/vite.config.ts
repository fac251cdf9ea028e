import { defineConfig } from "vite"
import shared from "../../vitest.shared.js"

/** The packages are taken from their sources, so that a fresh clone needs no build of them. */
export default defineConfig({
  resolve: shared.resolve!,
  build: {
    target: "es2022",
    modulePreload: false,
    // A page under a strict policy: what is inlined would have to be allowed
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_000
  },
  logLevel: "warn"
})
