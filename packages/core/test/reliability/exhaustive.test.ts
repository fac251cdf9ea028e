/**
 * Every order in which three processes, a store and a server can do what they do, up to a bound, with a process killed, a
 * process frozen, and an answer lost at any time. The store's rules are the real ones; processes and server are models
 * of what `Renewal` and a server with rotation do.
 */
import { type SessionRecord, TokenStore } from "@effect-oauth2/core"
import { assert, describe, it } from "@effect/vitest"

const processes = 3
/** In ticks: a claim lasts for so long, and a request, its write included, takes less. */
const hold = 3
const requestDeadline = 1
const spare = hold - requestDeadline - 1

interface Bound {
  readonly ticks: number
  readonly kills: number
  readonly freezes: number
  readonly losses: number
  readonly renewals: number
}

type Mode = "strict" | "grace"

/** What a process is doing. `token` is the refresh token that it presents, `next` the one that it was given. */
type Phase =
  | { readonly at: "idle" }
  | { readonly at: "read"; readonly generation: number; readonly token: number }
  | { readonly at: "begun"; readonly claim: TokenStore.Claim; readonly token: number; readonly asked: number }
  | { readonly at: "sent"; readonly claim: TokenStore.Claim; readonly token: number; readonly since: number }
  | { readonly at: "granted"; readonly claim: TokenStore.Claim; readonly token: number; readonly next: number }
  | { readonly at: "refused"; readonly claim: TokenStore.Claim; readonly token: number }

interface Process {
  readonly phase: Phase
  readonly frozen: boolean
  /** The newest generation that it has used a token of. */
  readonly seen: number
}

type Stored = SessionRecord.SessionRecord & { readonly refresh: number }

interface World {
  readonly now: number
  readonly store: Stored
  readonly server: { readonly live: number; readonly issued: number; readonly revoked: boolean }
  readonly processes: ReadonlyArray<Process>
  readonly left: Omit<Bound, "ticks">
}

const idle: Phase = { at: "idle" }

const start = ({ freezes, kills, losses, renewals }: Bound): World => ({
  now: 0,
  store: { version: 1, generation: 1, refresh: 1, state: { _tag: "Idle", unresolved: false } },
  server: { live: 1, issued: 1, revoked: false },
  processes: Array.from({ length: processes }, () => ({ phase: idle, frozen: false, seen: 1 })),
  left: { freezes, kills, losses, renewals }
})

const withProcess = (world: World, index: number, change: Partial<Process>): World => ({
  ...world,
  processes: world.processes.map((process, at) => at === index ? { ...process, ...change } : process)
})

const stored = (record: SessionRecord.SessionRecord | undefined) => record as Stored

/** What the server makes of a presented refresh token: its successor, or nothing. */
const redeemed = ({ server }: World, mode: Mode, token: number): readonly [World["server"], number | undefined] => {
  if (server.revoked) return [server, undefined]
  if (token !== server.live && mode === "strict") return [{ ...server, revoked: true }, undefined]
  const next = server.issued + 1
  return [{ live: next, issued: next, revoked: false }, next]
}

