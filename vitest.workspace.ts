export default ["packages/*/vitest.config.ts", "{examples,demo,bench}/vitest.config.ts"]
