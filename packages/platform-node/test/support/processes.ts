/** Programs of these tests, each in a process of its own. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { build, type BuildOptions } from "esbuild"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../../..", import.meta.url))

/** Runs a program as it stands. */
export const start = (
  program: URL,
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>>
): ChildProcess => run(["--import", "tsx", fileURLToPath(program), ...args], { ...environment })

/** Runs what {@link bundle} made of a program. */
export const startBundle = (file: string, args: ReadonlyArray<string>): ChildProcess => run([file, ...args])

/** One file of the program and all that it imports: it starts in a third of the time. */
export const bundle = (program: URL): Effect.Effect<string, never, Scope> =>
  Effect.flatMap(temporaryFolder, (folder) => {
    const outfile = join(folder, "program.mjs")
    const options: BuildOptions = {
      entryPoints: [fileURLToPath(program)],
      absWorkingDir: root,
      tsconfig: join(root, "tsconfig.json"),
      bundle: true,
      platform: "node",
      format: "esm",
      banner: {
        js: "import { createRequire } from \"node:module\"; const require = createRequire(import.meta.url)"
      },
      outfile
    }
    return Effect.as(Effect.promise(() => build(options)), outfile)
  })

export const temporaryFolder: Effect.Effect<string, never, Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "oauth2-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** How the process ended, and what it wrote to its standard output. */
export const ended = (child: ChildProcess): Effect.Effect<{ readonly code: number | null; readonly output: string }> =>
  Effect.async((resume) => {
    let output = ""
    child.stdout?.on("data", (chunk: Buffer) => output += chunk.toString())
    child.on("close", (code) => resume(Effect.succeed({ code, output })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const run = (args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = process.env): ChildProcess =>
  spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] })
