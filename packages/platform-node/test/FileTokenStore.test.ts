/** Sessions and sign-ins in files obey the laws of every store. */
import { AesGcm, EncryptedStore } from "@effect-oauth2/core"
import { StoreLaws } from "@effect-oauth2/core/testing"
import { FilePendingAuthorizations, FileTokenStore } from "@effect-oauth2/platform-node"
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { chainOf, privateFolder, rewrite } from "./support/folders.js"

const session = (key: string) => chainOf("session", key)

const adapter: StoreLaws.TokenStoreAdapter<string> = {
  storage: privateFolder,
  open: (directory) => FileTokenStore.make({ directory, pollInterval: "20 millis" }),
  corrupt: (folder, key) => rewrite(folder, session(key), (text) => text.slice(0, -10)),
  newer: (folder, key) => rewrite(folder, session(key), (text) => text.replaceAll("\"version\":1", "\"version\":2")),
  changes: true
}

describe("sessions in files", () => {
  for (const law of StoreLaws.tokenStore(adapter)) it.scopedLive(law.title, () => law.check)
})

describe("encrypted sessions in files", () => {
  const key = Effect.orDie(AesGcm.importKey("first", Redacted.make(new Uint8Array(32).fill(1))))
  const encrypted = StoreLaws.tokenStore({
    ...adapter,
    open: (directory) =>
      Effect.flatMap(
        Effect.all([adapter.open(directory), key]),
        ([store, key]) => EncryptedStore.make(store, { keys: [key] })
      )
  })
  for (const law of encrypted) it.scopedLive(law.title, () => law.check)
})

describe("sign-ins in files", () => {
  const laws = StoreLaws.pendingAuthorizations({
    storage: privateFolder,
    open: (directory) => FilePendingAuthorizations.make({ directory }),
    corrupt: (folder, state) => rewrite(folder, chainOf("sign-in", state), (text) => text.slice(0, -10)),
    newer: (folder, state) => rewrite(folder, chainOf("sign-in", state), (text) => text.replace("1", "2"))
  })
  for (const law of laws) it.scopedLive(law.title, () => law.check)
})