/** All that may happen next. */
const steps = (world: World, mode: Mode, bound: Bound): ReadonlyArray<readonly [what: string, World]> => {
  const found: Array<readonly [string, World]> = []
  const step = (what: string, next: World) => found.push([what, next])

  world.processes.forEach((process, index) => {
    const { frozen, phase } = process
    const name = "ABC"[index]!
    const go = (what: string, change: Partial<Process>, rest: Partial<World> = {}) =>
      step(`${name} ${what}`, { ...withProcess(world, index, change), ...rest })
    if (phase.at === "sent") {
      // What is on its way arrives, whatever has become of who sent it
      const [server, next] = redeemed(world, mode, phase.token)
      const answered: Phase = next === undefined ? { ...phase, at: "refused" } : { ...phase, at: "granted", next }
      go("is answered", { phase: answered }, { server })
      if (world.left.losses > 0) {
        const left = { ...world.left, losses: world.left.losses - 1 }
        const released = release(world.store, phase.claim)
        go("loses the answer", { phase: idle }, { server, left, store: released })
        go("loses the request", { phase: idle }, { left, store: released })
      }
    }
    if (world.left.kills > 0 && phase.at !== "idle") {
      const left = { ...world.left, kills: world.left.kills - 1 }
      go("is killed", { phase: idle, frozen: false }, { left })
      if (phase.at === "sent") {
        const [server] = redeemed(world, mode, phase.token)
        go("is killed, and its request acted on", { phase: idle, frozen: false }, { left, server })
      }
    }
    if (frozen) return go("wakes up", { frozen: false })
    if (world.left.freezes > 0 && phase.at !== "idle" && phase.at !== "read") {
      go("is frozen", { frozen: true }, { left: { ...world.left, freezes: world.left.freezes - 1 } })
    }
    switch (phase.at) {
      case "idle":
        if (world.store.state._tag === "Dead") return
        if (world.left.renewals > 0) {
          go("reads", {
            seen: world.store.generation,
            phase: { at: "read", generation: world.store.generation, token: world.store.refresh }
          })
        }
        return
      case "read": {
        const claim = { generation: phase.generation, attempt: `${name}${world.now}.${world.server.issued}` }
        const outcome = TokenStore.begin(world.store, claim, world.now, hold)
        return outcome._tag === "Begun"
          ? go("begins", { phase: { at: "begun", claim, token: phase.token, asked: world.now } }, {
            store: stored(outcome.record)
          })
          : go("may not begin", { phase: idle })
      }
      case "begun":
        return world.now - phase.asked > spare
          ? go("has no time left", { phase: idle }, { store: release(world.store, phase.claim) })
          : go("asks", { phase: { ...phase, at: "sent", since: world.now } })
      case "granted": {
        const kept: Stored = {
          version: 1,
          generation: phase.claim.generation + 1,
          refresh: phase.next,
          state: { _tag: "Idle", unresolved: false }
        }
        return TokenStore.holds(world.store, phase.claim)
          ? go("commits", { phase: idle, seen: kept.generation }, {
            store: kept,
            left: { ...world.left, renewals: world.left.renewals - 1 }
          })
          : go("comes too late", { phase: idle })
      }
      case "refused": {
        if (world.store.generation !== phase.claim.generation || !TokenStore.holds(world.store, phase.claim)) {
          return go("adopts", { phase: idle })
        }
        const unresolved = world.store.state._tag === "Redeeming" && world.store.state.unresolved
        return go("gives up", { phase: idle }, {
          store: {
            ...world.store,
            generation: phase.claim.generation + 1,
            state: { _tag: "Dead", reason: unresolved ? "RotationOutcomeUnknown" : "InvalidGrant" }
          }
        })
      }
      case "sent":
        return
    }
  })
  // Who is awake keeps to its deadlines: time does not pass over a request that should have ended, or a write
  const isHeldUp = world.processes.some(({ frozen, phase }) =>
    !frozen && (phase.at === "granted" || phase.at === "refused" ||
      (phase.at === "sent" && world.now - phase.since >= requestDeadline))
  )
  if (!isHeldUp && world.now < bound.ticks) step("time passes", { ...world, now: world.now + 1 })
  return found
}

const release = (store: Stored, claim: TokenStore.Claim): Stored =>
  TokenStore.holds(store, claim) ? { ...store, state: { _tag: "Idle", unresolved: true } } : store

/** What may never be so, in a world or from one to the next. */
const violation = (before: World, after: World, bound: Bound): string | undefined => {
  const sent = after.processes.flatMap(({ phase }) => phase.at === "sent" ? [phase] : [])
  const valid = sent.filter(({ claim }) =>
    TokenStore.holds(after.store, claim) && after.store.state._tag === "Redeeming" &&
    after.now < after.store.state.until
  )
  if (valid.length > 1) return "two redeem at a time, each with a claim that holds"
  const isDisturbed = bound.freezes > 0 || bound.kills > 0
  if (!isDisturbed && sent.length > 1) return "two redeem at a time, and nobody was killed or frozen"
  if (after.store.generation < before.store.generation) return "a generation went back"
  if (after.processes.some(({ seen }) => seen > after.store.generation)) return "a token was used before its commit"
  if (before.store.state._tag === "Dead" && after.store !== before.store) return "what was dead came back"
  if (after.store.state._tag === "Dead" && bound.freezes + bound.kills + bound.losses === 0) return "died of nothing"
  return undefined
}

