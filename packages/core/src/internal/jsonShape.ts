/** What `JSON.parse` does not tell of a text that it accepts. */
export interface JsonShape {
  readonly depth: number
  /** The members of the outermost object that occur more than once. */
  readonly repeated: ReadonlyArray<string>
}

/** One pass over valid JSON text: how deep it nests, and which outermost members it repeats. */
export const jsonShape = (text: string): JsonShape => {
  const seen = new Set<string>()
  const repeated: Array<string> = []
  let depth = 0
  let deepest = 0
  let lastString = ""
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === "\"") {
      const end = endOfString(text, i)
      lastString = text.slice(i, end + 1)
      i = end
    } else if (char === ":" && depth === 1) {
      const name = JSON.parse(lastString) as string
      if (seen.has(name)) repeated.push(name)
      seen.add(name)
    } else if (char === "{" || char === "[") {
      deepest = Math.max(deepest, ++depth)
    } else if (char === "}" || char === "]") {
      depth--
    }
  }
  return { depth: deepest, repeated }
}

const endOfString = (text: string, start: number): number => {
  let i = start + 1
  while (i < text.length && text[i] !== "\"") i += text[i] === "\\" ? 2 : 1
  return i
}
