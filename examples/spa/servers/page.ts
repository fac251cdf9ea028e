/**
 * The page as Vite builds it: once, and again when a source is newer than what was built.
 */
import * as Effect from "effect/Effect"
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { build } from "vite"
import type { File } from "../../../support/browser/site.js"

type Files = Readonly<Record<string, { readonly type: string; readonly body: string }>>

const path = (from: string): string => fileURLToPath(new URL(from, import.meta.url))

const root = path("../")
const cache = path("../../../.cache/")
const built = `${cache}spa.json`

const inputs = [
  ...["../index.html", "../vite.config.ts", "./page.ts", "../../../package-lock.json"].map(path),
  ...["../src/", "../../../packages/core/src/", "../../../packages/platform-browser/src/"].map(path).flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => folder + file)
  )
]

const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml"
}

const modified = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** Whether it has to be built first, which takes a while. */
export const isBuilt = (): boolean => modified(built) > Math.max(...inputs.map(modified))

const make = async (): Promise<Files> => {
  const outcome = await build({ root, configFile: `${root}vite.config.ts`, build: { write: false } })
  const outputs = [outcome].flat().flatMap((result) => "output" in result ? result.output : [])
  return Object.fromEntries(outputs.map((file) => [
    `/${file.fileName}`,
    {
      type: types[file.fileName.split(".").at(-1) ?? ""] ?? "application/octet-stream",
      body: file.type === "chunk" ? file.code : Buffer.from(file.source).toString()
    }
  ]))
}

/** In one step, since another may build at the same time. */
const keep = (files: Files): void => {
  mkdirSync(cache, { recursive: true })
  writeFileSync(`${built}.${process.pid}`, JSON.stringify(files))
  renameSync(`${built}.${process.pid}`, built)
}

/** The files by their paths. The page is both where one starts and where the authorization server sends back to. */
export const files: Effect.Effect<Readonly<Record<string, File>>> = Effect.promise(async () => {
  if (!isBuilt()) keep(await make())
  const files = JSON.parse(readFileSync(built, "utf8")) as Files
  const page = files["/index.html"]!
  return { ...files, "/": page, "/callback": page }
})
