import { Browser, LoopbackError } from "@effect-oauth2/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { chmodSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { ended, start, temporaryFolder } from "./support/processes.js"

const recording = (opened: Array<string>) => Browser.make((url) => Effect.sync(() => void opened.push(url.href)))

describe("what is opened", () => {
  it.effect("S85 https, and http on loopback, as they are", () =>
    Effect.gen(function*() {
      const opened: Array<string> = []
      const urls = [
        "https://as.example/authorize?client_id=a&scope=openid%20email&state=x_-~.&redirect_uri=http%3A%2F%2F127.0.0.1",
        "https://as.example:8443/authorize;v=1?a=b,c+d*e!f@g",
        "https://[2001:db8::1]/authorize",
        "https://xn--bcher-kva.example/",
        "http://127.0.0.1:8080/authorize",
        "http://localhost:8080/authorize",
        "http://[::1]:8080/authorize"
      ]
      for (const url of urls) yield* recording(opened).open(new URL(url))
      assert.deepStrictEqual(opened, urls)
    }))

  it.effect("S85 nothing else: it is refused before anything runs", () =>
    Effect.gen(function*() {
      const opened: Array<string> = []
      const urls = [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,<script>alert(1)</script>",
        "ftp://as.example/",
        "vbscript:x",
        "ms-calculator:",
        "com.example.app:/callback",
        "http://as.example/authorize",
        "http://127.0.0.1.evil.example/authorize",
        "http://localhost.evil.example/authorize",
        "https://user:password@as.example/authorize",
        "https://as.example/$(id)",
        "https://as.example/authorize?x=$(id)",
        "https://as.example/authorize?x=$HOME",
        "https://as.example/it's",
        "https://as.example/authorize?x=`id`",
        "https://as.example/authorize?x=a|b",
        "https://as.example/authorize?x={a}",
        "https://as.example/authorize?x=a\\b",
        "https://as.example/authorize?x=a^b"
      ]
      for (const url of urls) {
        const error = yield* Effect.flip(recording(opened).open(new URL(url)))
        assert.strictEqual(error.reason, "UrlRefused", url)
        assert.notInclude(error.message, "evil")
      }
      assert.isEmpty(opened)
    }))

  it.effect("S85 what URLs percent-encode by themselves stays encoded on its way", () =>
    Effect.gen(function*() {
      const opened: Array<string> = []
      yield* recording(opened).open(new URL("https://as.example/a b?x=\"c\" d"))
      assert.deepStrictEqual(opened, ["https://as.example/a%20b?x=%22c%22%20d"])
    }))
})

describe("layers", () => {
  const url = new URL("https://as.example/authorize?client_id=a&state=b;c")

  it.effect("layerPrint hands the URL to the function, and refuses like every browser", () =>
    Effect.gen(function*() {
      const printed: Array<string> = []
      const layer = Browser.layerPrint((url) => Effect.sync(() => void printed.push(url.href)))
      yield* Effect.provide(Browser.openBrowser(url), layer)
      const error = yield* Effect.flip(Effect.provide(Browser.openBrowser(new URL("file:///etc/passwd")), layer))
      assert.isTrue(error instanceof LoopbackError.LoopbackError)
      assert.deepStrictEqual(printed, [url.href])
    }))

  it.live("S85 layer and layerPrintAndOpen give the system's opener the URL as one argument, which no shell takes apart", () =>
    Effect.gen(function*() {
      const { environment, opened } = yield* fakeDesktop
      const program = start(new URL("./support/openBrowser.ts", import.meta.url), [url.href], environment)
      assert.deepStrictEqual(yield* ended(program), { code: 0, output: `done\nprinted ${url.href}\ndone\n` })
      assert.strictEqual(yield* opened, `${url.href}\n`.repeat(2))
    }).pipe(Effect.scoped))
})

/** A system whose opener, by whatever name, notes the arguments that it gets, one a line. */
const fakeDesktop = Effect.map(temporaryFolder, (folder) => {
  const [opener, note] = [join(folder, "browser"), join(folder, "note")]
  writeFileSync(opener, `#!/bin/sh\nprintf '%s\\n' "$@" >> "${note}"\n`)
  chmodSync(opener, 0o700)
  for (const name of ["open", "xdg-open"]) symlinkSync(opener, join(folder, name))
  const lines = () => existsSync(note) ? readFileSync(note, "utf8") : ""
  return {
    environment: { PATH: `${folder}${delimiter}${process.env["PATH"]}`, HOME: folder, BROWSER: opener },
    /** What was noted, once both have noted something. */
    opened: Effect.map(Effect.repeat(Effect.sleep(10), { until: () => lines().split("\n").length > 2 }), lines)
  }
})
