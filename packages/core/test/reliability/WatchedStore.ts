/** A token store in memory that tells what is asked of it, and goes wrong on demand. */
import { OAuth2Error, PendingAuthorizations, SessionRecord, SharedKeeper, TokenStore } from "@effect-oauth2/core"
import { Context, Effect, Exit, Layer, Option, Schema } from "effect"

export type Operation = "get" | "begin" | "commit" | "release" | "replace" | "remove" | "rename"

export interface Asked {
  readonly operation: Operation
  readonly key: string
  readonly at: number
  /** Whether the store did it, once it is known. */
  done: boolean | undefined
}

export interface WatchedStoreService {
  readonly service: TokenStore.TokenStoreService
  /** What was asked, in order. */
  readonly asked: Array<Asked>
  /** What happens before an operation is done; it may fail, die, or take its time. */
  before: (operation: Operation, key: string) => Effect.Effect<void, OAuth2Error.StoreError>
  /** What happens after it was done. */
  after: (operation: Operation, key: string) => Effect.Effect<void, OAuth2Error.StoreError>
  /** What is stored under the application's session key. */
  readonly stored: (sessionKey?: string) => Effect.Effect<SessionRecord.SessionRecord | undefined>
  /** All that is stored, by the store's own keys, in clear: for a test's eyes alone. */
  readonly records: Effect.Effect<Readonly<Record<string, unknown>>>
  readonly count: (operation: Operation) => number
}

const encode = Schema.encodeSync(SessionRecord.SessionRecord)

export const unavailable = (operation: string): Effect.Effect<never, OAuth2Error.StoreError> =>
  Effect.fail(new OAuth2Error.StoreError({ operation, reason: "Unavailable" }))

export const make = (
  nature: Partial<Pick<TokenStore.SharedStore, "durability" | "sharing" | "changes">> = {},
  inner?: TokenStore.TokenStoreService
): Effect.Effect<WatchedStoreService> =>
  Effect.gen(function*() {
    const memory = inner ?? (yield* TokenStore.makeMemory)
    const keys = new Set<string>()
    const watch = <A>(operation: Operation, key: string, act: Effect.Effect<A, OAuth2Error.StoreError>) =>
      Effect.clockWith((clock) =>
        Effect.suspend(() => {
          keys.add(key)
          const entry: Asked = { operation, key, at: clock.unsafeCurrentTimeMillis(), done: undefined }
          self.asked.push(entry)
          return self.before(operation, key).pipe(
            Effect.zipRight(Effect.onExit(act, (exit) =>
              Effect.sync(() => {
                entry.done = Exit.isSuccess(exit)
              }))),
            Effect.zipLeft(Effect.suspend(() => self.after(operation, key)))
          )
        })
      )
    const self: WatchedStoreService = {
      service: {
        durability: nature.durability ?? "durable",
        sharing: nature.sharing ?? memory.sharing,
        keeper: SharedKeeper.make,
        // As a store that decodes: each look gives a record of its own
        get: (key) => watch("get", key, Effect.map(memory.get(key), Option.map((record) => ({ ...record })))),
        begin: (key, claim, hold) => watch("begin", key, memory.begin(key, claim, hold)),
        commit: (key, claim, next) => watch("commit", key, memory.commit(key, claim, next)),
        release: (key, claim, options) => watch("release", key, memory.release(key, claim, options)),
        replace: (key, record) => watch("replace", key, memory.replace(key, record)),
        remove: (key) => watch("remove", key, memory.remove(key)),
        rename: (from, to, hold) => {
          keys.add(to)
          return watch("rename", from, memory.rename(from, to, hold))
        },
        idle: memory.idle,
        changes: nature.changes
      },
      asked: [],
      before: () => Effect.void,
      after: () => Effect.void,
      stored: (sessionKey = "default") =>
        Effect.orDie(Effect.suspend(() => {
          const key = [...keys].find((key) => key.endsWith(JSON.stringify(sessionKey)))
          return key === undefined ? Effect.succeed(undefined) : Effect.map(memory.get(key), Option.getOrUndefined)
        })),
      records: Effect.suspend(() => Effect.forEach([...keys], (key) => Effect.map(memory.get(key), entryOf(key)))).pipe(
        Effect.map((entries) => Object.fromEntries(entries.flat())),
        Effect.orDie
      ),
      count: (operation) => self.asked.filter((asked) => asked.operation === operation).length
    }
    return self
  })

const entryOf = (key: string) =>
  Option.match({
    onNone: () => [],
    onSome: (record: SessionRecord.SessionRecord) => [[key, encode(record)] as const]
  })

export class WatchedStore extends Context.Tag("test/WatchedStore")<WatchedStore, WatchedStoreService>() {}

/** A watched store, and no sign-ins yet: the custody of a client. */
export const custodyOf = ({ service }: WatchedStoreService) =>
  Layer.merge(Layer.succeed(TokenStore.TokenStore, service), PendingAuthorizations.layerMemory)

/** The watched store as the store of a client. */
export const layerTokenStore: Layer.Layer<TokenStore.TokenStore, never, WatchedStore> = Layer.effect(
  TokenStore.TokenStore,
  Effect.map(WatchedStore, ({ service }) => service)
)
