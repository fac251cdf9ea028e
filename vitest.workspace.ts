export default ["packages/*/vitest.config.ts", "{examples,demo,bench,scripts}/vitest.config.ts"]
