/**
 * The sessions of one client as they are held in memory, and the rules of what may be served when.
 *
 * @since 0.1.0
 */
import type { Deferred } from "effect/Deferred"
import type { Effect } from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { OAuth2Error, StoreError } from "./OAuth2Error.js"
import * as RefreshPolicy from "./RefreshPolicy.js"
import * as SessionRecord from "./SessionRecord.js"
import type { Token } from "./Token.js"

/**
 * A token and the generation of the session that it belongs to.
 *
 * @since 0.1.0
 * @category models
 */
export interface Held {
  readonly generation: number
  readonly token: Token
}

/**
 * A write to the store; what the store holds afterwards.
 *
 * @since 0.1.0
 * @category models
 */
export type Write = Effect<SessionRecord.SessionRecord | undefined, StoreError>

/**
 * One session in memory.
 *
 * @since 0.1.0
 * @category models
 */
export interface Cell {
  readonly sessionKey: string
  record: SessionRecord.SessionRecord | undefined
  /** Before this instant the token is served without a look at anything else. */
  freshUntil: number
  loadedAt: number
  lastUsed: number
  /** How many are at work on it: it is not forgotten under their hands. */
  users: number
  /** The renewal in the air, if any. */
  flight: Deferred<Held, OAuth2Error> | undefined
  /** There only when something went wrong. */
  trouble: Trouble | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Trouble {
  readonly pause?: RefreshPolicy.Pause | undefined
  /** When a resource's 401 last asked for a renewal. */
  readonly rejectedAt?: number | undefined
  /** What a sign-out was to remove, whose answer did not come: the store may have removed it. */
  readonly removing?: SessionRecord.SessionRecord | undefined
  /** The store is behind what is held here. */
  readonly unsaved?: Unsaved | undefined
}

/**
 * A record that could not be written yet.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unsaved {
  readonly record: SessionRecord.SessionRecord
  readonly write: Write
  /** Is told what stands in the store instead, when that is somebody else's. */
  readonly onLost: ((kept: SessionRecord.SessionRecord | undefined) => void) | undefined
}

/**
 * What a renewal is for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Need {
  /** This one is not good enough: a resource refused it, or the program wants another. */
  readonly otherThan: Token | undefined
  /** Whether a token that is due to be renewed will do. */
  readonly mayBeDue: boolean
  /** Whether a resource refused that one, so that it serves no more, whatever is said of its end. */
  readonly isRefused: boolean
}

/**
 * Any token that can be presented: somebody waits for it.
 *
 * @since 0.1.0
 * @category constants
 */
export const anyToken: Need = { otherThan: undefined, mayBeDue: true, isRefused: false }

/**
 * A token that lasts for longer, which nobody waits for.
 *
 * @since 0.1.0
 * @category constants
 */
export const laterToken: Need = { otherThan: undefined, mayBeDue: false, isRefused: false }

/**
 * Another token than the one that is held.
 *
 * @since 0.1.0
 * @category constructors
 */
export const otherToken = (token: Token): Need => ({ otherThan: token, mayBeDue: true, isRefused: false })

/**
 * Another token than the one that is held: a resource refused that.
 *
 * @since 0.1.0
 * @category constructors
 */
export const insteadOf = (refused: Token): Need => ({ otherThan: refused, mayBeDue: true, isRefused: true })

/**
 * @since 0.1.0
 * @category models
 */
export interface SessionMemory {
  readonly cells: ReadonlyMap<string, Cell>
  /** The token if it is fresh: the one look that every authorized request takes. */
  readonly peek: (sessionKey: string, now: number) => Held | undefined
  /** How many sessions were not renewed since an attempt to do so failed. */
  readonly failing: () => number
  /** The session's cell, an empty one if need be. */
  readonly cell: (sessionKey: string, now: number) => Cell
  /** Forgets the session and its trouble. A flight that is still in the air ends on a cell that nobody looks at. */
  readonly forget: (cell: Cell) => void
  readonly setTrouble: (cell: Cell, trouble: Trouble | undefined) => void
  /** Ends a time of trouble. The limit on renewals that a 401 asks for outlasts it. */
  readonly recovered: (cell: Cell) => void
  /** Takes a record as what is held from now on. */
  readonly hold: (cell: Cell, record: SessionRecord.SessionRecord | undefined, now: number) => void
  /** The record's token if it can be presented now and meets the need. */
  readonly usable: (record: SessionRecord.SessionRecord | undefined, now: number, need: Need) => Held | undefined
  /** Whether anything could be sent to renew the session. */
  readonly isRenewable: (record: SessionRecord.SessionRecord | undefined) => boolean
  /** Until when no attempt may be made to meet the need, in epoch milliseconds, or `undefined`. */
  readonly blockedUntil: (cell: Cell, now: number, need: Need) => number | undefined
  /** Whether a token that is still served should be renewed now. */
  readonly isDue: (cell: Cell, now: number) => boolean
  /** Whether the store has to be asked before anything is served. */
  readonly mustReload: (cell: Cell, now: number) => boolean
  /** Forgets what was not used for the policy's time. */
  readonly forgetIdle: (now: number) => void
}

