// An Effect that is neither yielded, returned nor kept never runs, and nobody hears of it. This rule is to Effect what
// no-floating-promises is to promises. A fiber is an Effect too, but one that already runs: it may be let go.

const has = (type, name) => type.getProperties().some((property) => property.name.startsWith(`__@${name}`))

const isDroppedEffect = (type) =>
  type.isUnion()
    ? type.types.some(isDroppedEffect)
    : has(type, "EffectTypeId") && !has(type, "FiberTypeId")

/** @type {import("eslint").Rule.RuleModule} */
export const noFloatingEffect = {
  meta: {
    type: "problem",
    docs: { description: "Refuses an Effect that is made and dropped" },
    messages: { floating: "This Effect never runs: yield it with `yield*`, return it, or fork it." },
    schema: []
  },
  create: (context) => ({
    ExpressionStatement: ({ expression }) => {
      if (expression.type === "AssignmentExpression") return
      if (isDroppedEffect(context.sourceCode.parserServices.getTypeAtLocation(expression))) {
        context.report({ node: expression, messageId: "floating" })
      }
    }
  })
}
