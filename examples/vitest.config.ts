import { mergeConfig } from "vitest/config"
import shared from "../vitest.shared.js"

// Each test starts processes, which takes its time on a busy machine.
export default mergeConfig(shared, { test: { testTimeout: 150_000 } })
