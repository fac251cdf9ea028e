/**
 * Sessions in files of this user's own, for all processes of one machine: two terminals do not log each other out.
 *
 * The directory has mode 0700 and its files 0600. Whatever is a link, belongs to another user or is open to others is
 * refused. What is in the files is in clear: `EncryptedStore` encrypts it, with a key from `Keyring` where the machine
 * has one.
 *
 * Each change is a new file, on the disk before it counts, so that a process may be killed at any moment: the record is
 * the one before or the one after, and nobody is kept from going on. The directory has to be on a local disk.
 *
 * @since 0.1.0
 */
import { OAuth2Crypto } from "@effect-oauth2/core/OAuth2Crypto"
import { type ConfigurationError, StoreError } from "@effect-oauth2/core/OAuth2Error"
import type { SessionRecord } from "@effect-oauth2/core/SessionRecord"
import * as SharedKeeper from "@effect-oauth2/core/SharedKeeper"
import * as TokenStore from "@effect-oauth2/core/TokenStore"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { asStoreError } from "./internal/fileErrors.js"
import * as SessionChanges from "./internal/sessionChanges.js"
import * as SessionFile from "./internal/sessionFile.js"
import * as VersionedFiles from "./internal/versionedFiles.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** An absolute path. The directory is made where there is none. */
  readonly directory: string
  /**
   * How often the directory is looked at for what other processes changed. Most often it tells by itself, and sooner.
   * Default: 2 seconds.
   */
  readonly pollInterval?: Duration.DurationInput | undefined
}

/**
 * Fails with `ConfigurationError`, field `directory`, when the directory is not private or cannot be used.
 *
 * Beside what every store does, an operation fails with `StoreError`: `Corrupt` when the file is not to be trusted or
 * cannot be read, and then it stays until somebody signs in or out under its key; `NewerVersion` when a later version
 * of this library wrote it, and then it stays; `Unavailable` for whatever else the file system says, whose code is
 * logged at level debug.
 *
 * A process that is killed in the midst of `rename` leaves the session on its way: it is under its new key as soon as
 * somebody asks for the old one, or the store is opened again.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<TokenStore.SharedStore, ConfigurationError> =>
  Effect.gen(function*() {
    const files = yield* VersionedFiles.make(options.directory, "session")
    const crypto = yield* OAuth2Crypto
    const sessions = sessionsIn(files, Effect.map(crypto.randomBytes(12), Encoding.encodeHex))
    yield* Effect.ignore(sessions.all)
    return {
      durability: "durable",
      sharing: "machine",
      keeper: SharedKeeper.make,
      ...operations(sessions),
      changes: SessionChanges.make(files, Duration.decode(options.pollInterval ?? "2 seconds"))
    }
  })

/**
 * The store as a layer. Name it once and provide that one value.
 *
 * @example
 * import { EncryptedStore } from "@effect-oauth2/core"
 * import { FileTokenStore, Keyring } from "@effect-oauth2/platform-node"
 * import { Effect, Layer } from "effect"
 * import { homedir } from "node:os"
 * import { join } from "node:path"
 *
 * const key = Keyring.key({ service: "tool", account: "sessions" })
 *
 * export const StoreLive = EncryptedStore.layer(Effect.map(key, (key) => ({ keys: [key] as const }))).pipe(
 *   Layer.provide(FileTokenStore.layer({ directory: join(homedir(), ".tool") }))
 * )
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<TokenStore.TokenStore, ConfigurationError> =>
  Layer.effect(TokenStore.TokenStore, make(options))

/** What to make of what is there: an answer, and the record that there is to be. `null`: none. Absent: leave it. */
interface Step<A> {
  readonly answer: A
  readonly next?: SessionRecord | null
}

interface Sessions {
  /** `act` is told the time at which it looks: one from before it would make a claim seem to end too far ahead. */
  readonly step: <A>(
    operation: string,
    key: string,
    act: (record: SessionRecord | undefined, now: number) => Step<A>,
    overUnreadable?: (version: number) => Step<A>
  ) => Effect.Effect<A, StoreError>
  readonly rename: Operations["rename"]
  /** All sessions that can be read, by their keys. */
  readonly all: Effect.Effect<ReadonlyArray<readonly [string, SessionRecord]>, StoreError>
}

