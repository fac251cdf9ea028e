/**
 * What every store and every lease has to do, as laws that any adapter can be held against.
 *
 * A law is a value: a title, and an effect that fails with what was expected and what was seen. It knows no test runner.
 *
 * @example
 * import { StoreLaws } from "@effect-oauth2/core/testing"
 * import { TokenStore } from "@effect-oauth2/core"
 * import { Effect } from "effect"
 *
 * const laws = StoreLaws.tokenStore({
 *   storage: TokenStore.makeMemory,
 *   open: Effect.succeed
 * })
 *
 * // In a test file of @effect/vitest: for (const law of laws) it.scopedLive(law.title, () => law.check)
 * export const failures = Effect.forEach(laws, (law) => Effect.option(Effect.flip(Effect.scoped(law.check))))
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { PendingAuthorizationsService } from "../PendingAuthorizations.js"
import type { RefreshLeaseService } from "../RefreshLease.js"
import type { TokenStoreService } from "../TokenStore.js"
import type * as Internal from "./internal/law.js"
import * as Lease from "./internal/leaseLaws.js"
import * as Pending from "./internal/pendingLaws.js"
import * as Records from "./internal/recordLaws.js"
import * as Sharing from "./internal/sharingLaws.js"
import * as Telling from "./internal/tellingLaws.js"
import * as Token from "./internal/tokenStoreLaws.js"

/**
 * A law: its title begins with the ids of the requirements that it proves, and its check fails when it is broken.
 *
 * @since 0.1.0
 * @category models
 */
export interface Law {
  readonly title: string
  readonly check: Effect.Effect<void, unknown, Scope.Scope>
}

/**
 * What a store or a lease gives to be held against the laws. Each law has a storage of its own.
 *
 * @since 0.1.0
 * @category models
 */
export interface Adapter<Storage, Service> {
  /** Fresh, empty storage, until the scope closes: a database, a folder, a map. */
  readonly storage: Effect.Effect<Storage, unknown, Scope.Scope>
  /** Opens the storage, as another process would: a connection of its own. */
  readonly open: (storage: Storage) => Effect.Effect<Service, unknown, Scope.Scope>
  /** Whether several may have the storage open, one after the other and at once. Default: `true`. */
  readonly isShared?: boolean | undefined
  /**
   * How long a claim or lease is held where it has to run out: long enough for a few operations, short enough to wait
   * for. Default: 150 milliseconds.
   */
  readonly hold?: Duration.DurationInput | undefined
  /** How time passes. Default: `Effect.sleep`; under a test clock, `TestClock.adjust`. */
  readonly pass?: ((duration: Duration.Duration) => Effect.Effect<void>) | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface StoreAdapter<Storage, Service> extends Adapter<Storage, Service> {
  /** Makes unreadable what is stored under a key, behind the store's back. Absent: it cannot be damaged. */
  readonly corrupt?: ((storage: Storage, key: string) => Effect.Effect<void, unknown>) | undefined
  /** Makes what is stored under a key into what a later version of this library would write. Absent: it cannot. */
  readonly newer?: ((storage: Storage, key: string) => Effect.Effect<void, unknown>) | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface TokenStoreAdapter<Storage> extends StoreAdapter<Storage, TokenStoreService> {
  /** Whether the store has `idle`. Default: `true`. */
  readonly idle?: boolean | undefined
  /** Whether the store has `changes`. Default: `false`. */
  readonly changes?: boolean | undefined
}

/**
 * The laws of a `TokenStore`.
 *
 * @since 0.1.0
 * @category laws
 */
export const tokenStore = <Storage>(adapter: TokenStoreAdapter<Storage>): ReadonlyArray<Law> =>
  lawsOf(adapter, [
    ...Token.laws,
    ...Records.laws,
    ...Telling.nature({ idle: adapter.idle ?? true, changes: adapter.changes ?? false }),
    ...(adapter.idle === false ? [] : Telling.idle),
    ...(adapter.changes === true ? Telling.changes : []),
    ...(adapter.changes === true && isShared(adapter) ? Telling.sharedChanges : []),
    ...(isShared(adapter) ? Sharing.laws : []),
    ...(adapter.corrupt === undefined ? [] : Records.corrupt),
    ...(adapter.newer === undefined ? [] : Records.newer)
  ])

/**
 * The laws of `PendingAuthorizations`.
 *
 * @since 0.1.0
 * @category laws
 */
export const pendingAuthorizations = <Storage>(
  adapter: StoreAdapter<Storage, PendingAuthorizationsService>
): ReadonlyArray<Law> =>
  lawsOf(adapter, [
    ...Pending.laws,
    ...(isShared(adapter) ? Pending.shared : []),
    ...(adapter.corrupt === undefined ? [] : Pending.corrupt),
    ...(adapter.newer === undefined ? [] : Pending.newer)
  ])

/**
 * The laws of a `RefreshLease`.
 *
 * @since 0.1.0
 * @category laws
 */
export const refreshLease = <Storage>(adapter: Adapter<Storage, RefreshLeaseService>): ReadonlyArray<Law> =>
  lawsOf(adapter, [...Lease.laws, ...(isShared(adapter) ? Lease.shared : [])])

const isShared = <Storage, Service>({ isShared = true }: Adapter<Storage, Service>): boolean => isShared

const lawsOf = <Storage, Service>(
  adapter: StoreAdapter<Storage, Service>,
  laws: ReadonlyArray<Internal.LawOf<Service>>
): ReadonlyArray<Law> => laws.map(({ check, title }) => ({ title, check: Effect.flatMap(worldOf(adapter), check) }))

const worldOf = <Storage, Service>(
  { corrupt, hold = 150, newer, open, pass = Effect.sleep, storage }: StoreAdapter<Storage, Service>
): Effect.Effect<Internal.World<Service>, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const here = yield* storage
    return {
      service: yield* open(here),
      another: open(here),
      hold: Duration.decode(hold),
      pass: (holds) => pass(Duration.times(Duration.decode(hold), holds)),
      corrupt: (key) => corrupt?.(here, key) ?? Effect.void,
      newer: (key) => newer?.(here, key) ?? Effect.void
    }
  })
