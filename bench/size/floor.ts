/**
 * The floor of a page: the same entry with every module of ours emptied, where those members of Effect that our code
 * uses on that page are kept. What the page weighs above it is what this library adds to a page that has Effect.
 */
import { build, type Plugin } from "esbuild"
import ts from "typescript"
import { forBrowser, ourPart } from "./bundle.js"

/** The members of Effect's modules that a program uses, by module. */
type Members = ReadonlyMap<string, ReadonlySet<string>>

/** The code of the floor, without the list that kept the members alive. */
export const floor = async (entryPoint: string): Promise<string> => {
  const members = usedMembers((await ourPart(entryPoint)).code)
  const { code } = await forBrowser(entryPoint, [emptied(members)])
  const from = code.indexOf(firstMark)
  const to = code.indexOf(lastMark)
  if (from < 0 || to < from) throw new Error("The list of the members that are kept is not in the bundle")
  return code.slice(0, from) + code.slice(to + lastMark.length)
}

const firstMark = "globalThis.keptFrom=0"
const lastMark = "globalThis.keptTo=0"

/**
 * Reads what `import * as Effect from "effect/Effect"` is used for. A namespace that is used as a value, rather than by
 * its members, is refused: it would hold the whole module.
 */
export const usedMembers = (code: string): Members => {
  const source = ts.createSourceFile("bundle.js", code, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS)
  const members = new Map<string, Set<string>>()
  const namespaces = new Map<string, string>()
  const use = (module: string, member: string) =>
    members.set(module, (members.get(module) ?? new Set<string>()).add(member))

  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue
    const module = statement.moduleSpecifier.text
    const bindings = statement.importClause?.namedBindings
    if (bindings === undefined) continue
    if (ts.isNamespaceImport(bindings)) namespaces.set(bindings.name.text, module)
    else for (const { name, propertyName } of bindings.elements) use(module, (propertyName ?? name).text)
  }

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const module = namespaces.get(node.expression.text)
      if (module !== undefined) return void use(module, node.name.text)
    }
    if (ts.isIdentifier(node) && namespaces.has(node.text) && isReference(node)) {
      throw new Error(`The namespace ${node.text} is used as a value`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return members
}

/** Whether the identifier stands for a variable, rather than for a property. */
const isReference = (node: ts.Identifier): boolean =>
  !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node) &&
  !(ts.isPropertyAssignment(node.parent) && node.parent.name === node) &&
  !(ts.isMethodDeclaration(node.parent) && node.parent.name === node) &&
  !(ts.isGetAccessorDeclaration(node.parent) && node.parent.name === node) &&
  !(ts.isPropertyDeclaration(node.parent) && node.parent.name === node)

/** Replaces our modules by their exports' names, and by what they use of Effect. */
const emptied = (members: Members): Plugin => ({
  name: "emptied",
  setup: ({ initialOptions, onLoad, onResolve }) => {
    const resolveDir = initialOptions.absWorkingDir!
    onResolve({ filter: /^@effect-oauth2\// }, ({ path }) => ({ path, namespace: "emptied" }))
    onResolve({ filter: /^kept$/ }, ({ path }) => ({ path, namespace: "kept" }))
    onLoad({ filter: /.*/, namespace: "emptied" }, async ({ path }) => ({
      contents: `import "kept"\nexport let ${(await exportsOf(path, resolveDir)).join(", ")}`
    }))
    onLoad({ filter: /.*/, namespace: "kept" }, () => ({ contents: keeping(members), resolveDir }))
  }
})

const keeping = (members: Members): string => {
  const modules = [...members]
  const imports = modules.map(([module], index) => `import * as kept${index} from ${JSON.stringify(module)}`)
  const kept = modules.flatMap(([, names], index) => [...names].map((name) => `kept${index}.${name}`))
  return [...imports, firstMark, `globalThis.kept = [${kept.join(", ")}]`, lastMark].join("\n")
}

const exportsOf = async (module: string, absWorkingDir: string): Promise<ReadonlyArray<string>> => {
  const { metafile } = await build({
    stdin: { contents: `export * from ${JSON.stringify(module)}`, resolveDir: absWorkingDir },
    absWorkingDir,
    bundle: true,
    external: ["effect", "@effect/*"],
    format: "esm",
    metafile: true,
    platform: "browser",
    tsconfigRaw: {},
    write: false
  })
  return Object.values(metafile.outputs)[0]!.exports
}