/** What is settled about a session that is to be renamed. */
type Renaming = { readonly _tag: "Leaves"; readonly record: SessionRecord } | TokenStore.RenameOutcome

type Decide<A> = (
  found: VersionedFiles.Found
) => Effect.Effect<VersionedFiles.Decision<A>, StoreError>

const keep = <A>(answer: A): VersionedFiles.Decision<A> => ({ _tag: "Keep", answer })

const again: VersionedFiles.Decision<never> = { _tag: "Again" }

const sessionsIn = (files: VersionedFiles.VersionedFiles, unique: Effect.Effect<string>): Sessions => {
  const change = <A>(operation: string, key: string, decide: Decide<A>): Effect.Effect<A, StoreError> =>
    Effect.flatMap(files.chainOf(key), (chain) => asStoreError(operation)(files.change(chain, decide)))

  const written = <A>(
    operation: string,
    answer: A,
    file: Omit<SessionFile.SessionFile, "version">
  ): Effect.Effect<VersionedFiles.Decision<A>, StoreError> =>
    Effect.map(SessionFile.encode(operation, file), (text) => ({
      _tag: "Change",
      answer,
      text,
      isEnd: file.record === undefined
    }))

  const stateOf = (operation: string, key: string): Effect.Effect<SessionFile.State, StoreError> =>
    Effect.map(
      Effect.flatMap(files.chainOf(key), (chain) => asStoreError(operation)(files.current(chain))),
      (found) => SessionFile.decode(key, found)
    )

  const isLeaving = (operation: string, key: string, id: string): Effect.Effect<boolean, StoreError> =>
    Effect.map(stateOf(operation, key), (state) => state._tag === "Leaving" && state.leaving.id === id)

  /** The session has arrived, so that it is gone from where it was. */
  const depart = (operation: string, { from, id }: SessionFile.Arrived): Effect.Effect<void, StoreError> =>
    change(operation, from, (found) => {
      const state = SessionFile.decode(from, found)
      return state._tag === "Leaving" && state.leaving.id === id
        ? written(operation, undefined, { key: from })
        : Effect.succeed(keep(undefined))
    })

  /**
   * Takes a session that is leaving to its new key, which any number may do at once: it arrives once, since it is under
   * its old key until it has arrived, and its mark is under the new one until it has left. Sessions that are leaving for
   * each other's keys, in a circle, are put one over the other.
   */
  const move = (
    operation: string,
    from: string,
    record: SessionRecord,
    { id, to }: SessionFile.Leaving,
    depth = 0
  ): Effect.Effect<void, StoreError> =>
    change(operation, to, (found) =>
      Effect.gen(function*() {
        const state = SessionFile.decode(to, found)
        if (state._tag === "Present" && state.arrived?.id === id) return keep(undefined)
        if (!(yield* isLeaving(operation, from, id))) return keep(undefined)
        if (state._tag === "Unreadable" && state.reason === "NewerVersion") {
          return yield* new StoreError({ operation, reason: "NewerVersion" })
        }
        if (state._tag === "Leaving" && state.leaving.to !== from && depth < 8) {
          yield* move(operation, to, state.record, state.leaving, depth + 1)
          return again
        }
        if (state._tag === "Present" && state.arrived !== undefined) yield* depart(operation, state.arrived)
        return yield* written(operation, undefined, { key: to, record, arrived: { id, from } })
      })).pipe(Effect.zipRight(depart(operation, { id, from })))

  const step: Sessions["step"] = (operation, key, act, overUnreadable) =>
    change(operation, key, (found) =>
      Effect.gen(function*() {
        const state = SessionFile.decode(key, found)
        if (state._tag === "Leaving") {
          yield* move(operation, key, state.record, state.leaving)
          return again
        }
        if (state._tag === "Unreadable" && (overUnreadable === undefined || state.reason === "NewerVersion")) {
          return yield* new StoreError({ operation, reason: state.reason })
        }
        const { answer, next } = state._tag === "Unreadable"
          ? overUnreadable!(found.version)
          : act(state._tag === "Present" ? state.record : undefined, yield* Clock.currentTimeMillis)
        if (next === undefined) return keep(answer)
        if (state._tag === "Present" && state.arrived !== undefined) yield* depart(operation, state.arrived)
        return yield* written(operation, answer, next === null ? { key } : { key, record: next })
      }))

  /** It is settled who renames it, and to what, before it is anywhere else. */
  const rename: Sessions["rename"] = (from, to, hold) =>
    Effect.gen(function*() {
      const ruled = (record: SessionRecord | undefined, now: number) =>
        TokenStore.rename(record, now, Duration.toMillis(hold))
      if (from === to) return yield* step("rename", from, (record, now) => ({ answer: ruled(record, now) }))
      const target = yield* stateOf("rename", to)
      if (target._tag === "Unreadable" && target.reason === "NewerVersion") {
        return yield* new StoreError({ operation: "rename", reason: "NewerVersion" })
      }
      const leaving = { id: yield* unique, to }
      const decided = yield* change<Renaming>("rename", from, (found) =>
        Effect.gen(function*() {
          const state = SessionFile.decode(from, found)
          switch (state._tag) {
            case "Absent":
              return keep<Renaming>({ _tag: "Missing" })
            case "Unreadable":
              return yield* new StoreError({ operation: "rename", reason: state.reason })
            case "Leaving":
              yield* move("rename", from, state.record, state.leaving)
              return again
            case "Present": {
              const { arrived, record } = state
              const outcome = ruled(record, yield* Clock.currentTimeMillis)
              if (outcome._tag !== "Renamed") return keep<Renaming>(outcome)
              if (arrived !== undefined) yield* depart("rename", arrived)
              return yield* written<Renaming>("rename", { _tag: "Leaves", record }, { key: from, record, leaving })
            }
          }
        }))
      if (decided._tag !== "Leaves") return decided
      yield* move("rename", from, decided.record, leaving)
      return { _tag: "Renamed" }
    })

  /** Brings to an end what others left undone on the way. */
  const all = Effect.gen(function*() {
    const chains = yield* asStoreError("idle")(files.latest)
    const found = yield* Effect.forEach(chains.keys(), settled, { concurrency: 8 })
    return found.flat()
  })

  const settled = (chain: string): Effect.Effect<ReadonlyArray<readonly [string, SessionRecord]>, StoreError> =>
    Effect.gen(function*() {
      const found = yield* asStoreError("idle")(files.current(chain))
      const file = Either.getOrUndefined(SessionFile.decodeAny(found.text))
      if (file === undefined || (yield* files.chainOf(file.key)) !== chain) return []
      if (file.record === undefined) {
        yield* Effect.ignore(files.sweep(chain, found.version))
        return []
      }
      if (file.leaving === undefined) return [[file.key, file.record]]
      yield* move("idle", file.key, file.record, file.leaving)
      return [[file.leaving.to, file.record]]
    })

  return { step, rename, all }
}

