/** What `JSON.parse` does not tell of a text that it accepts. */
export interface JsonShape {
  readonly depth: number
  /** The names of the outermost object's members as they are written, repeated ones as often as they occur. */
  readonly names: ReadonlyArray<string>
}

/** One pass over valid JSON text: how deep it nests, and which outermost members it has. */
export const jsonShape = (text: string): JsonShape => {
  const names: Array<string> = []
  let depth = 0
  let deepest = 0
  let start = 0
  let end = 0
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === "\"") {
      start = i
      end = i = endOfString(text, i)
    } else if (char === ":" && depth === 1) {
      names.push(text.slice(start, end + 1))
    } else if (char === "{" || char === "[") {
      deepest = Math.max(deepest, ++depth)
    } else if (char === "}" || char === "]") {
      depth--
    }
  }
  return { depth: deepest, names }
}

/** The first member that the text repeats, however it is written; `members` is what the text was parsed to. */
export const repeatedMember = ({ names }: JsonShape, members: object): string | undefined => {
  if (names.length === Object.keys(members).length) return undefined
  const seen = new Set<string>()
  return names.map((name) => JSON.parse(name) as string).find((name) => seen.size === seen.add(name).size)
}

const endOfString = (text: string, start: number): number => {
  let i = start + 1
  while (i < text.length && text[i] !== "\"") i += text[i] === "\\" ? 2 : 1
  return i
}
