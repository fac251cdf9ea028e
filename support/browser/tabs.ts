/** Tabs of one profile that use one session, whatever page they show: all that a test has to know of a page is here. */
import * as Effect from "effect/Effect"
import type { AuthorizationServer } from "./authorizationServer.js"

/** A page as it is used: by its program, or by its buttons. */
export interface Driver<Tab, R = never> {
  /** One more tab, beside those that there are. */
  readonly open: Effect.Effect<Tab, never, R>
  readonly signIn: (tab: Tab) => Effect.Effect<void>
  /** So many calls of the API at once, and what came of them. */
  readonly call: (tab: Tab, times: number) => Effect.Effect<Counted>
}

export interface Counted {
  readonly answered: number
  /** What each of the others failed with. */
  readonly failed: ReadonlyArray<string>
}

/** What came of calls, each as its status or as the name of what went wrong. */
export const counted = (outcomes: ReadonlyArray<string>): Counted => {
  const failed = outcomes.filter((outcome) => outcome !== "200")
  return { answered: outcomes.length - failed.length, failed }
}

export interface Options {
  readonly tabs: number
  /** Of each tab, at once. */
  readonly calls: number
  readonly expiries: number
  /** Life of an access token, in seconds. */
  readonly tokenSeconds: number
  /** What keeps the machine busy waits for its turn: a token must not run out while it is used. */
  readonly turn: Effect.Semaphore
}

export interface Round {
  readonly answered: number
  readonly failed: ReadonlyArray<string>
  readonly refreshes: number
}

/** All tabs call at once. */
export const callAll = <Tab>(
  driver: Pick<Driver<Tab>, "call">,
  tabs: ReadonlyArray<Tab>,
  calls: number
): Effect.Effect<Counted> =>
  Effect.map(
    Effect.forEach(tabs, (tab) => driver.call(tab, calls), { concurrency: "unbounded" }),
    (counts) => ({
      answered: counts.reduce((sum, { answered }) => sum + answered, 0),
      failed: counts.flatMap(({ failed }) => failed)
    })
  )

export const refreshes = ({ seen }: AuthorizationServer): number =>
  seen.tokenRequests.filter(({ grantType }) => grantType === "refresh_token").length

/** So many tabs of one session, whose token was just issued. */
export const signedIn = <Tab, R>(
  driver: Driver<Tab, R>,
  tabs: number
): Effect.Effect<ReadonlyArray<Tab>, never, R> =>
  Effect.gen(function*() {
    const opened = yield* Effect.replicateEffect(driver.open, tabs)
    yield* driver.signIn(opened[0]!)
    return opened
  })

/**
 * All open, one signs in, and each time that the token has run out all call at once. What the server was asked for
 * meanwhile is counted at its door.
 */
export const rounds = <Tab, R>(
  driver: Driver<Tab, R>,
  server: AuthorizationServer,
  { calls, expiries, tabs, tokenSeconds, turn }: Options
): Effect.Effect<ReadonlyArray<Round>, never, R> =>
  Effect.gen(function*() {
    const opened = yield* turn.withPermits(1)(signedIn(driver, tabs))
    const round = Effect.gen(function*() {
      yield* Effect.sleep(tokenSeconds * 1_000 + 100)
      const before = refreshes(server)
      const counted = yield* turn.withPermits(1)(callAll(driver, opened, calls))
      return { ...counted, refreshes: refreshes(server) - before }
    })
    // What came too late to be counted in its round is still seen at the server's door
    return yield* Effect.zipLeft(Effect.replicateEffect(round, expiries), Effect.sleep(500))
  })
