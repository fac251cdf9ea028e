// Puts requirements, exemptions and tests side by side, and says what does not fit.

/** Each requirement with the tests that prove it and with why it has none, in the order of the files. */
export const traceOf = ({ exempted, requirements, tests }) =>
  requirements.map((requirement) => {
    const { kind, reason } = exempted.find(({ id }) => id === requirement.id) ?? {}
    const proofs = tests.filter(({ ids }) => ids.includes(requirement.id))
      .map(({ file, line, title }) => ({ file, line, title }))
    return { ...requirement, tests: proofs, ...(kind === undefined ? {} : { exemption: { kind, reason } }) }
  })

const repeated = (entries) => entries.filter(({ id }, index) => entries.findIndex((other) => other.id === id) !== index)

/** Everything that is wrong, each as a line for a person. */
export const problemsOf = ({ exempted, requirements, tests }) => {
  const known = new Set(requirements.map(({ id }) => id))
  const proved = new Set(tests.flatMap(({ ids }) => ids))
  const excused = new Set(exempted.map(({ id }) => id))
  const at = ({ file, id, line }, text) => `${file}:${line} ${id} ${text}`
  return [
    ...repeated(requirements).map((entry) => at(entry, "is required twice")),
    ...repeated(exempted).map((entry) => at(entry, "is listed twice")),
    ...exempted.filter(({ kind }) => kind === undefined).map((entry) =>
      at(entry, "stands under no heading that says why")
    ),
    ...exempted.filter(({ id }) => !known.has(id)).map((entry) => at(entry, "is no requirement")),
    ...exempted.filter(({ id }) => proved.has(id)).map((entry) => at(entry, "is proved by a test now: take it off")),
    ...requirements.filter(({ id }) => !proved.has(id) && !excused.has(id)).map((entry) =>
      at(entry, "is neither proved by a test nor listed in later.md")
    ),
    ...tests.flatMap((test) =>
      test.ids.filter((id) => !known.has(id)).map((id) => at({ ...test, id }, `is no requirement: "${test.title}"`))
    )
  ]
}

/** How much of it is proved, and why the rest is not. */
export const summaryOf = (trace, tests) => {
  const proving = tests.filter(({ ids }) => ids.length > 0).length
  const proved = trace.filter((entry) => entry.tests.length > 0).length
  const excused = Object.fromEntries(
    ["not applicable", "left for later", "being built"].map((kind) => [
      kind,
      trace.filter(({ exemption }) => exemption?.kind === kind).length
    ])
  )
  return { ids: trace.length, proved, tests: proving, ...excused }
}

const number = (count) => count.toLocaleString("en")

/** The summary as one line, without what is none. */
export const summaryLine = ({ ids, proved, tests, ...excused }) =>
  [
    `${number(ids)} ids: ${number(proved)} proved by ${number(tests)} tests`,
    ...Object.entries(excused).filter(([, count]) => count > 0).map(([kind, count]) => `${number(count)} ${kind}`)
  ].join(", ")
