/**
 * As much of Mermaid's sequence diagrams as the demo writes, strictly.
 */

/** The lines of the one diagram in a page of Markdown. */
export const diagramIn = (page: string): ReadonlyArray<string> => {
  const [, diagram, ...others] = page.split(/^```(?:mermaid)?$/m)
  if (diagram === undefined || others.length !== 1) throw new Error("The page has not exactly one diagram")
  return diagram.trim().split("\n")
}

/** The lines that Mermaid would not understand, or would understand as something else. */
export const problems = ([head, ...lines]: ReadonlyArray<string>): ReadonlyArray<string> => {
  const participants = new Set<string>()
  const found = head === "sequenceDiagram" ? [] : [`starts with ${head}`]
  let depth = 0
  for (const line of lines.map((line) => line.trim())) {
    const [, participant] = /^participant (\w+) as [^;#:]+$/.exec(line) ?? []
    const [, from, to] = /^(\w+)(?:->>|-->>|-x|--x)(\w+): [^;#]+$/.exec(line) ?? []
    const [, first, last] = /^Note over (\w+)(?:,(\w+))?: [^;#]+$/.exec(line) ?? []
    const named = [from, to, first, last].filter((name) => name !== undefined)
    if (participant !== undefined) participants.add(participant)
    else if (/^loop [^;#]+$/.test(line)) depth++
    else if (line === "end") depth--
    else if (named.length === 0 || !named.every((name) => participants.has(name))) found.push(line)
    if (depth < 0) found.push(`${line} too many`)
  }
  return depth === 0 ? found : [...found, "a loop without end"]
}
