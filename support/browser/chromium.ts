/**
 * A real Chromium: the one that `CHROMIUM_PATH` names, else an installed Chrome or Chromium, else the one that the
 * package `@sparticuz/chromium` carries, which is unpacked once.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { type Browser, chromium } from "playwright-core"

/** There is no Chromium that starts. */
export class NoChromium extends Data.TaggedError("NoChromium")<{ readonly cause: unknown }> {
  override get message(): string {
    return `No Chromium could be started. Install Chrome or Chromium, or name one by CHROMIUM_PATH. (${
      String(this.cause)
    })`
  }
}

interface Program {
  readonly path: string
  readonly environment: Readonly<Record<string, string>>
}

/** A browser of its own, with a folder of its own for what it writes, until the scope closes. */
export const launch: Effect.Effect<Browser, NoChromium, Scope.Scope> = Effect.gen(function*() {
  const { environment, path } = yield* Effect.tryPromise({ try: find, catch: (cause) => new NoChromium({ cause }) })
  const TMPDIR = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-oauth2-browser-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  )
  return yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: () =>
        chromium.launch({
          executablePath: path,
          // Its sandbox is not for root
          args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
          env: { ...process.env, ...environment, TMPDIR }
        }),
      catch: (cause) => new NoChromium({ cause })
    }),
    (browser) => Effect.promise(() => browser.close())
  )
})

const find = async (): Promise<Program> => {
  const named = process.env["CHROMIUM_PATH"]
  if (named !== undefined) return { path: named, environment: {} }
  const path = installed()
  return path === undefined ? carried() : { path, environment: {} }
}

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"]
const applications = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium"
]

const installed = (): string | undefined =>
  [
    ...(process.env["PATH"] ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))),
    ...applications
  ].find(isExecutable)

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url))
const unpacked = join(root, ".cache/chromium-147.0.0")

/** The package's own, with the libraries and the fonts that it brings along. */
const carried = async (): Promise<Program> => {
  if (!existsSync(unpacked)) await unpack()
  const environment = {
    LD_LIBRARY_PATH: [join(unpacked, "al2023/lib"), process.env["LD_LIBRARY_PATH"]].filter(Boolean).join(delimiter),
    FONTCONFIG_PATH: join(unpacked, "fonts")
  }
  return { path: join(unpacked, "chromium"), environment }
}

/** The package's own names folders of the service that it is made for. Without a font the browser ends at the first text. */
const fontConfiguration = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(unpacked, "fonts/fonts")}</dir>
  <cachedir>${join(unpacked, "fonts/cache")}</cachedir>
</fontconfig>
`

/** The package unpacks into the folder for temporary files, as that is when it is loaded: so it is loaded elsewhere. */
const unpack = async (): Promise<void> => {
  mkdirSync(join(root, ".cache"), { recursive: true })
  const folder = mkdtempSync(join(root, ".cache/chromium-"))
  const script = "import chromium from \"@sparticuz/chromium\"; await chromium.executablePath()"
  const env = { ...process.env, TMPDIR: folder, AWS_LAMBDA_JS_RUNTIME: "nodejs20.x" }
  try {
    await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { cwd: root, env })
    writeFileSync(join(folder, "fonts/fonts.conf"), fontConfiguration)
    renameSync(folder, unpacked)
  } catch (error) {
    // Another may have been faster
    if (!existsSync(unpacked)) throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
