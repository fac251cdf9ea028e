import effect from "@effect/eslint-plugin"
import tseslint from "typescript-eslint"
import { noFloatingEffect } from "./scripts/lint/no-floating-effect.mjs"
import { browserRules, coreCryptoRules, coreRules, nodeRules, testRules } from "./scripts/lint/restrictions.mjs"

const barrels = ["effect", "@effect/platform", "@effect/platform-node", "@effect/experimental", "@effect-oauth2/core"]

const format = {
  "@effect/dprint": ["error", {
    config: {
      indentWidth: 2,
      lineWidth: 120,
      newLineKind: "lf",
      semiColons: "asi",
      quoteStyle: "alwaysDouble",
      trailingCommas: "never",
      operatorPosition: "maintain",
      "arrowFunction.useParentheses": "force"
    }
  }]
}

const language = {
  eqeqeq: "error",
  "no-cond-assign": "error",
  "no-constant-condition": ["error", { checkLoops: false }],
  "no-debugger": "error",
  "no-empty": "error",
  "no-eval": "error",
  "no-self-compare": "error",
  "no-unsafe-finally": "error",
  "no-useless-escape": "error",
  "no-useless-rename": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error"
}

const types = {
  "@typescript-eslint/array-type": ["error", { default: "generic", readonly: "generic" }],
  "@typescript-eslint/await-thenable": "error",
  "@typescript-eslint/ban-ts-comment": ["error", { "ts-expect-error": "allow-with-description" }],
  "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "separate-type-imports" }],
  "@typescript-eslint/no-base-to-string": "error",
  "@typescript-eslint/no-deprecated": "error",
  "@typescript-eslint/no-explicit-any": "error",
  "@typescript-eslint/no-floating-promises": "error",
  "@typescript-eslint/no-import-type-side-effects": "error",
  "@typescript-eslint/no-misused-promises": "error",
  "@typescript-eslint/no-require-imports": "error",
  "@typescript-eslint/no-unnecessary-type-assertion": "error",
  "@typescript-eslint/no-unsafe-argument": "error",
  "@typescript-eslint/no-unsafe-assignment": "error",
  "@typescript-eslint/no-unsafe-call": "error",
  "@typescript-eslint/no-unsafe-member-access": "error",
  "@typescript-eslint/no-unsafe-return": "error",
  "@typescript-eslint/no-unused-expressions": "error",
  "@typescript-eslint/only-throw-error": "error",
  "@typescript-eslint/prefer-promise-reject-errors": "error",
  "@typescript-eslint/restrict-plus-operands": "error",
  "@typescript-eslint/switch-exhaustiveness-check": "error",
  "house/no-floating-effect": "error"
}

export default tseslint.config(
  { ignores: ["**/dist/", "**/build/", "**/coverage/", "**/.cache/", "docs/api/", "demo/out/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.{ts,mts,js,mjs,cjs}"],
    plugins: {
      "@effect": effect,
      "@typescript-eslint": tseslint.plugin,
      house: { rules: { "no-floating-effect": noFloatingEffect } }
    },
    rules: { ...format, ...language }
  },
  {
    files: ["**/*.{ts,mts}"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }
    },
    rules: types
  },
  {
    files: ["packages/*/src/**/*.ts"],
    rules: { "@effect/no-import-from-barrel-package": ["error", { packageNames: barrels }] }
  },
  { files: ["packages/{core,sql}/src/**/*.ts"], rules: coreRules },
  { files: ["packages/core/src/{OAuth2Crypto,AesGcm}.ts"], rules: coreCryptoRules },
  { files: ["packages/platform-browser/src/**/*.ts"], rules: browserRules },
  { files: ["packages/platform-node/src/**/*.ts"], rules: nodeRules },
  { files: ["packages/*/test/**/*.ts", "examples/**/test/**/*.ts"], rules: testRules }
)
