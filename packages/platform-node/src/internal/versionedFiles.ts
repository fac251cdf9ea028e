/**
 * Values in a private folder, each a chain of files whose names are numbered: the highest number is the value.
 *
 * A change is a new file, written whole under a name of its own, its draft, and then linked to the next number. A name
 * can be given once, so that of many who change one value at once one succeeds; the others look again. Nobody waits for
 * a lock, and whoever dies leaves a draft behind and nothing else.
 *
 * Lower numbers are removed, and must not be given again to someone who is late. So a draft is there before its writer
 * looks at the folder, its name says up to which number the writer had seen, and nobody removes a higher one than that
 * while the draft is there. A draft that is left behind is removed when it is a minute old: if its writer lives after
 * all, there is nothing left for it to link, and it begins again. No clock decides about more than that.
 *
 * Numbers are removed from the lowest up, so that a file which can be read and was the highest one listed was the
 * highest one when the listing began.
 */
import { OAuth2Crypto } from "@effect-oauth2/core/OAuth2Crypto"
import { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as PrivateFolder from "./privateFolder.js"

type FileProblem = PrivateFolder.FileProblem

/** The newest version of a value. Version 0: there is none. Without text: it is not to be trusted. */
export interface Found {
  readonly version: number
  readonly text: string | undefined
}

/** What to do about what was found. `Again`: it was changed on the way to the decision. */
export type Decision<A> =
  | { readonly _tag: "Keep"; readonly answer: A }
  | { readonly _tag: "Change"; readonly answer: A; readonly text: string; readonly isEnd: boolean }
  | { readonly _tag: "Again" }

export interface VersionedFiles {
  readonly folder: PrivateFolder.PrivateFolder
  /** The name of the chain for a key. */
  readonly chainOf: (key: string) => Effect.Effect<string>
  readonly current: (chain: string) => Effect.Effect<Found, FileProblem>
  /** Decides, any number of times, until nothing came between the decision and its being carried out. */
  readonly change: <A, E, R>(
    chain: string,
    decide: (found: Found) => Effect.Effect<Decision<A>, E, R>
  ) => Effect.Effect<A, E | FileProblem, R>
  /** The highest version of each chain. */
  readonly latest: Effect.Effect<ReadonlyMap<string, number>, FileProblem>
  /** Removes a chain whose highest version is this, and means the same as none, unless someone is about to change it. */
  readonly sweep: (chain: string, version: number) => Effect.Effect<void, FileProblem>
}

/** `kind` is what the names of the chains begin with. */
export const make = (directory: string, kind: string): Effect.Effect<VersionedFiles, ConfigurationError> =>
  Effect.flatMap(PrivateFolder.make(directory), (folder) => over(folder, kind))

/** In a folder that is there. */
export const over = (
  folder: PrivateFolder.PrivateFolder,
  kind: string
): Effect.Effect<VersionedFiles, ConfigurationError> =>
  Effect.gen(function*() {
    const crypto = yield* OAuth2Crypto
    const unique = Effect.map(crypto.randomBytes(12), Encoding.encodeHex)

    const look = (chain: string) => Effect.map(folder.list, (names) => entriesOf(chain, names))

    /** `undefined`: the file was removed, so that there is a higher one. */
    const read = (chain: string, version: number): Effect.Effect<Found | undefined, FileProblem> =>
      version === 0 ? Effect.succeed({ version, text: undefined }) : folder.read(`${chain}.${version}`).pipe(
        Effect.map((text) => text === undefined ? undefined : { version, text }),
        Effect.catchIf(
          ({ code }) => code === PrivateFolder.untrusted,
          () => Effect.succeed({ version, text: undefined })
        )
      )

    const current = (chain: string): Effect.Effect<Found, FileProblem> =>
      Effect.flatMap(
        look(chain),
        ({ highest }) =>
          Effect.flatMap(read(chain, highest), (found) => found === undefined ? current(chain) : Effect.succeed(found))
      )

    /** What is there while a draft of one's own is. A sweep under way is let end; one that does not end is called off. */
    const beheld = (chain: string, patience = 100): Effect.Effect<Found, FileProblem> =>
      Effect.gen(function*() {
        const { highest, sweeps } = yield* look(chain)
        if (sweeps.length > 0 && patience === 0) yield* Effect.forEach(sweeps, folder.remove)
        const found = sweeps.length > 0 ? undefined : yield* read(chain, highest)
        return found ?? (yield* beheld(chain, Math.max(patience - 1, 0)))
      })

    /** An empty file under a name that nobody else gives. */
    const created = (nameOf: (id: string) => string) =>
      Effect.flatMap(Effect.map(unique, nameOf), (name) => Effect.as(folder.create(name), name))

    const drafting = (chain: string, seen: number) =>
      Effect.acquireRelease(
        created((id) => `${chain}.${seen}.${id}.draft`),
        (draft) => Effect.ignore(folder.remove(draft))
      )

    /** Removes what nobody can need any more. */
    const tidy = (chain: string, draft: string, version: number, isEnd: boolean) =>
      Effect.gen(function*() {
        const { drafts, versions } = yield* look(chain)
        const now = yield* folder.modifiedAt(draft)
        const others = drafts.filter(({ name }) => name !== draft)
        const [leftBehind, live] = yield* Effect.partition(others, (other) =>
          Effect.flatMap(
            isLeftBehind(folder, other.name, now),
            (isLeftBehind) => isLeftBehind ? Effect.fail(other) : Effect.succeed(other)
          ))
        yield* Effect.forEach(leftBehind, ({ name }) => folder.remove(name))
        const kept = Math.min(
          version,
          ...live.map(({ seen }) => seen + 1)
        )
        yield* Effect.forEach(
          versions.filter((one) => one < kept),
          (one) => folder.removeWhile(draft, `${chain}.${one}`)
        )
        if (isEnd && live.length === 0) yield* sweep(chain, version, draft)
      })

    /**
     * The last number of a chain is forgotten with it, and the next chain begins at 1. So whoever is about to change the
     * value waits for the end of this; whoever already was keeps it from happening.
     */
    const sweep = (chain: string, version: number, draft?: string): Effect.Effect<void, FileProblem> =>
      Effect.acquireUseRelease(
        created((id) => `${chain}.${version}.${id}.sweep`),
        (mark) =>
          Effect.gen(function*() {
            const { drafts, highest, sweeps, versions } = yield* look(chain)
            const isAlone = sweeps.length === 1 && drafts.every(({ name }) => name === draft)
            if (!isAlone || highest !== version) return
            yield* Effect.forEach(versions, (one) => folder.removeWhile(mark, `${chain}.${one}`))
          }),
        (mark) => Effect.ignore(folder.remove(mark))
      )

    /** `None`: another was faster. */
    const tryToChange = <A, E, R>(
      chain: string,
      seen: number,
      decide: (found: Found) => Effect.Effect<Decision<A>, E, R>
    ): Effect.Effect<Option.Option<A>, E | FileProblem, R> =>
      Effect.gen(function*() {
        const draft = yield* drafting(chain, seen)
        const found = yield* beheld(chain)
        // The numbers began anew, and the draft's name is wrong.
        if (found.version < seen) return Option.none()
        const decision = yield* decide(found)
        if (decision._tag === "Again") return Option.none()
        if (decision._tag === "Keep") {
          // Nothing may have been listed because all of it changed meanwhile, if the draft did not keep it from that.
          const isSure = found.version > 0 || (yield* folder.modifiedAt(draft)) !== undefined
          return isSure ? Option.some(decision.answer) : Option.none()
        }
        const isThere = yield* written(draft, decision.text)
        if (!isThere) return Option.none()
        const version = found.version + 1
        return yield* Effect.uninterruptible(Effect.gen(function*() {
          if (!(yield* folder.link(draft, `${chain}.${version}`))) return Option.none<A>()
          yield* Effect.ignore(tidy(chain, draft, version, decision.isEnd))
          return Option.some(decision.answer)
        }))
      }).pipe(Effect.scoped)

    const written = (draft: string, text: string) =>
      Effect.as(folder.write(draft, text), true).pipe(
        Effect.catchIf(({ code }) => code === "ENOENT", () => Effect.succeed(false))
      )

    const change: VersionedFiles["change"] = (chain, decide) =>
      Effect.gen(function*() {
        while (true) {
          // Most often there is nothing to change, and then nothing is written.
          const found = yield* current(chain)
          const decision = found.version === 0 ? undefined : yield* decide(found)
          if (decision?._tag === "Keep") return decision.answer
          const changed = yield* tryToChange(chain, found.version, decide)
          if (Option.isSome(changed)) return changed.value
        }
      })

    yield* prepare(folder, yield* unique)
    return {
      folder,
      chainOf: (key) =>
        // JSON tells lone surrogates apart, UTF-8 does not
        Effect.map(
          crypto.sha256(new TextEncoder().encode(JSON.stringify(key))),
          (digest) => `${kind}.${Encoding.encodeHex(digest)}`
        ),
      current,
      change,
      latest: Effect.map(folder.list, (names) => latestOf(kind, names)),
      sweep
    }
  })

/** Sees that the file system can do what is needed, and removes what was left behind. */
const prepare = (folder: PrivateFolder.PrivateFolder, id: string): Effect.Effect<void, ConfigurationError> => {
  const [probe, second] = [`probe.${id}.0.${id}.draft`, `probe.${id}.1.${id}.draft`]
  return Effect.acquireUseRelease(
    folder.create(probe),
    () =>
      Effect.gen(function*() {
        yield* folder.link(probe, second)
        const now = yield* folder.modifiedAt(probe)
        const passing = (yield* folder.list).filter((name) => partsOf(name).some(({ what }) => what !== undefined))
        yield* Effect.forEach(
          passing,
          (name) => Effect.whenEffect(folder.remove(name), isLeftBehind(folder, name, now))
        )
      }),
    () => Effect.ignore(Effect.zipRight(folder.remove(second), folder.remove(probe)))
  ).pipe(Effect.mapError(({ code }) =>
    new ConfigurationError({
      field: "directory",
      problem:
        `cannot be used (${code}). It has to be on a local disk, writable, with a file system that has hard links`
    })
  ))
}

const isLeftBehind = (
  folder: PrivateFolder.PrivateFolder,
  name: string,
  now: number | undefined
): Effect.Effect<boolean, FileProblem> =>
  Effect.map(
    folder.modifiedAt(name),
    (at) => at !== undefined && now !== undefined && Math.abs(now - at) > leftBehindAfter
  )

/** Milliseconds. */
const leftBehindAfter = 60_000

interface Entries {
  readonly versions: ReadonlyArray<number>
  readonly highest: number
  readonly drafts: ReadonlyArray<{ readonly name: string; readonly seen: number }>
  readonly sweeps: ReadonlyArray<string>
}

/** A version is `chain.number`, a draft or sweep `chain.number.id.what`. */
const namePattern = /^([a-z-]+\.[0-9a-f]+)\.(0|[1-9]\d{0,14})(?:\.[0-9a-f]+\.(draft|sweep))?$/

const partsOf = (name: string) => {
  const [, chain, number, what] = namePattern.exec(name) ?? []
  return chain === undefined ? [] : [{ name, chain, number: Number(number), what }]
}

const entriesOf = (chain: string, names: ReadonlyArray<string>): Entries => {
  const own = names.filter((name) => name.startsWith(`${chain}.`)).flatMap(partsOf)
  const versions = own.filter(({ what }) => what === undefined).map(({ number }) => number).sort((a, b) => a - b)
  return {
    versions,
    highest: versions.at(-1) ?? 0,
    drafts: own.filter(({ what }) => what === "draft").map(({ name, number }) => ({ name, seen: number })),
    sweeps: own.filter(({ what }) => what === "sweep").map(({ name }) => name)
  }
}

const latestOf = (kind: string, names: ReadonlyArray<string>): ReadonlyMap<string, number> => {
  const latest = new Map<string, number>()
  for (const { chain, number, what } of names.flatMap(partsOf)) {
    if (what !== undefined || !chain.startsWith(`${kind}.`)) continue
    latest.set(chain, Math.max(number, latest.get(chain) ?? 0))
  }
  return latest
}
