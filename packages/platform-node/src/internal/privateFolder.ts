import { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { Stats } from "node:fs"
import { constants, existsSync, unlinkSync } from "node:fs"
import { type FileHandle, link, lstat, mkdir, open, readdir, unlink } from "node:fs/promises"
import { isAbsolute, join } from "node:path"

/** What the system says of a file, such as `ENOSPC`, and `untrusted`. It tells no path and no content. */
export class FileProblem extends Data.TaggedError("FileProblem")<{ readonly code: string }> {}

/** The code for a file that is a link, another user's, open to others, or no file at all. */
export const untrusted = "UNTRUSTED"

/** A folder of this user's own. What is written is on the disk when the operation is done. */
export interface PrivateFolder {
  readonly path: string
  readonly list: Effect.Effect<ReadonlyArray<string>, FileProblem>
  /** `undefined`: there is no such file. */
  readonly read: (name: string) => Effect.Effect<string | undefined, FileProblem>
  /** An empty file that was not there. */
  readonly create: (name: string) => Effect.Effect<void, FileProblem>
  /** Into a file that is there. */
  readonly write: (name: string, text: string) => Effect.Effect<void, FileProblem>
  /** Gives a file a second name. `false`: that name is taken, or the file is gone. */
  readonly link: (name: string, second: string) => Effect.Effect<boolean, FileProblem>
  readonly remove: (name: string) => Effect.Effect<void, FileProblem>
  /** Removes a file while another is there, with nothing between the look and the deed. */
  readonly removeWhile: (condition: string, name: string) => Effect.Effect<void, FileProblem>
  /** When the file was last written to, by the file system's clock. `undefined`: there is no such file. */
  readonly modifiedAt: (name: string) => Effect.Effect<number | undefined, FileProblem>
}

/** Makes the folder where there is none. One that is not private is refused, and not changed. */
export const make = (path: string): Effect.Effect<PrivateFolder, ConfigurationError> =>
  Effect.gen(function*() {
    if (!isAbsolute(path)) {
      return yield* refused("is not an absolute path. Write it in full, as join(homedir(), \".tool\") does")
    }
    const found = yield* inspect(path)
    if (found === undefined) yield* attempt(() => mkdir(path, { recursive: true, mode: 0o700 }))
    const problem = problemOf(path, found ?? (yield* inspect(path)))
    return problem === undefined ? folderAt(path) : yield* refused(problem)
  }).pipe(Effect.catchTag("FileProblem", ({ code }) => refused(`cannot be used (${code})`)))

const refused = (problem: string) => new ConfigurationError({ field: "directory", problem })

const inspect = (path: string): Effect.Effect<Stats | undefined, FileProblem> => ifThere(() => lstat(path))

const problemOf = (path: string, stats: Stats | undefined): string | undefined => {
  if (stats === undefined) return "cannot be made"
  if (stats.isSymbolicLink()) return "is a symbolic link. Name the directory that it leads to"
  if (!stats.isDirectory()) return "is not a directory"
  if (isForeign(stats)) return "belongs to another user. Name a directory of your own"
  if (isOpen(stats)) {
    const mode = (stats.mode & 0o777).toString(8)
    return `can be reached by other users (mode ${mode}). Make it private: chmod 700 ${path}`
  }
  return undefined
}

/** Windows has neither owners by number nor modes: there, a user's own folder is private by its access list. */
const isForeign = ({ uid }: Stats): boolean => process.geteuid !== undefined && uid !== process.geteuid()

const isOpen = ({ mode }: Stats): boolean => process.geteuid !== undefined && (mode & 0o077) !== 0

const isTrusted = (stats: Stats): boolean => stats.isFile() && !isForeign(stats) && !isOpen(stats)

const folderAt = (path: string): PrivateFolder => ({
  path,
  list: attempt(() => readdir(path)),
  read: (name) => Effect.catchAll(ifThere(() => readFile(join(path, name))), explain(join(path, name))),
  create: (name) => attempt(() => withFile(join(path, name), flags.create, () => Promise.resolve())),
  write: (name, text) =>
    attempt(() =>
      withFile(join(path, name), flags.write, async (file) => {
        await file.writeFile(text)
        await file.sync()
      })
    ),
  link: (name, second) =>
    attempt(() => link(join(path, name), join(path, second))).pipe(
      Effect.zipRight(syncFolder(path)),
      Effect.as(true),
      Effect.catchIf(({ code }) => code === "EEXIST" || code === "ENOENT", () => Effect.succeed(false))
    ),
  remove: (name) => Effect.asVoid(ifThere(() => unlink(join(path, name)))),
  removeWhile: (condition, name) =>
    Effect.asVoid(ifThere(async () => {
      if (existsSync(join(path, condition))) unlinkSync(join(path, name))
      return Promise.resolve()
    })),
  modifiedAt: (name) => Effect.map(inspect(join(path, name)), (stats) => stats?.mtimeMs)
})

/** A pipe in the place of a file is not waited for, and a link is not followed. Windows knows neither flag. */
const guarded = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

const flags = {
  read: constants.O_RDONLY | guarded,
  write: constants.O_WRONLY | guarded,
  create: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | guarded
}

const withFile = async <A>(path: string, flags: number, use: (file: FileHandle) => Promise<A>): Promise<A> => {
  const file = await open(path, flags, 0o600)
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}

const readFile = (path: string): Promise<string> =>
  withFile(path, flags.read, async (file) => {
    if (!isTrusted(await file.stat())) throw new FileProblem({ code: untrusted })
    return await file.readFile("utf8")
  })

/** A link, or another user's file, is not even opened. */
const explain = (file: string) => (problem: FileProblem): Effect.Effect<undefined, FileProblem> =>
  Effect.flatMap(
    inspect(file),
    (stats) => stats === undefined || isTrusted(stats) ? problem : new FileProblem({ code: untrusted })
  )

/** Some systems cannot do it for a folder, and have no need to. */
const syncFolder = (path: string): Effect.Effect<void, FileProblem> =>
  Effect.catchIf(
    attempt(() => withFile(path, constants.O_RDONLY, (folder) => folder.sync())),
    ({ code }) => ["EISDIR", "EINVAL", "EPERM", "EACCES", "EBADF", "ENOTSUP"].includes(code),
    () => Effect.void
  )

const attempt = <A>(act: () => Promise<A>): Effect.Effect<A, FileProblem> =>
  Effect.tryPromise({
    try: act,
    catch: (error) =>
      error instanceof FileProblem
        ? error
        : new FileProblem({
          code: Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : "UNKNOWN"
        })
  })

const ifThere = <A>(act: () => Promise<A>): Effect.Effect<A | undefined, FileProblem> =>
  Effect.catchIf(attempt(act), ({ code }) => code === "ENOENT", () => Effect.succeed(undefined))
