/**
 * The TypeScript blocks of a Markdown file, as program files beside the examples, and what the compiler says of them.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Inside the workspace, so that packages resolve as they do for the examples; ignored by git. */
const folder = join(root, "examples", "build", "blocks")

export interface CodeBlock {
  readonly file: string
  /** The heading that it stands under. */
  readonly heading: string
  readonly lines: number
}

/** Writes every block of the file, whose path is relative to the repository. */
export const extract = async (markdown: string): Promise<ReadonlyArray<CodeBlock>> => {
  await mkdir(folder, { recursive: true })
  const text = await readFile(join(root, markdown), "utf8")
  const blocks: Array<CodeBlock> = []
  let heading = ""
  for (const [, title, code] of text.matchAll(/^#+ (.+)$|^```ts\n([^]*?)^```$/gm)) {
    if (code === undefined) {
      heading = title ?? ""
    } else {
      const file = join(folder, `${basename(markdown, ".md")}-${blocks.length + 1}.ts`)
      await writeFile(file, code)
      blocks.push({ file, heading, lines: code.trimEnd().split("\n").length })
    }
  }
  return blocks
}

/** What the compiler finds wrong with the files, under the settings of the repository. */
export const diagnose = (files: ReadonlyArray<string>): ReadonlyArray<string> => {
  const path = join(root, "tsconfig.json")
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: unknown }
  const { tsBuildInfoFile: _, ...options } = ts.parseJsonConfigFileContent(config, ts.sys, root).options
  const program = ts.createProgram(files, { ...options, noEmit: true, incremental: false })
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText, start }) =>
    `${basename(file?.fileName ?? "")}:${(file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0) + 1} ` +
    ts.flattenDiagnosticMessageText(messageText, "\n")
  )
}
