import { type Claim, type IdleOptions, longestHold } from "@effect-oauth2/core/TokenStore"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { Database } from "./database.js"
import { type Columns, columns as columnNames, type Row, version } from "./sessionRow.js"
import * as storedText from "./storedText.js"

type Result<A> = Effect.Effect<A, SqlError>

/** The statements of a token store. Each is atomic by itself, and answers whether it changed anything. */
export interface SessionStatements {
  readonly get: (key: string) => Result<Row | undefined>
  /** The row, and what time it is. */
  readonly getWithTime: (key: string) => Result<{ readonly row: Row; readonly now: number } | undefined>
  readonly begin: (key: string, claim: Claim, holdMillis: number) => Result<Row | undefined>
  readonly commit: (key: string, claim: Claim, next: Columns) => Result<boolean>
  readonly release: (
    key: string,
    claim: Claim,
    state: Pick<Columns, "state" | "unresolved" | "detail">
  ) => Result<void>
  readonly removeClaimed: (key: string, claim: Claim) => Result<void>
  /** The generation that was written, unless the row is of a later version. */
  readonly replace: (key: string, columns: Columns) => Result<number | undefined>
  readonly remove: (key: string) => Result<Row | undefined>
  /** Not while somebody redeems it. */
  readonly rename: (from: string, to: string, holdMillis: number) => Result<boolean>
  readonly idle: (options: IdleOptions) => Result<ReadonlyArray<string>>
}

export const make = (database: Database): SessionStatements => {
  const { isOf, keyColumns, keyValues, now, primaryKey, sessions, sql } = database
  const columns = sql.literal(columnNames)
  const readable = sql.literal(`s.version <= ${version}`)

  const isClaimed = (key: string, { attempt, generation }: Claim) =>
    sql`${isOf(key)} AND ${readable} AND s.generation = ${generation} AND s.state = 'Redeeming'
      AND s.attempt = ${storedText.encode(attempt)}`

  /** The record is of this generation, and nobody redeems it. */
  const isFree = ({ generation }: Claim, hold: number) =>
    sql`${readable} AND s.generation = ${generation} AND s.state IN ('Idle', 'Redeeming')
      AND NOT ${isRedeemed(database, hold)}`

  const redeeming = ({ attempt }: Claim, hold: number) =>
    sql`state = 'Redeeming', attempt = ${storedText.encode(attempt)}, until = ${now} + CAST(${hold} AS BIGINT),
      unresolved = CASE WHEN s.state = 'Redeeming' THEN 1 ELSE s.unresolved END`

  const values = ({ attempt, detail, payload, renewedAt, state, unresolved, until, version }: Columns) =>
    sql`${version}, ${state}, ${attempt}, ${until}, ${unresolved}, ${detail}, ${renewedAt}, ${payload}`

  const beginThere = (key: string, claim: Claim, hold: number) =>
    sql<Row>`UPDATE ${sessions} AS s SET ${redeeming(claim, hold)}
      WHERE ${isOf(key)} AND ${isFree(claim, hold)} RETURNING ${columns}`

  const beginNew = (key: string, claim: Claim, hold: number) =>
    sql<
      Row
    >`INSERT INTO ${sessions} AS s (${keyColumns}, version, generation, state, attempt, until, unresolved, detail,
        renewed_at, payload)
      VALUES (${keyValues(key)}, ${version}, 0, 'Redeeming', ${storedText.encode(claim.attempt)},
        ${now} + CAST(${hold} AS BIGINT), 0, '{}', 0, '{}')
      ON CONFLICT (${primaryKey}) DO UPDATE SET ${redeeming(claim, hold)} WHERE ${isFree(claim, hold)}
      RETURNING ${columns}`

  return {
    get: (key) => first(sql<Row>`SELECT ${columns} FROM ${sessions} AS s WHERE ${isOf(key)}`),
    getWithTime: (key) =>
      Effect.map(
        first(sql<Row & { now: number | string }>`SELECT ${columns}, ${now} AS now FROM ${sessions} AS s
          WHERE ${isOf(key)}`),
        (row) => row && { row, now: Number(row.now) }
      ),
    begin: (key, claim, hold) => first((claim.generation === 0 ? beginNew : beginThere)(key, claim, hold)),
    commit: (key, claim, next) =>
      any(sql`UPDATE ${sessions} AS s
        SET (version, state, attempt, until, unresolved, detail, renewed_at, payload, generation)
          = (${values(next)}, ${next.generation})
        WHERE ${isClaimed(key, claim)} RETURNING generation`),
    release: (key, claim, { detail, state, unresolved }) =>
      Effect.asVoid(sql`UPDATE ${sessions} AS s
        SET state = ${state}, attempt = NULL, until = NULL, unresolved = ${unresolved}, detail = ${detail}
        WHERE ${isClaimed(key, claim)}`),
    removeClaimed: (key, claim) => Effect.asVoid(sql`DELETE FROM ${sessions} AS s WHERE ${isClaimed(key, claim)}`),
    replace: (key, columns) =>
      Effect.map(
        first(sql<{ generation: number | string }>`INSERT INTO ${sessions} AS s (${keyColumns}, version, state, attempt,
            until, unresolved, detail, renewed_at, payload, generation)
          VALUES (${keyValues(key)}, ${values(columns)}, 1)
          ON CONFLICT (${primaryKey}) DO UPDATE SET ${copied(database)}, generation = s.generation + 1
            WHERE ${readable}
          RETURNING generation`),
        (row) => row && Number(row.generation)
      ),
    remove: (key) =>
      first(sql<Row>`DELETE FROM ${sessions} AS s WHERE ${isOf(key)} AND ${readable} RETURNING ${columns}`),
    rename: (from, to, hold) =>
      any((database.dialect === "pg" ? renamePostgres : renameSqlite)(database, from, to, hold)),
    idle: ({ limit, prefix, renewedBefore }) =>
      Effect.map(
        sql<{ name: string }>`SELECT name FROM ${sessions} AS s
          WHERE s.state <> 'Dead' AND s.renewed_at < ${whole(Math.ceil(renewedBefore))}
            AND substr(s.name, 1, length(CAST(${storedText.encode(prefix)} AS TEXT)))
              = CAST(${storedText.encode(prefix)} AS TEXT)
          ORDER BY s.renewed_at, s.name LIMIT ${whole(Math.max(Math.floor(limit), 0))}`,
        (rows) => rows.map(({ name }) => storedText.decode(name))
      )
  }
}

