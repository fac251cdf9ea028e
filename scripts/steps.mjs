// What `npm test` does, step by step. To add a step, add a line: a name, what it shows, and its commands. All commands of
// a step run, even when one fails. Steps that judge the code without running it are `static`: these run two at a time,
// and never beside the others, which measure time.
import { packages } from "./packages.mjs"
import { vitest } from "./vitest.mjs"

const bin = (path, ...arguments_) => [process.execPath, `node_modules/${path}`, ...arguments_]
const script = (name, ...arguments_) => [process.execPath, `scripts/${name}.mjs`, ...arguments_]
const tsc = (project) => bin("typescript/bin/tsc", "-p", project)

const depcruise = bin(
  "dependency-cruiser/bin/dependency-cruise.mjs",
  ...["packages", "examples", "demo", "bench", "reliability", "support", "--output-type", "err-long"]
)

export const steps = [
  {
    name: "types",
    title: "everything type-checks, and what runs everywhere does so without Node's types",
    static: true,
    commands: [tsc("tsconfig.json"), ...packages.map(({ directory }) => tsc(`packages/${directory}/tsconfig.src.json`))]
  },
  {
    name: "lint",
    title: "the layout, and the laws that a linter can hold",
    static: true,
    commands: [bin("eslint/bin/eslint.js", ".", "--max-warnings", "0")]
  },
  {
    name: "house",
    title: "barrels, floors, unused code, the lock file, and that no rule sleeps",
    static: true,
    commands: [
      script("codegen", "--check"),
      script("check-lock"),
      depcruise,
      bin("knip/bin/knip.js"),
      script("check-rules"),
      script("check-floors")
    ]
  },
  {
    name: "trace",
    title: "every requirement is proved by a test, or says why not",
    static: true,
    commands: [script("trace")]
  },
  {
    name: "build",
    title: "the packages build",
    static: true,
    commands: [script("build")]
  },
  {
    name: "packages",
    title: "what would be published holds for Node, bundlers and every module resolution",
    static: true,
    needs: "build",
    commands: [script("check-packages")]
  },
  {
    name: "docs",
    title: "the examples in the documentation compile, and its pages build without a warning",
    static: true,
    commands: [script("check-examples"), bin("typedoc/bin/typedoc")]
  },
  {
    name: "tests",
    title: "unit, property, integration and example tests",
    run: vitest
  }
]