type Operations = Omit<TokenStore.Operations<StoreError>, "changes">

const operations = ({ all, rename, step }: Sessions): Operations => ({
  get: (key) => step("get", key, (record) => ({ answer: Option.fromNullable(record) })),
  begin: (key, claim, hold) =>
    step("begin", key, (record, now): Step<TokenStore.BeginOutcome> => {
      const answer = TokenStore.begin(record, claim, now, Duration.toMillis(hold))
      return answer._tag === "Begun" ? { answer, next: answer.record } : { answer }
    }),
  commit: (key, claim, next) =>
    step("commit", key, (record): Step<TokenStore.CommitOutcome> =>
      TokenStore.holds(record, claim)
        ? { answer: { _tag: "Committed" }, next }
        : { answer: { _tag: "Lost", record } }),
  release: (key, claim, options) =>
    step("release", key, (record) => {
      if (!TokenStore.holds(record, claim)) return { answer: undefined }
      const next = record.generation === 0 ? null : { ...record, state: { _tag: "Idle" as const, ...options } }
      return { answer: undefined, next }
    }),
  replace: (key, record) => {
    const after = (generation: number): Step<SessionRecord> => {
      const next = { ...record, generation: generation + 1 }
      return { answer: next, next }
    }
    // No generation is higher than the number of its file
    return step("replace", key, (previous) => after(previous?.generation ?? 0), after)
  },
  remove: (key) =>
    step<Option.Option<SessionRecord>>(
      "remove",
      key,
      (record) => record === undefined ? { answer: Option.none() } : { answer: Option.some(record), next: null },
      () => ({ answer: Option.none(), next: null })
    ),
  rename,
  idle: (options) => Effect.map(all, (sessions) => TokenStore.idleOf(sessions, options))
})
