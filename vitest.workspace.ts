export default ["packages/*/vitest.config.ts", "{examples,demo,bench,reliability,scripts}/vitest.config.ts"]
