import { mergeConfig } from "vitest/config"
import shared from "../../vitest.shared.js"

// The page is built, and a browser started, before the first test of a file.
export default mergeConfig(shared, { test: { testTimeout: 60_000, hookTimeout: 120_000 } })
