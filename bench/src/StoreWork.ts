/** What programs ask of a store of sessions, in blocks that can be timed. */
import { SessionRecord, type TokenStore } from "@effect-oauth2/core"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Database from "./database.js"
import { makeToken } from "./fixtures.js"

/** So many fibers of a program ask at once. */
export const fibers = 16

/** How often a block does it. What is written to the disk takes its time. */
export const sizes = { get: 64, cas: 32 }

export type Kind = keyof typeof sizes

/** Which sessions of a table are one program's: those whose number leaves this rest when it is divided. */
export interface Share {
  readonly index: number
  readonly of: number
}

const all: Share = { index: 0, of: 1 }

/** The blocks of a program to whom these sessions belong, all of them of generation 1. */
export const make = (
  connection: Database.Connection,
  table: Database.Table,
  share = all
): Effect.Effect<Readonly<Record<Kind, Effect.Effect<void, unknown>>>, unknown> =>
  Effect.map(Database.storeOf(connection, table), (store) => {
    const next = keys(table, share)
    const generations = new Map<string, number>()
    const block = (kind: Kind, act: Effect.Effect<unknown, unknown>) =>
      Effect.forEach(Array.from({ length: sizes[kind] }), () => act, { concurrency: fibers, discard: true })
    return {
      get: block("get", Effect.suspend(() => Effect.flatMap(store.get(next()), orMissing))),
      cas: block("cas", Effect.suspend(() => renew(store, next(), generations)))
    }
  })

/** They are far apart, and one comes again when all others had their turn: nobody is in anybody's way. */
const keys = ({ sessions }: Database.Table, { index, of }: Share): () => string => {
  const count = Math.floor(sessions / of)
  let turn = 0
  return () => {
    turn = (turn + stride) % count
    return Database.keyOf(turn * of + index)
  }
}

/** A prime that divides no power of ten, nor a part of one. */
const stride = 7_919

const orMissing = Option.match({ onNone: () => Effect.dieMessage("A session is not there"), onSome: Effect.succeed })

/** What a renewal asks of the store. The read before it is counted among the lookups. */
const renew = (store: TokenStore.TokenStoreService, key: string, generations: Map<string, number>) =>
  Effect.gen(function*() {
    const claim = { generation: generations.get(key) ?? 1, attempt: "bench" }
    const begun = yield* store.begin(key, claim, Duration.minutes(1))
    const renewed = SessionRecord.authorized(claim.generation + 1, makeToken(Date.now()))
    const { _tag } = yield* store.commit(key, claim, renewed)
    if (begun._tag !== "Begun" || _tag !== "Committed") return yield* Effect.dieMessage("A session was not renewed")
    generations.set(key, renewed.generation)
  })
