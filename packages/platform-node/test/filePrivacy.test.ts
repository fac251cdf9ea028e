/** Who can read the files of a store, and whose files a store reads. These tests run as root, or as any user. */
import { SessionRecord } from "@effect-oauth2/core"
import { FileCustody, FilePendingAuthorizations, FileTokenStore } from "@effect-oauth2/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { inspect } from "node:util"
import { chainOf, newest, privateFolder } from "./support/folders.js"
import { temporaryFolder } from "./support/processes.js"

const record = SessionRecord.authorized(0, {
  accessToken: Redacted.make("canary-access"),
  tokenType: "Bearer",
  issuedAt: 0,
  refreshToken: Redacted.make("canary-refresh")
})

const pending = (state: string) => ({
  version: 1 as const,
  sessionKey: "key",
  state,
  codeVerifier: Redacted.make("canary-verifier"),
  clientId: "app",
  server: "https://as.test",
  redirectUri: "https://app.test/callback",
  expiresAt: Date.now() + 60_000
})

const minute = Duration.minutes(1)

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)

/** A store with one session, its folder, and the session's file. */
const filled = Effect.gen(function*() {
  const folder = yield* privateFolder
  const store = yield* FileTokenStore.make({ directory: folder })
  yield* store.replace("key", record)
  return { folder, store, file: newest(folder, chainOf("session", "key"))! }
})

const isRoot = process.geteuid?.() === 0

describe("the directory", () => {
  it.scopedLive("S69 it is made with mode 700, its files with mode 600, whatever the umask", () =>
    Effect.gen(function*() {
      const before = process.umask(0)
      yield* Effect.addFinalizer(() => Effect.sync(() => process.umask(before)))
      const folder = join(yield* privateFolder, "below", "sessions")
      const store = yield* FileTokenStore.make({ directory: folder })
      const signIns = yield* FilePendingAuthorizations.make({ directory: folder })
      yield* store.replace("key", record)
      yield* store.rename("key", "other", minute)
      yield* store.begin("other", { generation: 1, attempt: "a" }, minute)
      yield* signIns.put(pending("one"))
      yield* signIns.consume(pending("two"))
      assert.deepStrictEqual([modeOf(folder), modeOf(join(folder, ".."))], ["700", "700"])
      assert.isAtLeast(readdirSync(folder).length, 3)
      for (const name of readdirSync(folder)) assert.strictEqual(modeOf(join(folder, name)), "600")
    }))

  it.scopedLive("S69 no name in it says whose session it is, and what was used up or signed out is in no file", () =>
    Effect.gen(function*() {
      const { folder, store } = yield* filled
      const signIns = yield* FilePendingAuthorizations.make({ directory: folder })
      yield* signIns.put(pending("state-of-ada"))
      yield* store.replace("ada@example.com", record)
      assert.notMatch(readdirSync(folder).join(), /ada|state/)
      yield* store.remove("ada@example.com")
      yield* store.remove("key")
      yield* signIns.consume(pending("state-of-ada"))
      const left = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8")).join()
      assert.notInclude(left, "canary")
      assert.lengthOf(readdirSync(folder), 1)
    }))

  const refused = (
    what: string,
    problem: RegExp,
    prepare: (folder: string) => string | void
  ) =>
    it.scopedLive(`S69 ${what} is refused, with what to do, and is left as it is`, () =>
      Effect.gen(function*() {
        const folder = yield* privateFolder
        const directory = prepare(folder) ?? folder
        const before = existsSync(folder) ? lstatSync(folder) : undefined
        const error = yield* Effect.flip(Layer.build(FileCustody.layer({ directory })))
        assert.deepInclude(error, { _tag: "ConfigurationError", field: "directory" })
        assert.match(error.message, problem)
        assert.deepStrictEqual((existsSync(folder) ? lstatSync(folder) : undefined)?.mode, before?.mode)
        if (before?.isDirectory() === true) assert.deepStrictEqual(readdirSync(folder), [])
      }))

  refused("a directory that others can read", /mode 755.*chmod 700 \//, (folder) => {
    mkdirSync(folder)
    chmodSync(folder, 0o755)
  })
  refused("a directory that the group can enter", /mode 710.*chmod 700/, (folder) => {
    mkdirSync(folder)
    chmodSync(folder, 0o710)
  })
  refused("a symbolic link to a private directory", /is a symbolic link/, (folder) => {
    mkdirSync(`${folder}-real`, { mode: 0o700 })
    symlinkSync(`${folder}-real`, folder)
  })
  refused("a symbolic link to nowhere", /is a symbolic link/, (folder) => symlinkSync(`${folder}-real`, folder))
  refused("a file in its place", /is not a directory/, (folder) => writeFileSync(folder, ""))
  refused("a place below a file", /cannot be used \((ENOTDIR|EEXIST)\)/, (folder) => {
    writeFileSync(folder, "")
    return join(folder, "below")
  })
  refused("a relative path", /is not an absolute path/, () => "sessions")
  refused("a path that a shell would expand", /is not an absolute path.*homedir/, () => "~/.tool")
  refused("an empty path", /is not an absolute path/, () => "")

  it.scopedLive("S69 a directory of another user is refused", () =>
    Effect.gen(function*() {
      // Only root can give a directory away; anybody else finds that of root.
      const folder = yield* temporaryFolder
      if (isRoot) chownSync(folder, 12_345, 12_345)
      const error = yield* Effect.flip(FileTokenStore.make({ directory: isRoot ? folder : "/root" }))
      assert.match(error.message, /belongs to another user/)
      assert.deepStrictEqual(isRoot ? readdirSync(folder) : [], [])
    }))
})

