/** A store's folder, as others than the store see it. */
import { NodeCrypto } from "@effect-oauth2/platform-node"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { temporaryFolder } from "./processes.js"

/** One that is not there yet. */
export const privateFolder = Effect.map(temporaryFolder, (folder) => join(folder, "sessions"))

/** The beginning of the names of all files of a session or sign-in. */
export const chainOf = (kind: "session" | "sign-in", key: string): string =>
  `${kind}.${Encoding.encodeHex(Effect.runSync(NodeCrypto.nodeCrypto.sha256(Buffer.from(JSON.stringify(key)))))}`

/** The newest file of a chain, by its path. */
export const newest = (folder: string, chain: string): string | undefined => {
  const versions = readdirSync(folder)
    .filter((name) => name.startsWith(`${chain}.`) && /\.\d+$/.test(name))
    .map((name) => Number(name.split(".").at(-1)))
  return versions.length === 0 ? undefined : join(folder, `${chain}.${Math.max(...versions)}`)
}

/** Writes over what is in the newest file of a chain. */
export const rewrite = (folder: string, chain: string, change: (text: string) => string): Effect.Effect<void> =>
  Effect.sync(() => {
    const file = newest(folder, chain)!
    writeFileSync(file, change(readFileSync(file, "utf8")))
  })