/** Visits every world once, and tells how many there are. */
const explore = (mode: Mode, bound: Bound): { readonly worlds: number; readonly dead: ReadonlySet<string> } => {
  const first = start(bound)
  const visited = new Set([keyOf(first)])
  let frontier: ReadonlyArray<World> = [first]
  const dead = new Set<string>()
  while (frontier.length > 0) {
    const next: Array<World> = []
    for (const world of frontier) {
      for (const [what, after] of steps(world, mode, bound)) {
        const problem = violation(world, after, bound)
        if (problem !== undefined) assert.fail(`${problem}: ${what}, from ${keyOf(world)}`)
        if (after.store.state._tag === "Dead") dead.add(after.store.state.reason)
        const key = keyOf(after)
        if (visited.has(key)) continue
        visited.add(key)
        next.push(after)
      }
    }
    frontier = next
  }
  return { worlds: visited.size, dead }
}

/** Everything that a world is, in few characters: there are many. */
const keyOf = ({ left, now, processes, server, store }: World): string => {
  const { state } = store
  const told = state._tag === "Idle"
    ? state.unresolved ? "?" : ""
    : state._tag === "Redeeming"
    ? `${state.attempt},${state.until},${state.unresolved ? "?" : ""}`
    : state.reason
  const each = processes.map(({ frozen, phase, seen }) =>
    `${frozen ? "*" : ""}${seen}${
      Object.values(phase).map((value: unknown) =>
        typeof value === "object" && value !== null ? Object.values(value).join() : String(value)
      ).join()
    }`
  )
  return [
    now,
    store.generation,
    store.refresh,
    state._tag,
    told,
    server.live,
    server.issued,
    server.revoked ? "!" : "",
    ...each,
    left.freezes,
    left.kills,
    left.losses,
    left.renewals
  ].join(";")
}

describe("R38 every order of what three processes can do", () => {
  const undisturbed: Bound = { ticks: 6, kills: 0, freezes: 0, losses: 0, renewals: 2 }

  it.each(["strict", "grace"] as const)("R38 undisturbed, at a %s server: nobody redeems beside another", (mode) => {
    const { dead, worlds } = explore(mode, undisturbed)
    assert.isAbove(worlds, 1_000)
    assert.strictEqual(dead.size, 0)
  })

  it.each(
    [
      ["a kill", { kills: 1 }],
      ["a freeze", { freezes: 1 }],
      ["a lost answer", { losses: 1 }],
      ["a kill and a lost answer", { kills: 1, losses: 1 }],
      ["a freeze and a kill", { freezes: 1, kills: 1 }]
    ] as const
  )(
    "R38 with %s at any time: no rule is broken, and a server with a grace window ends no session",
    (_, disturbance) => {
      const bound = { ...undisturbed, ticks: 5, renewals: 1, ...disturbance }
      const strict = explore("strict", bound)
      assert.isAbove(strict.worlds, 5_000)
      // What a strict server ends is always said to be of an unknown outcome
      assert.deepStrictEqual([...strict.dead], ["RotationOutcomeUnknown"])
      const grace = explore("grace", bound)
      assert.isAbove(grace.worlds, 5_000)
      assert.strictEqual(grace.dead.size, 0)
    }
  )

  it("R38 the exploration finds what is wrong: with holds that are shorter than requests, two redeem at a time", () => {
    const impatient = (world: World) => ({
      ...world,
      store: world.store.state._tag === "Redeeming"
        ? { ...world.store, state: { ...world.store.state, until: world.now } }
        : world.store
    })
    const first = start(undisturbed)
    let frontier: ReadonlyArray<World> = [first]
    let found: string | undefined
    for (let depth = 0; depth < 10 && found === undefined; depth++) {
      frontier = frontier.flatMap((world) =>
        steps(impatient(world), "strict", undisturbed).map(([, after]) => {
          found ??= violation(world, after, undisturbed)
          return after
        })
      ).slice(0, 5_000)
    }
    assert.strictEqual(found, "two redeem at a time, and nobody was killed or frozen")
  })
})
