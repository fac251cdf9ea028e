// Reads a file of tests without running it: the title of each test, and the ids of the requirements that it opens with.
import ts from "typescript"
import { idsOf } from "./requirements.mjs"

const wholeId = /^[BSR]\d+(?:–[BSR]?\d+)?$/

/** The ids at the start of a title, which the test proves. Elsewhere in it they are talk, and prove nothing. */
export const leadingIds = (title) => {
  const words = title.split(" ")
  const end = words.findIndex((word) => !wholeId.test(word))
  return words.slice(0, end === -1 ? words.length : end).flatMap(idsOf)
}

/** The expression without what is there for the type checker alone. */
const bare = (node) =>
  node !== undefined &&
    (ts.isAsExpression(node) || ts.isParenthesizedExpression(node) || ts.isSatisfiesExpression(node))
    ? bare(node.expression)
    : node

/** The text of a string, a template or a sum of them; what is not known until the test runs is shown as `…`. */
const textOf = (expression, row) => {
  const node = bare(expression)
  if (node === undefined) return undefined
  if (ts.isStringLiteralLike(node)) return node.text
  if (ts.isTemplateExpression(node)) {
    const spans = node.templateSpans.map(({ expression, literal }) => (row[expression.getText()] ?? "…") + literal.text)
    return node.head.text + spans.join("")
  }
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined
  const left = textOf(node.left, row)
  return left === undefined ? undefined : left + (textOf(node.right, row) ?? "…")
}

/** The names in a callee: `it`, `effect` and `each` for `it.effect.each(rows)`. */
const namesOf = (callee) => {
  if (ts.isIdentifier(callee)) return [callee.text]
  if (ts.isPropertyAccessExpression(callee)) return [...namesOf(callee.expression), callee.name.text]
  if (ts.isCallExpression(callee)) return namesOf(callee.expression)
  return ts.isTaggedTemplateExpression(callee) ? namesOf(callee.tag) : []
}

/** Whether a call makes a test, a group of tests, or neither. */
const kindOf = (node) => {
  const [first, ...others] = ts.isCallExpression(node) ? namesOf(node.expression) : []
  if (first === "describe" || first === "layer") return "group"
  if (first !== "it" && first !== "test") return undefined
  return others.includes("layer") ? "group" : "test"
}

/** The elements of a list that is written out, here or in a constant of the file. */
const listed = (expression, constants) => {
  const node = bare(expression)
  if (node === undefined) return []
  if (ts.isArrayLiteralExpression(node)) {
    return node.elements.flatMap((element) => {
      const spread = ts.isSpreadElement(element) ? listed(element.expression, constants) : []
      return spread.length > 0 ? spread : [element]
    })
  }
  return ts.isIdentifier(node) ? listed(constants.get(node.text), new Map()) : []
}

const wordOf = (node) =>
  node !== undefined && (ts.isStringLiteralLike(node) || ts.isNumericLiteral(node)) ? node.text : undefined

/** What the variables of a loop are for one element of its list, as far as that is written out. */
const rowOf = (variable, element) => {
  if (ts.isIdentifier(variable)) return { [variable.text]: wordOf(bare(element)) }
  if (!ts.isArrayBindingPattern(variable) || !ts.isArrayLiteralExpression(bare(element))) return {}
  const names = variable.elements.map((part) => ts.isOmittedExpression(part) ? undefined : part.name.getText())
  return Object.fromEntries(
    names.flatMap((name, index) => name === undefined ? [] : [[name, wordOf(bare(element.elements[index]))]])
  )
}

/** The rows of a loop within those of the loops around it: a test in it is made once for each. */
const rowsOf = (loop, outer, constants) => {
  const elements = listed(loop.expression, constants)
  const [declaration] = ts.isVariableDeclarationList(loop.initializer) ? loop.initializer.declarations : []
  if (declaration === undefined || elements.length === 0) return outer
  return outer.flatMap((row) => elements.map((element) => ({ ...row, ...rowOf(declaration.name, element) })))
}

const constantsOf = (tree) => {
  const constants = new Map()
  const visit = (node) => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name)) constants.set(node.name.text, node.initializer)
    node.forEachChild(visit)
  }
  visit(tree)
  return constants
}

/** Every test of a file: its title, its line, and the ids that it proves by its own title or by that of a group. */
export const testsOf = (file, source) => {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  const constants = constantsOf(tree)
  const tests = []
  const visit = (node, inherited, rows) => {
    const inside = (ids) => node.forEachChild((child) => visit(child, ids, rows))
    if (ts.isForOfStatement(node)) {
      return visit(node.statement, inherited, rowsOf(node, rows, constants))
    }
    const kind = kindOf(node)
    const titles = kind === undefined ? [] : rows.flatMap((row) => textOf(node.arguments[0], row) ?? [])
    if (titles.length === 0) return inside(inherited)
    if (kind === "group") return inside([...inherited, ...leadingIds(titles[0])])
    const { line } = tree.getLineAndCharacterOfPosition(node.getStart())
    for (const title of titles) {
      tests.push({ file, ids: [...new Set([...inherited, ...leadingIds(title)])], line: line + 1, title })
    }
  }
  visit(tree, [], [{}])
  return tests
}
