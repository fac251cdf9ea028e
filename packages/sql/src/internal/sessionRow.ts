import { StoreError } from "@effect-oauth2/core/OAuth2Error"
import * as SessionRecord from "@effect-oauth2/core/SessionRecord"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parseObject, stringify } from "./json.js"
import * as storedText from "./storedText.js"

/** A session as its row holds it. What decides who may write is in columns, everything else in `detail` and `payload`. */
export interface Columns {
  readonly version: number
  readonly generation: number
  readonly state: string
  readonly attempt: string | null
  readonly until: number | null
  readonly unresolved: 0 | 1
  /** What else there is to say of the state, in JSON. */
  readonly detail: string
  readonly renewedAt: number
  /** Everything but what has columns of its own, in JSON. */
  readonly payload: string
}

/** A row as a driver gives it: large integers may come as text. */
export interface Row {
  readonly version: number | string
  readonly generation: number | string
  readonly state: string
  readonly attempt: string | null
  readonly until: number | string | null
  readonly unresolved: number
  readonly detail: string
  readonly payload: string
}

export const columns = "version, generation, state, attempt, until, unresolved, detail, payload"

/** The version that is written here. Rows of a later one are left alone. */
export const version = 1

const decodeRecord = Schema.decodeUnknown(SessionRecord.SessionRecord)
const encodeRecord = Schema.encode(SessionRecord.SessionRecord)
const encodeState = Schema.encode(SessionRecord.SessionRecord.fields.state)

const corrupt = (operation: string) => () => new StoreError({ operation, reason: "Corrupt" })

/** Fails with `StoreError`, reason `NewerVersion` or `Corrupt`. */
export const decode = (operation: string, row: Row): Effect.Effect<SessionRecord.SessionRecord, StoreError> =>
  Number(row.version) > version
    ? new StoreError({ operation, reason: "NewerVersion" })
    : Effect.all([parseObject(row.payload), parseObject(row.detail)]).pipe(
      Effect.flatMap(([payload, detail]) =>
        decodeRecord({
          ...payload,
          version: Number(row.version),
          generation: Number(row.generation),
          state: { ...detail, ...stateOf(row) }
        })
      ),
      Effect.mapError(corrupt(operation))
    )

const stateOf = ({ attempt, state, unresolved, until }: Row): Readonly<Record<string, unknown>> => ({
  _tag: state,
  unresolved: unresolved === 1,
  ...(attempt === null ? undefined : { attempt: storedText.decode(attempt) }),
  ...(until === null ? undefined : { until: Number(until) })
})

export const encode = (
  operation: string,
  record: SessionRecord.SessionRecord
): Effect.Effect<Columns, StoreError> =>
  Effect.gen(function*() {
    const { generation, state: _, version, ...payload } = yield* encodeRecord(record)
    return {
      version,
      generation,
      ...(yield* encodeStateColumns(record.state)),
      renewedAt: Math.floor(SessionRecord.renewedAt(record)),
      payload: yield* stringify(payload)
    }
  }).pipe(Effect.mapError(corrupt(operation)))

type StateColumns = Pick<Columns, "state" | "attempt" | "until" | "unresolved" | "detail">

/** The columns of a state in which nobody redeems. */
export const encodeIdle = (
  operation: string,
  options: Omit<SessionRecord.Idle, "_tag">
): Effect.Effect<StateColumns, StoreError> =>
  Effect.mapError(encodeStateColumns({ _tag: "Idle", ...options }), corrupt(operation))

const encodeStateColumns = (state: SessionRecord.SessionRecord["state"]): Effect.Effect<StateColumns, unknown> =>
  Effect.gen(function*() {
    const { _tag, ...encoded } = yield* encodeState(state)
    const { attempt = null, unresolved = false, until = null, ...detail } = { ...noState, ...encoded }
    return {
      state: _tag,
      attempt: attempt === null ? null : storedText.encode(attempt),
      until: until === null ? null : Math.ceil(until),
      unresolved: unresolved ? 1 : 0,
      detail: yield* stringify(detail)
    }
  })

const noState: { readonly attempt?: string; readonly until?: number; readonly unresolved?: boolean } = {}
