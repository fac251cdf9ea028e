// An Effect that is neither yielded, returned nor kept never runs, and nobody hears of it. This rule is to Effect what
// no-floating-promises is to promises. A fiber is an Effect too, but one that already runs: it may be let go. So may the
// result of `yield*` when it is a value that only counts as an Effect: an error, an Exit, an Either or an Option.

const has = (type, name) => type.getProperties().some((property) => property.name.startsWith(`__@${name}`))

const isDroppedEffect = (type) =>
  type.isUnion()
    ? type.types.some(isDroppedEffect)
    : has(type, "EffectTypeId") && !has(type, "FiberTypeId")

const isValue = (type) => type.isUnion() ? type.types.every(isValue) : type.getProperty("_tag") !== undefined

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
      const type = context.sourceCode.parserServices.getTypeAtLocation(expression)
      if (expression.type === "YieldExpression" && isValue(type)) return
      if (isDroppedEffect(type)) {
        context.report({ node: expression, messageId: "floating" })
      }
    }
  })
}
