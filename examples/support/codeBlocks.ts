/**
 * The TypeScript blocks of a Markdown file, as program files beside the examples. That they compile is checked for all
 * of the documentation by scripts/check-examples.mjs.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Inside the workspace, so that packages resolve as they do for the examples; ignored by git. */
const folder = join(root, "examples", "build", "blocks")

export interface CodeBlock {
  /** The Markdown file, relative to the repository. */
  readonly document: string
  /** The heading that it stands under. */
  readonly heading: string
  readonly file: string
  readonly code: string
  /** What it prints, where a block of `text` right below says so. */
  readonly prints: string | undefined
}

/** The documents whose blocks are programs: the README, and all in `docs`. */
export const documents = async (): Promise<ReadonlyArray<string>> => {
  const files = await readdir(join(root, "docs"))
  return ["README.md", ...files.filter((file) => file.endsWith(".md")).sort().map((file) => `docs/${file}`)]
}

/** Writes every block of the documents to a file of its own. */
export const extract = async (documents: ReadonlyArray<string>): Promise<ReadonlyArray<CodeBlock>> => {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const blocks = await Promise.all(
    documents.map(async (document) => blocksOf(document, await readFile(join(root, document), "utf8")))
  )
  await Promise.all(blocks.flat().map(({ code, file }) => writeFile(file, code)))
  return blocks.flat()
}

const blocksOf = (document: string, text: string): ReadonlyArray<CodeBlock> => {
  const blocks: Array<CodeBlock> = []
  let heading = ""
  for (const [, title, code, prints] of text.matchAll(headingOrBlock)) {
    if (code === undefined) {
      heading = title ?? ""
    } else {
      const file = join(folder, `${basename(document, ".md")}-${blocks.length + 1}.ts`)
      blocks.push({ document, heading, file, code, prints })
    }
  }
  return blocks
}

const headingOrBlock = /^#+ (.+)$|^```ts\n([^]*?)^```$(?:\n+```text\n([^]*?)^```$)?/gm
