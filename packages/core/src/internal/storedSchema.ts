import type * as ParseResult from "effect/ParseResult"
import type * as SchemaAST from "effect/SchemaAST"

/** For the schema of something stored: an error names where in it the fault is, and never what is there (S76). */
export const withoutValues = (what: string): { readonly message: SchemaAST.MessageAnnotation } => ({
  message: (issue) => ({ message: `${what} cannot be read${faultPath(issue)}`, override: true })
})

const faultPath = (issue: ParseResult.ParseIssue): string => {
  switch (issue._tag) {
    case "Pointer":
      return `, ${String(issue.path)}${faultPath(issue.issue)}`
    case "Composite":
      return faultPath("_tag" in issue.issues ? issue.issues : issue.issues[0])
    case "Refinement":
    case "Transformation":
      return faultPath(issue.issue)
    case "Type":
    case "Missing":
    case "Unexpected":
    case "Forbidden":
      return ""
  }
}
