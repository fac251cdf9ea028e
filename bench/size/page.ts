/**
 * What no page may hold: code for tests, for Node, or for formats that it does not use.
 */
import ts from "typescript"
import type { Bundle } from "./bundle.js"

const forbidden: ReadonlyArray<readonly [what: string, path: RegExp]> = [
  ["the module jose", /node_modules\/jose\//],
  ["a module of the test kit", /packages\/core\/dist\/testing\//],
  ["a module of platform-node", /packages\/platform-node\/|node_modules\/@effect\/platform-node/],
  ["a module that the standards advise against", /packages\/[a-z-]+\/dist\/(.*\/)?[Ll]egacy/],
  ["a profile of a provider, which it does not name", /packages\/core\/dist\/(?:ProviderProfile|Profiles)\.js$/],
  ["a module of Node", /^node:/]
]

const nodeGlobals = new Set(["process", "Buffer", "require", "__dirname", "__filename", "setImmediate"])

/** What is wrong with a page, given our own part of it as it can be read. */
export const faults = ({ metafile }: Bundle, ourCode: string): ReadonlyArray<string> => {
  const paths = Object.values(metafile.outputs)
    .flatMap((output) => [...Object.keys(output.inputs), ...output.imports.map(({ path }) => path)])
  return [
    ...forbidden.flatMap(([what, path]) =>
      paths.filter((candidate) => path.test(candidate)).map((candidate) => `${what}: ${candidate}`)
    ),
    ...globalsIn(ourCode).map((name) => `a global of Node: ${name}`)
  ]
}

const globalsIn = (code: string): ReadonlyArray<string> => {
  const found = new Set<string>()
  const visit = (node: ts.Node): void => {
    const isProperty = ts.isIdentifier(node) && ts.isPropertyAccessExpression(node.parent) && node.parent.name === node
    if (ts.isIdentifier(node) && nodeGlobals.has(node.text) && !isProperty) found.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile("page.js", code, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS))
  return [...found]
}
