import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Acts from "../src/Acts.js"
import { type Ended, run } from "./support/command.js"
import * as Mermaid from "./support/Mermaid.js"

const demo = ["--import", "tsx", "src/main.ts"]

/** As long as a token, a code or a verifier, and as random. */
const looksSecret = /[A-Za-z0-9_-]{24,}/g

describe("npm run demo -- --quick", () => {
  const directory = mkdtempSync(join(tmpdir(), "effect-oauth2-demo-"))
  const out = join(directory, "sub", "run.md")
  let ended: Ended
  let page: string

  beforeAll(async () => {
    ended = await run("npm", ["run", "--silent", "demo", "--", "--quick", "--out", out], { directory: "." })
    page = readFileSync(out, "utf8")
  }, 120_000)
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it("ends with 0 and says that nothing was lost", () => {
    assert.include(ended.output, "✔ Nothing was lost.", ended.output)
    assert.strictEqual(ended.code, 0)
  })

  it("counts one sign-in, a refresh for each token, and no failure", () => {
    const line = (label: string) => new RegExp(`^  ${label} +([\\d,]+)`, "m").exec(ended.output)?.[1]
    assert.strictEqual(line("sign-ins"), "1")
    assert.strictEqual(line("calls failed"), "0")
    assert.strictEqual(line("calls given up"), "1")
    assert.strictEqual(line("sessions lost"), "0")
    assert.isAtLeast(Number(line("refreshes")), 3)
    assert.strictEqual(line("refreshes"), line("tokens used up"))
  })

  it("is plain where there is no terminal: no colour, no line that is written over", () => {
    assert.notMatch(ended.output, /[\u001b\r]/)
  })

  it("writes a diagram that Mermaid can read", () => {
    const diagram = Mermaid.diagramIn(page)
    assert.deepStrictEqual(Mermaid.problems(diagram), [])
    assert.include(diagram.join("\n"), "P-xL: caller 21 gives up waiting")
    assert.include(diagram.join("\n"), "A--xL: 503")
    assert.match(diagram.join("\n"), /R-->>L: 401, token \d was withdrawn/)
  })

  it("prints and draws nothing that looks like a secret", () => {
    const text = ended.output.replace(out, "") + page
    assert.deepStrictEqual(text.match(looksSecret), null)
    assert.notMatch(text, /[?&](code|state|code_verifier|refresh_token|access_token)=/)
  })
})

describe("the demo", { timeout: 60_000 }, () => {
  it("ends with 130 on Ctrl-C, and its servers with it", async () => {
    const { code, output } = await run(process.execPath, demo, {
      directory: "demo",
      sawOutput: onceSaid("signed in", "SIGINT")
    })
    assert.include(output, "Stopped. The servers have ended.")
    assert.strictEqual(code, 130)
  })

  it("takes its servers with it even when it is killed", async () => {
    const { code } = await run(process.execPath, demo, {
      directory: "demo",
      sawOutput: onceSaid("signed in", "SIGKILL")
    })
    assert.strictEqual(code, null)
  })

  it("says what it does not understand, and how it is used", async () => {
    const { code, output } = await run(process.execPath, [...demo, "--expiries", "none"], { directory: "demo" })
    assert.strictEqual(code, 1)
    assert.include(output, "--expiries takes a whole number from 1 to 1000")
    assert.include(output, "npm run demo -- [options]")
  })

  it("has a token withdrawn once at most, however long it runs", () => {
    for (const quick of [true, false]) {
      const plan = Acts.plan(200, quick)
      assert.strictEqual(plan.length, 200)
      assert.strictEqual(plan.filter((act) => act === "withdrawn").length, 1)
      assert.deepStrictEqual(new Set(plan), new Set(["calm", "rush", "outage", "withdrawn"]))
    }
  })
})

/** Sends the signal once, as soon as the text is there. */
const onceSaid = (text: string, signal: NodeJS.Signals) => {
  let sent = false
  return (output: string, kill: (signal: NodeJS.Signals) => void) => {
    if (sent || !output.includes(text)) return
    sent = true
    kill(signal)
  }
}
