// Reads docs/requirements: what is required, and what no test proves yet, each with its reason.

const item = /^- \*\*([BSR]\d[^*]*)\*\* (?:(keep|better|host) )?— (.+)$/

/** The sections of later.md, by their headings. */
export const exemptions = {
  "Not applicable here": "not applicable",
  "Left for later": "left for later",
  "Being built": "being built"
}

/** Each list item that opens with a bold id, with the number of its line and the heading above it. */
const itemsOf = (text) => {
  let heading = ""
  return text.split("\n").flatMap((line, index) => {
    if (line.startsWith("#")) heading = line.replace(/^#+ /, "")
    const match = item.exec(line)
    return match === null
      ? []
      : [{ heading, line: index + 1, name: match[1], text: match[3], verdict: match[2] }]
  })
}

/** The ids that a text such as `S10, S64–S68` names: both ends of a range belong to it. */
export const idsOf = (text) =>
  text.split(/, */).flatMap((part) => {
    const [, kind, first, last = first] = /^([BSR])(\d+)(?:–[BSR]?(\d+))?$/.exec(part) ?? []
    if (kind === undefined) return [part]
    const count = Math.max(0, Number(last) - Number(first) + 1)
    return Array.from({ length: count }, (_, index) =>
      `${kind}${String(Number(first) + index).padStart(first.length, "0")}`)
  })

/** What one file requires: one id a line. */
export const requirementsOf = (file, text) =>
  itemsOf(text).map(({ heading, line, name, text, verdict }) => ({ id: name, file, heading, line, text, verdict }))

/** What is exempted from proof, and why: a line of later.md may name several ids. */
export const exemptionsOf = (file, text) =>
  itemsOf(text).flatMap(({ heading, line, name, text }) =>
    idsOf(name).map((id) => ({ id, file, kind: exemptions[heading], line, reason: text }))
  )