const names = ["version", "state", "attempt", "until", "unresolved", "detail", "renewed_at", "payload"]

const copied = ({ sql }: Database) => sql.literal(names.map((name) => `${name} = excluded.${name}`).join(", "))

/** Somebody redeems it, their time is not up, and it is no further ahead than any hold. */
const isRedeemed = ({ now, sql }: Database, hold: number) =>
  sql`(s.state = 'Redeeming' AND s.until > ${now} AND s.until - ${now} <= CAST(${
    Math.max(hold, longestHold)
  } AS BIGINT))`

/** Nobody redeems it, it can be read, and what is under the other key is not of a later version. */
const mayBeMoved = (database: Database, from: string, to: string, hold: number) => {
  const { isOf, sessions, sql } = database
  const later = sql`s.version > ${sql.literal(String(version))}`
  return sql`${isOf(from)} AND NOT ${later} AND NOT ${isRedeemed(database, hold)}
    AND NOT EXISTS (SELECT 1 FROM ${sessions} AS s WHERE ${isOf(to)} AND ${later})`
}

const renamePostgres = (database: Database, from: string, to: string, hold: number) => {
  const { keyColumns, keyValues, sessions, sql } = database
  const moved = sql.literal([...names, "generation"].join(", "))
  return sql`WITH gone AS (
      DELETE FROM ${sessions} AS s
      WHERE ${mayBeMoved(database, from, to, hold)} RETURNING ${moved}
    )
    INSERT INTO ${sessions} AS s (${keyColumns}, ${moved}) SELECT ${keyValues(to)}, ${moved} FROM gone
    ON CONFLICT (id) DO UPDATE SET ${copied(database)}, generation = excluded.generation
    RETURNING 1`
}

const renameSqlite = (database: Database, from: string, to: string, hold: number) => {
  const { sessions, sql } = database
  return sql`UPDATE OR REPLACE ${sessions} AS s SET name = ${storedText.encode(to)}
    WHERE ${mayBeMoved(database, from, to, hold)} RETURNING 1`
}

const first = <A>(rows: Result<ReadonlyArray<A>>): Result<A | undefined> => Effect.map(rows, ([row]) => row)

const any = (rows: Result<ReadonlyArray<unknown>>): Result<boolean> => Effect.map(rows, ({ length }) => length > 0)

/** Within what a database can count. */
const whole = (number: number): number => Math.max(Math.min(number, Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER)
