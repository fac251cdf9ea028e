import { assert, describe, it } from "@effect/vitest"
import { exemptionsOf, idsOf, requirementsOf } from "../lib/requirements.mjs"
import { leadingIds, testsOf } from "../lib/testTitles.mjs"
import { problemsOf, summaryLine, summaryOf, traceOf } from "../lib/trace.mjs"

const requirements = requirementsOf(
  "a.md",
  `# Behaviour

## First

- **B001** keep — One.
- **B002** better — Two — with a dash.
- not an id

## Second

- **S10** — Ten.
`
)

const later = (text) => exemptionsOf("later.md", `## Left for later\n\n${text}\n`)

const titlesOf = (source) => testsOf("a.test.ts", source).map(({ title }) => title)

const provedBy = (source) => testsOf("a.test.ts", source).map(({ ids }) => ids.join(" "))

const found = (source, exempted = []) => ({ requirements, exempted, tests: testsOf("a.test.ts", source) })

describe("requirements", () => {
  it("a line has an id, a verdict where there is one, a text and the heading above it", () => {
    assert.deepStrictEqual(requirements, [
      { id: "B001", file: "a.md", heading: "First", line: 5, text: "One.", verdict: "keep" },
      { id: "B002", file: "a.md", heading: "First", line: 6, text: "Two — with a dash.", verdict: "better" },
      { id: "S10", file: "a.md", heading: "Second", line: 11, text: "Ten.", verdict: undefined }
    ])
  })

  it("ids are named one by one or as a range, both ends included", () => {
    assert.deepStrictEqual(idsOf("B099–B101, S08–S10,R01"), ["B099", "B100", "B101", "S08", "S09", "S10", "R01"])
    assert.deepStrictEqual(idsOf("B009–011"), ["B009", "B010", "B011"])
  })

  it("an exemption has the kind of its heading, and none under another", () => {
    const kinds = (heading) => exemptionsOf("later.md", `## ${heading}\n- **S01–S02** — why`).map(({ kind }) => kind)
    assert.deepStrictEqual(kinds("Not applicable here"), ["not applicable", "not applicable"])
    assert.deepStrictEqual(kinds("Being built"), ["being built", "being built"])
    assert.deepStrictEqual(kinds("Some day"), [undefined, undefined])
  })
})

describe("titles", () => {
  it("only the ids at the start count, be they several or a range", () => {
    assert.deepStrictEqual(leadingIds("S01 B002 what S03 says"), ["S01", "B002"])
    assert.deepStrictEqual(leadingIds("S64–S66 all of them"), ["S64", "S65", "S66"])
    assert.deepStrictEqual(leadingIds("what S03 says"), [])
    assert.deepStrictEqual(leadingIds("S01: a colon"), [])
    assert.deepStrictEqual(leadingIds("S01"), ["S01"])
  })

  it("every way of making a test is known, and what is none is not", () => {
    assert.deepStrictEqual(
      titlesOf(`
        it("1", f); test('2', f); it.effect(\`3\`, f); it.live("4", f); it.scoped("5", f); it.scopedLive("6", f)
        it.effect.prop("7", [a], f); it.prop("8", [a], f); it.each([1, 2])("9 %i", f); it.effect.each(rows)("10", f)
        it.each\`a\`("11", f); it("1" + "2", f); it(\`13 \${x} y\`, f)
        suit("no"); a.it("no"); it; it.each(["no"]); assert("no"); // it("no")
        const text = 'it("no", f)'
      `),
      ["1", "2", "3", "4", "5", "6", "7", "8", "9 %i", "10", "11", "12", "13 … y"]
    )
  })

  it("the ids of a group count for the tests inside, whatever makes the group", () => {
    assert.deepStrictEqual(
      provedBy(`
        describe("S01 a group", () => {
          it("B001 and its own", f)
          it.layer(l)("S02 S01 deeper", (it) => { it.effect("none of its own", f) })
          layer(l)("S03 a layer", (it) => { it.effect("here", f) })
        })
        it("outside", f)
      `),
      ["S01 B001", "S01 S02", "S01 S03", ""]
    )
  })

  it("a loop over a list that is written out makes a test for each of its rows", () => {
    assert.deepStrictEqual(
      provedBy(`
        const table: ReadonlyArray<readonly [string, number]> = [["B001", 1], ["B002", 2]]
        for (const [id, n] of table) it(\`\${id} is \${n}\`, f)
        for (const [id] of [["S01"], ["S02"]] as const) { for (const id2 of ["S03", "S04"]) it(\`\${id} \${id2}\`, f) }
        for (const row of unknown) it(\`S05 \${row}\`, f)
      `),
      ["B001", "B002", "S01 S03", "S01 S04", "S02 S03", "S02 S04", "S05"]
    )
  })

  it("a test knows its file and line", () => {
    assert.deepInclude(testsOf("b.test.ts", "\n\nit.effect(\n  \"S01 x\", f)")[0], { file: "b.test.ts", line: 3 })
  })
})

describe("the trace", () => {
  it("R45 an id that no test proves and nothing excuses is a problem", () => {
    assert.deepStrictEqual(problemsOf(found(`it("B001 x", f)`, later("- **B002** — why"))), [
      "a.md:11 S10 is neither proved by a test nor listed in later.md"
    ])
    assert.deepStrictEqual(problemsOf(found(`it("B001 S10 x", f)`, later("- **B002** — why"))), [])
  })

  it("R45 an excuse that is unknown, outdated, doubled or without a heading is a problem", () => {
    const problems = (text, source = "") => problemsOf(found(`it("B001 B002 S10 x", f)${source}`, later(text)))
    assert.deepStrictEqual(problems("- **S11** — why"), ["later.md:3 S11 is no requirement"])
    assert.deepStrictEqual(problems("- **S10** — why"), ["later.md:3 S10 is proved by a test now: take it off"])
    const doubled = problemsOf(found(`it("B001 B002", f)`, later("- **S10** — why\n- **S10** — why")))
    assert.deepStrictEqual(doubled, ["later.md:4 S10 is listed twice"])
    const nowhere = problemsOf(found(`it("B001 B002", f)`, exemptionsOf("later.md", "- **S10** — why")))
    assert.deepStrictEqual(nowhere, ["later.md:1 S10 stands under no heading that says why"])
  })

  it("R45 a title with an id that nobody requires is a problem", () => {
    assert.deepStrictEqual(problemsOf(found(`it("B001 B002 S10 S256 is the method", f)`)), [
      `a.test.ts:1 S256 is no requirement: "B001 B002 S10 S256 is the method"`
    ])
  })

  it("an id that is required twice is a problem", () => {
    const twice = {
      requirements: [...requirements, requirements[0]],
      exempted: [],
      tests: found(`it("B001 B002 S10")`).tests
    }
    assert.deepStrictEqual(problemsOf(twice), ["a.md:5 B001 is required twice"])
  })

  it("the summary counts ids and the tests that begin with one", () => {
    const input = found(`it("B001 x", f); it("B001 y", f); it("z", f)`, later("- **B002, S10** — why"))
    const summary = summaryOf(traceOf(input), input.tests)
    assert.strictEqual(summaryLine(summary), "3 ids: 1 proved by 2 tests, 2 left for later")
    assert.deepStrictEqual(traceOf(input).map(({ exemption, tests }) => [tests.length, exemption?.reason]), [
      [2, undefined],
      [0, "why"],
      [0, "why"]
    ])
  })
})
