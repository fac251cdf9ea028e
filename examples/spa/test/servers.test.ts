/** The command as a user runs it. */
import { assert, it } from "@effect/vitest"
import { run } from "../../../demo/test/support/command.js"

it("npm run demo:browser -- --print says what was started and where the page is, and ends cleanly on Ctrl-C", async () => {
  const answers: Array<Promise<Response>> = []
  const { code, output } = await run(process.execPath, ["--import", "tsx", "servers/main.ts", "--print"], {
    directory: "examples/spa",
    sawOutput: (output, kill) => {
      const [, page] = /Open (http:\/\/localhost:\d+), and sign in/.exec(output) ?? []
      if (page === undefined || answers.length > 0) return
      answers.push(fetch(page).finally(() => kill("SIGINT")))
    }
  })
  const page = await answers[0]!
  assert.strictEqual(page.status, 200)
  assert.include(await page.text(), "A session that stays")
  assert.include(page.headers.get("content-security-policy") ?? "", "require-trusted-types-for 'script'")
  assert.match(output, /authorization server +http:\/\/localhost:\d+/)
  assert.match(output, /API +http:\/\/localhost:\d+/)
  assert.match(output, /Stopped\. The servers have ended\.\n$/)
  assert.notMatch(output, /[\u001b\r]/, "plain where there is no terminal")
  assert.strictEqual(code, 0)
})