describe("a file that is not to be trusted", () => {
  const distrusted = (what: string, spoil: (file: string, folder: string) => void) =>
    it.scopedLive(`S69 ${what} is Corrupt for who reads or renews, stays as it is, and goes with a new sign-in`, () =>
      Effect.gen(function*() {
        const { file, folder, store } = yield* filled
        yield* store.replace("other", record)
        spoil(file, folder)
        const before = lstatSync(file)
        const claim = { generation: 1, attempt: "a" }
        const operations = {
          get: store.get("key"),
          begin: store.begin("key", claim, minute),
          commit: store.commit("key", claim, record),
          rename: store.rename("key", "another", minute)
        }
        for (const [operation, act] of Object.entries(operations)) {
          const error = yield* Effect.flip<unknown, unknown, never>(act)
          assert.deepInclude(error, { _tag: "StoreError", operation, reason: "Corrupt" })
          assert.notInclude(inspect(error), "canary")
        }
        assert.deepStrictEqual([lstatSync(file).ino, lstatSync(file).mode], [before.ino, before.mode])
        assert.isTrue(Option.isSome(yield* store.get("other")))
        yield* store.replace("key", record)
        assert.isTrue(Option.isSome(yield* store.get("key")))
        if (!before.isDirectory()) assert.isFalse(existsSync(file))
      }))

  distrusted("a file that others can read", (file) => chmodSync(file, 0o644))
  distrusted("a file that the group can write", (file) => chmodSync(file, 0o620))
  distrusted("a symbolic link to a good file", (file) => {
    renameSync(file, `${file}-real`)
    symlinkSync(`${file}-real`, file)
  })
  distrusted("a symbolic link in a circle", (file) => {
    unlinkSync(file)
    symlinkSync(file, file)
  })
  distrusted("a directory in the place of a file", (file) => {
    unlinkSync(file)
    mkdirSync(file, { mode: 0o700 })
  })
  distrusted("another session's file", (file, folder) => {
    unlinkSync(file)
    linkSync(newest(folder, chainOf("session", "other"))!, file)
  })
  distrusted("an empty file", (file) => writeFileSync(file, ""))
  distrusted("half a file", (file) => writeFileSync(file, readFileSync(file, "utf8").slice(0, 60)))
  distrusted("a file that says nothing of a record", (file) => writeFileSync(file, "[1]"))
  if (isRoot) distrusted("a file of another user", (file) => chownSync(file, 12_345, 12_345))

  it.scopedLive("S69 a sign-in's file that is a link or open to others is Corrupt, and is not consumed", () =>
    Effect.gen(function*() {
      const folder = yield* privateFolder
      const signIns = yield* FilePendingAuthorizations.make({ directory: folder })
      yield* signIns.put(pending("state"))
      const file = newest(folder, chainOf("sign-in", "state"))!
      chmodSync(file, 0o640)
      for (const act of [signIns.get("state"), signIns.consume(pending("state")), signIns.isConsumed("state")]) {
        assert.deepInclude(yield* Effect.flip<unknown, unknown, never>(act), { reason: "Corrupt" })
      }
      assert.isTrue(existsSync(file))
    }))
})

describe("what the file system refuses", () => {
  it.scopedLive("S69 S76 is Unavailable, with the system's code in the debug log, and no path and no secret", () =>
    Effect.gen(function*() {
      const { folder, store } = yield* filled
      rmSync(folder, { recursive: true })
      const logged: Array<unknown> = []
      const error = yield* Effect.flip(store.replace("key", record)).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => logged.push(message)))),
        Logger.withMinimumLogLevel(LogLevel.Debug)
      )
      assert.deepInclude(error, { _tag: "StoreError", operation: "replace", reason: "Unavailable", remedy: "retry" })
      const said = inspect([error, logged], { depth: 20 })
      assert.include(said, "ENOENT")
      assert.notInclude(said, folder)
      assert.notInclude(said, "canary")
    }))
})
