// Lays out a small tree that breaks each rule of .dependency-cruiser.cjs once, and fails when a rule stays silent or
// when an honest import is refused.
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { readJson, root } from "./packages.mjs"

const { forbidden } = createRequire(import.meta.url)("../.dependency-cruiser.cjs")

/** Each module of the tree: what it imports, and by which rules that is to be refused. */
const core = {
  "internal/text": { imports: [] },
  "internal/high": { imports: ["./../Grant.js"], rules: ["floor-0-words"] },
  Token: { imports: ["./internal/text.js", "declared"] },
  Scope: { imports: ["./Grant.js"], rules: ["floor-0-words"] },
  Grant: { imports: ["./Token.js"] },
  Pkce: { imports: ["./OAuth2Crypto.js"], rules: ["floor-1-messages"] },
  OAuth2Crypto: { imports: ["./Grant.js"] },
  ComplianceHooks: { imports: ["./TokenEndpoint.js"], rules: ["floor-2-hooks-and-keys"] },
  TokenEndpoint: { imports: ["./OAuth2Crypto.js"] },
  GuardedHttp: { imports: ["./TokenManager.js"], rules: ["floor-3-endpoints"] },
  TokenManager: { imports: ["./TokenEndpoint.js"] },
  TokenStore: { imports: ["./OAuth2Client.js"], rules: ["floor-4-custody"] },
  OAuth2Client: { imports: ["./TokenManager.js", "./Unnamed.js"], rules: ["name-its-floor"] },
  Unnamed: { imports: ["./Token.js"], rules: ["name-its-floor-importer"] },
  OAuth2Session: { imports: ["./OAuth2HttpClient.js"], type: true },
  OAuth2HttpClient: { imports: ["./OAuth2Session.js"], type: true, rules: ["no-circles"] },
  Endpoint: { imports: ["node:fs"], rules: ["runs-everywhere"] },
  Parameters: { imports: ["undeclared"], rules: ["declared-dependencies"] },
  OAuth2Error: { imports: ["./Absent.js"], rules: ["resolvable"] },
  TokenResponse: { imports: ["./testing/index.js"], rules: ["testing-stays-apart"] },
  BearerChallenge: { imports: ["./LegacyImplicit.js"], rules: ["legacy-stays-apart"] },
  BearerToken: { imports: ["./index.js"], rules: ["nobody-imports-the-barrel"] },
  AuthorizationRequest: { imports: ["@effect-oauth2/platform-node/Listener"], rules: ["core-depends-on-no-package"] },
  AuthorizationResponse: { imports: ["../test/Token.test.js"], rules: ["sources-without-tests"] },
  LegacyImplicit: { imports: ["./OAuth2Crypto.js", "./LegacyPkce.js"] },
  LegacyPkce: { imports: [] },
  index: { imports: ["./Token.js"] },
  "testing/index": { imports: ["./Server.js"] },
  "testing/Server": { imports: ["../TokenManager.js", "../LegacyImplicit.js"] }
}
const node = {
  Listener: { imports: ["@effect-oauth2/core/Token", "node:http", "declared"] },
  Implicit: { imports: ["@effect-oauth2/core/LegacyImplicit"], rules: ["legacy-stays-apart"] },
  Proxy: { imports: ["@effect-oauth2/core/internal/text"], rules: ["public-entries-only"] },
  Path: { imports: ["../../core/src/Token.js"], rules: ["packages-by-name"] }
}

const modules = [
  ...Object.entries(core).map(([name, module]) => ({ ...module, path: `packages/core/src/${name}.ts` })),
  ...Object.entries(node).map(([name, module]) => ({ ...module, path: `packages/platform-node/src/${name}.ts` })),
  { path: "packages/core/test/Token.test.ts", imports: [] }
]

const tree = mkdtempSync(join(tmpdir(), "floors-"))

const write = (path, text) => {
  mkdirSync(dirname(join(tree, path)), { recursive: true })
  writeFileSync(join(tree, path), text)
}

const layOut = () => {
  const { compilerOptions } = readJson(join(root, "tsconfig.base.json"))
  write("tsconfig.json", JSON.stringify({ compilerOptions }))
  write("package.json", "{}")
  for (const name of ["core", "platform-node"]) {
    write(`packages/${name}/package.json`, JSON.stringify({ name, peerDependencies: { declared: "1" } }))
  }
  for (const name of ["declared", "undeclared"]) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: "index.js" }))
    write(`node_modules/${name}/index.js`, "")
  }
  for (const { imports, path, type } of modules) {
    const keyword = type === true ? "import type * as" : "import * as"
    const lines = imports.map((from, index) => `${keyword} Name${index} from "${from}"`)
    write(path, [...lines, `export const used = [${imports.map((_, index) => `Name${index}`)}]`].join("\n"))
  }
}

const violations = () => {
  const { stderr, stdout } = spawnSync(process.execPath, [
    join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs"),
    "packages",
    "--config",
    join(root, ".dependency-cruiser.cjs"),
    "--output-type",
    "json"
  ], { cwd: tree, encoding: "utf8", maxBuffer: 1 << 26 })
  if (stdout === "") throw new Error(stderr)
  return JSON.parse(stdout).summary.violations
}

const problemsOf = (found) => {
  const wrong = modules.flatMap(({ path, rules = [] }) => {
    const refused = [...new Set(found.filter(({ from }) => from === path).map(({ rule }) => rule.name))].sort().join(
      " "
    )
    const expected = rules.join(" ")
    return refused === expected ? [] : [`${path}: expected ${expected || "nothing"}, found ${refused || "nothing"}`]
  })
  const tested = new Set(modules.flatMap(({ rules = [] }) => rules))
  const silent = forbidden.filter(({ name }) => !tested.has(name)).map(({ name }) => `${name}: nothing breaks it`)
  return [...wrong, ...silent]
}

try {
  layOut()
  const problems = problemsOf(violations())
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  rmSync(tree, { recursive: true })
}
