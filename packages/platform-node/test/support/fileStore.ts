/** Session records in a JSON file that one process writes to, synchronously and whole. */
import { SessionRecord, TokenStore } from "@effect-oauth2/core"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"

type Records = Readonly<Record<string, SessionRecord.SessionRecord>>

const Records = Schema.parseJson(Schema.Record({ key: Schema.String, value: SessionRecord.SessionRecord }))

export const read = (file: string): Records =>
  existsSync(file) ? Schema.decodeUnknownSync(Records)(readFileSync(file, "utf8")) : {}

const write = (file: string, records: Records): void => {
  writeFileSync(`${file}.part`, Schema.encodeSync(Records)(records), { mode: 0o600 })
  renameSync(`${file}.part`, file)
}

/** `onCommit` is told when a renewed token is in the file. */
export const make = (file: string, onCommit: () => void): TokenStore.TokenStoreService => {
  /** One step: what the key holds becomes what `f` returns beside its answer. */
  const step = <A>(
    key: string,
    f: (record: SessionRecord.SessionRecord | undefined) => readonly [A, SessionRecord.SessionRecord | undefined]
  ): Effect.Effect<A> =>
    Effect.sync(() => {
      const { [key]: record, ...others } = read(file)
      const [answer, next] = f(record)
      write(file, next === undefined ? others : { ...others, [key]: next })
      return answer
    })

  return {
    durability: "durable",
    sharing: "process",
    get: (key) => Effect.sync(() => Option.fromNullable(read(file)[key])),
    begin: (key, claim, hold) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        step(key, (record) => {
          const outcome = TokenStore.begin(record, claim, now, Duration.toMillis(hold))
          return [outcome, outcome._tag === "Begun" ? outcome.record : record]
        })),
    commit: (key, claim, next) =>
      step(
        key,
        (record): readonly [TokenStore.CommitOutcome, SessionRecord.SessionRecord | undefined] =>
          TokenStore.holds(record, claim) ? [{ _tag: "Committed" }, next] : [{ _tag: "Lost", record }, record]
      ).pipe(
        Effect.tap(() => Effect.sync(onCommit))
      ),
    release: (key, claim, { unresolved }) =>
      step(key, (record) => [
        undefined,
        TokenStore.holds(record, claim) ? { ...record, state: { _tag: "Idle", unresolved } } : record
      ]),
    replace: (key, record) =>
      step(key, (previous) => {
        const next = { ...record, generation: (previous?.generation ?? 0) + 1 }
        return [next, next]
      }),
    remove: (key) => step(key, (record) => [Option.fromNullable(record), undefined]),
    rename: (from, to) =>
      Effect.flatMap(
        step(from, (record) => [record, undefined]),
        (record) => record === undefined ? Effect.succeed(false) : step(to, () => [true, record])
      )
  }
}
