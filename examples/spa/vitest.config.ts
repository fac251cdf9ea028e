import { mergeConfig } from "vitest/config"
import shared from "../../vitest.shared.js"

// The page is built before all tests, and a browser started before the first test of a file.
export default mergeConfig(shared, {
  test: { globalSetup: "test/support/build.ts", testTimeout: 90_000, hookTimeout: 120_000 }
})
