/**
 * The rules of a token store and of sign-ins under way, over whatever keeps texts by key and can read and write several
 * of them in one step.
 */
import { StoreError } from "@effect-oauth2/core/OAuth2Error"
import * as SessionRecord from "@effect-oauth2/core/SessionRecord"
import * as TokenStore from "@effect-oauth2/core/TokenStore"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/** What to make of the texts that are there: an answer, and what there is to be. `undefined`: nothing. */
export interface Step<A> {
  readonly answer: Either.Either<A, StoreError>
  readonly writes?: ReadonlyArray<readonly [key: string, text: string | undefined]>
}

export interface Texts {
  /** Reads and writes as one: nobody comes between. */
  readonly step: <A>(
    operation: string,
    keys: ReadonlyArray<string>,
    act: (texts: ReadonlyArray<string | undefined>) => Step<A>
  ) => Effect.Effect<A, StoreError>
  /** All that there is. */
  readonly all: Effect.Effect<ReadonlyArray<readonly [key: string, text: string]>, StoreError>
}

/** What is told of a change: no token. */
export interface News {
  readonly key: string
  readonly generation: number | undefined
}

const parse = Option.liftThrowable((text: string): unknown => JSON.parse(text))

/** Reads what was stored as JSON, of this version. Nothing: `undefined`. */
export const decodeWith = <A, I>(schema: Schema.Schema<A, I>) => {
  const decode = Schema.decodeUnknownEither(schema)
  return (operation: string, text: string | undefined): Either.Either<A | undefined, StoreError> => {
    if (text === undefined) return Either.right(undefined)
    const value = Option.getOrUndefined(parse(text))
    const isNewer = Predicate.hasProperty(value, "version") && typeof value.version === "number" && value.version > 1
    return Either.mapLeft(
      decode(value),
      () => new StoreError({ operation, reason: isNewer ? "NewerVersion" : "Corrupt" })
    )
  }
}

export const encodeWith = <A, I>(schema: Schema.Schema<A, I>) => {
  const encode = Schema.encodeEither(Schema.parseJson(schema))
  return (operation: string, value: A): Either.Either<string, StoreError> =>
    Either.mapLeft(encode(value), () => new StoreError({ operation, reason: "Corrupt" }))
}

const decode = decodeWith(SessionRecord.SessionRecord)
const encode = encodeWith(SessionRecord.SessionRecord)

type Record = SessionRecord.SessionRecord

/** The record for when whoever redeems it is gone, and nobody knows what became of it. What cannot be read stays as it is. */
export const abandoned = (text: string): string => {
  const record = Either.getOrUndefined(decode("open", text))
  if (record?.state._tag !== "Redeeming") return text
  const next: Record = { ...record, state: { _tag: "Idle", ...SessionRecord.asIdle(record), unresolved: true } }
  return Either.getOrElse(encode("open", next), () => text)
}

/** What to make of a record. `next`: what there is to be, `null` for none; absent: leave it. */
interface Change<A> {
  readonly answer: A
  readonly next?: Record | null
}

/** The operations of a token store. `tell` hears of each change of a generation, once it is made. */
export const tokenStore = (
  { all, step }: Texts,
  tell: (news: News) => void
): Omit<TokenStore.Operations<StoreError>, "changes"> => {
  /** One record. What cannot be read fails, unless it is to be replaced or removed. */
  const change = <A>(
    operation: string,
    key: string,
    act: (record: Record | undefined, now: number) => Change<A>,
    overCorrupt?: () => Change<A>
  ): Effect.Effect<A, StoreError> =>
    Effect.clockWith((clock) =>
      step(operation, [key], ([text]): Step<Told<A>> => {
        const read = decode(operation, text)
        if (Either.isLeft(read) && (overCorrupt === undefined || read.left.reason !== "Corrupt")) {
          return { answer: Either.left(read.left) }
        }
        const { answer, next } = Either.isLeft(read) ? overCorrupt!() : act(read.right, clock.unsafeCurrentTimeMillis())
        if (next === undefined) return { answer: Either.right({ answer }) }
        if (next === null) return { answer: Either.right({ answer, told: undefined }), writes: [[key, undefined]] }
        return Either.match(encode(operation, next), {
          onLeft: (error): Step<Told<A>> => ({ answer: Either.left(error) }),
          onRight: (text) => ({ answer: Either.right({ answer, told: next.generation }), writes: [[key, text]] })
        })
      })
    ).pipe(Effect.map((done) => {
      if ("told" in done && operation !== "begin" && operation !== "release") tell({ key, generation: done.told })
      return done.answer
    }))

  return {
    get: (key) => change("get", key, (record) => ({ answer: Option.fromNullable(record) })),
    begin: (key, claim, hold) =>
      change("begin", key, (record, now): Change<TokenStore.BeginOutcome> => {
        const answer = TokenStore.begin(record, claim, now, Duration.toMillis(hold))
        return answer._tag === "Begun" ? { answer, next: answer.record } : { answer }
      }),
    commit: (key, claim, next) =>
      change("commit", key, (record): Change<TokenStore.CommitOutcome> =>
        TokenStore.holds(record, claim)
          ? { answer: { _tag: "Committed" }, next }
          : { answer: { _tag: "Lost", record } }),
    release: (key, claim, options) =>
      change("release", key, (record): Change<void> => {
        if (!TokenStore.holds(record, claim)) return { answer: undefined }
        return {
          answer: undefined,
          next: record.generation === 0 ? null : { ...record, state: { _tag: "Idle", ...options } }
        }
      }),
    replace: (key, record) => {
      const after = (generation: number): Change<Record> => {
        const next = { ...record, generation: generation + 1 }
        return { answer: next, next }
      }
      return change("replace", key, (old) => after(old?.generation ?? 0), () => after(record.generation))
    },
    remove: (key) =>
      change<Option.Option<Record>>(
        "remove",
        key,
        (record) => ({ answer: Option.fromNullable(record), next: null }),
        () => ({ answer: Option.none(), next: null })
      ),
    rename: (from, to, hold) =>
      Effect.clockWith((clock) =>
        step("rename", [from, to], ([moved, replaced]): Step<TokenStore.RenameOutcome> => {
          const record = decode("rename", moved)
          if (Either.isLeft(record)) return { answer: Either.left(record.left) }
          const target = decode("rename", replaced)
          if (Either.isLeft(target) && target.left.reason === "NewerVersion") {
            return { answer: Either.left(target.left) }
          }
          const outcome = TokenStore.rename(record.right, clock.unsafeCurrentTimeMillis(), Duration.toMillis(hold))
          const answer = Either.right(outcome)
          return outcome._tag !== "Renamed" || from === to
            ? { answer }
            : { answer, writes: [[from, undefined], [to, moved]] }
        })
      ).pipe(Effect.map((outcome) => {
        if (outcome._tag === "Renamed") { for (const key of [from, to]) tell({ key, generation: undefined }) }
        return outcome
      })),
    idle: (options) =>
      Effect.map(all, (texts) =>
        TokenStore.idleOf(
          texts.flatMap(([key, text]) => {
            const record = Either.getOrUndefined(decode("idle", text))
            return record === undefined ? [] : [[key, record] as const]
          }),
          options
        ))
  }
}

interface Told<A> {
  readonly answer: A
  /** The generation that there is now. */
  readonly told?: number | undefined
}
