/** The keys of sessions that change in a folder, whoever changes them. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type FSWatcher, watch } from "node:fs"
import * as SessionFile from "./sessionFile.js"
import type { VersionedFiles } from "./versionedFiles.js"

/** What is known of a session: its key, and its generation, unless it is gone. */
interface Known {
  readonly version: number
  readonly key: string
  readonly generation: number | undefined
}

/** The system's word that something changed is a reason to look, and so is the passing of time. */
export const make = (files: VersionedFiles, pollInterval: Duration.Duration): Stream.Stream<string> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const wake = yield* Mailbox.make<void>({ capacity: 1, strategy: "sliding" })
    yield* watching(files.folder.path, () => wake.unsafeOffer(undefined))
    let known = yield* survey(files, new Map())
    const next = Effect.gen(function*() {
      yield* Effect.timeoutOption(wake.take, pollInterval)
      const before = known
      known = yield* survey(files, before)
      return changed(before, known)
    })
    return Stream.flattenIterables(Stream.repeatEffect(Effect.orElseSucceed(next, () => [])))
  }))

/** Does without where the system cannot watch a folder, or stops. It keeps no process alive. */
const watching = (path: string, onEvent: () => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.option(Effect.try((): FSWatcher => watch(path, { persistent: false }, onEvent).on("error", () => {}))),
    (watcher) => Effect.sync(() => Option.getOrUndefined(watcher)?.close())
  ))

/** Reads the files that are newer than what is known. What cannot be read just now is looked at again the next time. */
const survey = (files: VersionedFiles, before: ReadonlyMap<string, Known>): Effect.Effect<ReadonlyMap<string, Known>> =>
  Effect.gen(function*() {
    const known = new Map<string, Known>()
    for (const [chain, version] of yield* files.latest) {
      const last = before.get(chain)
      const now = last?.version === version ? last : yield* look(files, chain)
      if (now ?? last) known.set(chain, (now ?? last)!)
    }
    return known
  }).pipe(Effect.orElseSucceed(() => before))

const look = (files: VersionedFiles, chain: string): Effect.Effect<Known | undefined> =>
  Effect.map(Effect.option(files.current(chain)), (found) => {
    if (Option.isNone(found)) return undefined
    const { text, version } = found.value
    const file = SessionFile.decodeAny(text)
    if (Either.isLeft(file)) return undefined
    const { key, leaving, record } = file.right
    return { version, key, generation: leaving === undefined ? record?.generation : undefined }
  })

/** The keys of what is new, of another generation, or gone. */
const changed = (before: ReadonlyMap<string, Known>, now: ReadonlyMap<string, Known>): ReadonlyArray<string> => {
  const chains = new Set([...before.keys(), ...now.keys()])
  return Array.from(chains).flatMap((chain) => {
    const [last, next] = [before.get(chain), now.get(chain)]
    return last?.generation === next?.generation ? [] : [(next ?? last)!.key]
  })
}
