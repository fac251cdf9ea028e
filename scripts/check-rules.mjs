// A rule that nothing breaks may as well be asleep. This lints samples that break each rule of the house, and lays out a
// small tree that breaks each rule of the floors; it fails when a rule stays silent, or when good code is refused.
import { ESLint } from "eslint"
import { join } from "node:path"
import ts from "typescript"
import tseslint from "typescript-eslint"
import { samples } from "./lint/samples.mjs"
import { root } from "./packages.mjs"

/** A program of one file that is nowhere on the disk: opening the whole project for it would take seconds. */
const programOf = (path, code) => {
  const { config } = ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const file = join(root, path)
  const host = ts.createCompilerHost(options)
  const readFile = (name) => name === file ? code : ts.sys.readFile(name)
  const getSourceFile = (name, target) => {
    const text = readFile(name)
    return text === undefined ? undefined : ts.createSourceFile(name, text, target, true)
  }
  const fileExists = (name) => name === file || ts.sys.fileExists(name)
  return ts.createProgram([file], options, { ...host, fileExists, getSourceFile, readFile })
}

const withTypes = ({ code, path }) => ({
  languageOptions: { parserOptions: { projectService: false, programs: [programOf(path, code.trimStart())] } }
})

const { disableTypeChecked } = tseslint.configs
const withoutTypes = {
  ...disableTypeChecked,
  rules: { ...disableTypeChecked.rules, "house/no-floating-effect": "off" }
}

const lint = async (sample) => {
  const overrideConfig = { files: ["**/*.ts"], ...(sample.typed === true ? withTypes(sample) : withoutTypes) }
  const eslint = new ESLint({ cwd: root, overrideConfig })
  const [{ messages }] = await eslint.lintText(sample.code.trimStart(), { filePath: sample.path })
  return messages.filter(({ ruleId }) => sample.layout === true || ruleId !== "@effect/dprint")
}

const expectedOf = (line) => (/\/\/ !(.*)$/.exec(line)?.[1] ?? "").split(" ").filter((rule) => rule !== "").sort()

const foundOn = (messages, line) => {
  const rules = messages.filter((message) => message.line === line).map(({ message, ruleId }) => ruleId ?? message)
  return [...new Set(rules)].sort()
}

const problemsOf = async (sample) => {
  const messages = await lint(sample)
  const fatal = messages.filter((message) => message.fatal === true).map(({ message }) => `${sample.path}: ${message}`)
  return sample.code.trimStart().split("\n").reduce((problems, line, index) => {
    const expected = expectedOf(line).join(" ") || "nothing"
    const found = foundOn(messages, index + 1).join(" ") || "nothing"
    return expected === found
      ? problems
      : [...problems, `${sample.path}: ${line}\n  expected: ${expected}\n  found: ${found}`]
  }, fatal)
}

/** The rules that are on somewhere in the house and that no sample breaks. */
const untested = async () => {
  const tested = new Set(samples.flatMap(({ code }) => code.split("\n").flatMap(expectedOf)))
  const eslint = new ESLint({ cwd: root })
  const configs = await Promise.all(samples.map(({ path }) => eslint.calculateConfigForFile(path)))
  const active = configs.flatMap(({ rules }) => Object.keys(rules).filter((rule) => rules[rule][0] !== 0))
  return [...new Set(active)].filter((rule) => !tested.has(rule)).map((rule) => `${rule}: no sample breaks it`)
}

const problems = await untested()
for (const sample of samples) problems.push(...await problemsOf(sample))

for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
