import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Either, Option } from "effect"
import * as Options from "../src/fleet/Options.js"
import { type Ended, run } from "./support/command.js"

describe("npm run demo:fleet -- --seconds 6 --workers 2 --sessions 20", () => {
  let ended: Ended

  beforeAll(async () => {
    const options = ["--seconds", "6", "--workers", "2", "--sessions", "20"]
    ended = await run("npm", ["run", "--silent", "demo:fleet", "--", ...options], { directory: "." })
  }, 180_000)

  it("ends with 0, and its last line says that processes were killed and no session was lost", () => {
    const last = ended.output.trimEnd().split("\n").at(-1) ?? ""
    const [, logins, refreshes, kills, lost] =
      /^ {2}✔ (\d+) logins, (\d+) refresh(?:es)?, (\d+) kills?, (\d+) sessions lost$/.exec(last) ??
        assert.fail(ended.output)
    assert.deepStrictEqual([ended.code, logins, lost], [0, "20", "0"], ended.output)
    assert.isAtLeast(Number(kills), 1)
    assert.isAtLeast(Number(refreshes), 1)
  })

  it("is plain where there is no terminal: no colour, no line that is drawn over", () => {
    assert.notMatch(ended.output, /[\u001b\r]/)
  })
})

describe("the fleet", { timeout: 120_000 }, () => {
  it("ends with 130 on Ctrl-C, and all its processes with it", async () => {
    let isAsked = false
    const { code, output } = await run(process.execPath, ["--import", "tsx", "src/fleet/main.ts"], {
      directory: "demo",
      sawOutput: (output, kill) => {
        if (isAsked || !output.includes("Starting a database")) return
        isAsked = true
        kill("SIGINT")
      }
    })
    // Nobody who could print is left when the command is said to have ended
    assert.include(output, "Stopped. All processes of the fleet have ended.")
    assert.strictEqual(code, 130)
  })

  it("says what it does not understand", () => {
    const problem = (...args: Array<string>) =>
      Either.getLeft(Options.parse(args)).pipe(Option.map(({ message }) => message))
    assert.deepStrictEqual(problem("--workers", "1"), Option.some("--workers takes a whole number from 2 to 16"))
    assert.deepStrictEqual(problem("--seconds", "soon"), Option.some("--seconds takes a whole number from 5 to 3600"))
    assert.deepStrictEqual(problem("--strict"), Option.none())
  })
})
