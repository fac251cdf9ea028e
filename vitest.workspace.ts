export default [
  "packages/*/vitest.config.ts",
  "{examples,examples/spa,demo,bench,reliability,scripts}/vitest.config.ts"
]