/**
 * `canRerun`: the grant can be run again. `isShared`: others write to the store.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly policy: RefreshPolicy.RefreshPolicy
  readonly canRerun: boolean
  readonly isShared: boolean
}): SessionMemory => {
  const { canRerun, isShared, policy } = options
  const cells = new Map<string, Cell>()
  let failing = 0

  const isKept = (cell: Cell): boolean => cells.get(cell.sessionKey) === cell

  const setTrouble = (cell: Cell, trouble: Trouble | undefined): void => {
    if (isKept(cell)) failing += Number(trouble?.pause !== undefined) - Number(cell.trouble?.pause !== undefined)
    cell.trouble = trouble
  }

  const recovered = (cell: Cell): void => {
    const { rejectedAt, unsaved } = cell.trouble ?? {}
    setTrouble(cell, rejectedAt === undefined && unsaved === undefined ? undefined : { rejectedAt, unsaved })
  }

  const forget = (cell: Cell): void => {
    setTrouble(cell, undefined)
    if (isKept(cell)) cells.delete(cell.sessionKey)
  }

  const usableUntil = (record: SessionRecord.SessionRecord | undefined): number =>
    record?.token === undefined ? -Infinity : RefreshPolicy.usableUntil(policy, record.token)

  const isRenewable = (record: SessionRecord.SessionRecord | undefined): boolean =>
    record?.state._tag !== "Dead" &&
    (canRerun || (record !== undefined && SessionRecord.refreshToken(record) !== undefined))

  const freshUntil = (record: SessionRecord.SessionRecord | undefined, sessionKey: string, now: number): number => {
    if (record?.token === undefined) return -Infinity
    const until = isRenewable(record)
      ? RefreshPolicy.renewAt(policy, record.token, sessionKey)
      : usableUntil(record)
    return isShared ? Math.min(until, now + policy.revalidateAfter) : until
  }

  /** A strict server is not asked a second time while the answer that it gave before still serves, if that has an end. */
  const blockedUntil = (cell: Cell, now: number, need: Need): number | undefined => {
    const { record } = cell
    const until = usableUntil(record)
    const serves = now <= until && until < Infinity && !isRefused(record, need)
    return serves && policy.rotation === "strict" && isUnresolved(record)
      ? until
      : RefreshPolicy.pausedUntil(cell.trouble?.pause, now, until)
  }

  return {
    cells,
    peek: (sessionKey, now) => {
      const cell = cells.get(sessionKey)
      if (cell === undefined || now >= cell.freshUntil) return undefined
      cell.lastUsed = now
      return cell.record as Held
    },
    cell: (sessionKey, now) => {
      const cell = cells.get(sessionKey) ?? emptyCell(sessionKey)
      cells.set(sessionKey, cell)
      cell.lastUsed = now
      return cell
    },
    failing: () => failing,
    forget,
    setTrouble,
    recovered,
    hold: (cell, record, now) => {
      cell.record = record
      cell.loadedAt = now
      cell.freshUntil = freshUntil(record, cell.sessionKey, now)
    },
    usable: (record, now, need) =>
      record?.token !== undefined && now <= usableUntil(record) && !isSameToken(record.token, need.otherThan)
        ? record as Held
        : undefined,
    isRenewable,
    blockedUntil,
    isDue: (cell, now) =>
      now >= cell.freshUntil && isRenewable(cell.record) && cell.trouble?.unsaved === undefined &&
      blockedUntil(cell, now, laterToken) === undefined,
    mustReload: (cell, now) =>
      isShared && cell.trouble?.unsaved === undefined && !(now - cell.loadedAt < policy.revalidateAfter),
    forgetIdle: (now) => {
      for (const cell of cells.values()) {
        const isIdle = cell.flight === undefined && cell.users === 0 && cell.trouble?.unsaved === undefined &&
          now - cell.lastUsed > policy.idleTimeToLive
        if (isIdle) forget(cell)
      }
    }
  }
}

/**
 * Whether two tokens are the same to a resource.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSameToken = (token: Token, that: Token | undefined): boolean =>
  that !== undefined && Redacted.value(token.accessToken) === Redacted.value(that.accessToken)

/**
 * Whether something newer was written since then, such as a new sign-in: the answer to that may come before the answer
 * to what was written earlier.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isOvertaken = (
  { record }: Cell,
  before: SessionRecord.SessionRecord | undefined,
  written: SessionRecord.SessionRecord | undefined
): boolean => record !== undefined && record !== before && record.generation > (written?.generation ?? 0)

const isRefused = (record: SessionRecord.SessionRecord | undefined, { isRefused, otherThan }: Need): boolean =>
  isRefused && record?.token !== undefined && isSameToken(record.token, otherThan)

const isUnresolved = (record: SessionRecord.SessionRecord | undefined): boolean =>
  record !== undefined && SessionRecord.refreshToken(record) !== undefined &&
  (record.state._tag === "Redeeming" || (record.state._tag === "Idle" && record.state.unresolved))

const emptyCell = (sessionKey: string): Cell => ({
  sessionKey,
  record: undefined,
  freshUntil: -Infinity,
  loadedAt: -Infinity,
  lastUsed: -Infinity,
  users: 0,
  flight: undefined,
  trouble: undefined
})
