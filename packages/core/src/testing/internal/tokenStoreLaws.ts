/** The laws of each operation of a token store, in every state of a record. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SessionRecord from "../../SessionRecord.js"
import { longestHold, type RenameOutcome, type TokenStoreService } from "../../TokenStore.js"
import { atOnce, holds, law, type LawOf, same, tally, type World } from "./law.js"
import { claim, fullRecord, record } from "./lawValues.js"

export type StoreLaw = LawOf<TokenStoreService>
export type StoreWorld = World<TokenStoreService>

/** Longer than any law takes. */
export const long = Duration.minutes(10)

export const stored = (store: TokenStoreService, key = "key") => Effect.map(store.get(key), Option.getOrUndefined)

/** A record of the first generation under "key". */
export const fill = ({ service }: StoreWorld) => service.replace("key", record(0, "first"))

/** A record apart from its generation, which may be another under another key. */
export const contentOf = (record: SessionRecord.SessionRecord | undefined) => record && { ...record, generation: 0 }

/** The first record while an attempt redeems it; `until` is the store's own. */
const beginAs = (store: TokenStoreService, attempt: string, hold: Duration.Duration, generation = 1, key = "key") =>
  store.begin(key, claim(attempt, generation), hold)

export const renamed: RenameOutcome = { _tag: "Renamed" }
const missing: RenameOutcome = { _tag: "Missing" }

const reading: ReadonlyArray<StoreLaw> = [
  law("R39 of nothing, nothing is read, removed or renamed", function*({ service }) {
    yield* same("get", yield* service.get("key"), Option.none())
    yield* same("remove", yield* service.remove("key"), Option.none())
    yield* same("rename", yield* service.rename("key", "other", long), missing)
    yield* service.release("key", claim("a"), { unresolved: true })
    yield* same("commit", yield* service.commit("key", claim("a"), record(2, "x")), { _tag: "Lost", record: undefined })
    yield* same("get afterwards", yield* service.get("key"), Option.none())
  }),
  law("R39 replace begins a session as the first generation, and gives back what it wrote", function*({ service }) {
    yield* same("replace", yield* service.replace("key", record(41, "first")), record(1, "first"))
    yield* same("get", yield* stored(service), record(1, "first"))
  }),
  law("R39 replace writes whatever was there, and the generation goes on by one", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* same("replace", yield* service.replace("key", record(0, "second")), record(2, "second"))
    yield* same("replace", yield* service.replace("key", record(99, "third")), record(3, "third"))
    yield* same("get", yield* stored(service), record(3, "third"))
  }),
  law("R39 replace ends a redemption under way: its result is lost", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* beginAs(service, "a", long)
    yield* service.replace("key", record(0, "second"))
    yield* same("commit", yield* service.commit("key", claim("a"), record(2, "x")), {
      _tag: "Lost",
      record: record(2, "second")
    })
    yield* same("get", yield* stored(service), record(2, "second"))
  }),
  law("R39 replace brings a dead session back, in a later generation", function*({ service }) {
    yield* service.replace("key", SessionRecord.dead(record(0, "x"), "InvalidGrant"))
    yield* same("replace", yield* service.replace("key", record(0, "second")), record(2, "second"))
    yield* same("begin", (yield* beginAs(service, "a", long, 2))._tag, "Begun")
  })
]

const beginning: ReadonlyArray<StoreLaw> = [
  law("R39 begin marks the record as redeeming, by whom and until when, and gives it back", function*(world) {
    const { service } = world
    yield* fill(world)
    const begun = yield* beginAs(service, "a", long)
    const found = yield* stored(service)
    const state = found?.state
    yield* holds("the state is Redeeming", state?._tag === "Redeeming", state)
    if (state?._tag !== "Redeeming") return
    yield* same("attempt and doubt", [state.attempt, state.unresolved], ["a", false])
    yield* holds("until is a time", Number.isFinite(state.until) && state.until > 0, state)
    yield* same("get", found, { ...record(1, "first"), state })
    yield* same("begin", begun, { _tag: "Begun", record: found })
  }),
  law(
    "R39 S61 while one attempt redeems, others and itself are told until when, and nothing changes",
    function*(world) {
      const { service } = world
      yield* fill(world)
      yield* beginAs(service, "a", long)
      const before = yield* stored(service)
      const until = before?.state._tag === "Redeeming" ? before.state.until : undefined
      yield* same("another's begin", yield* beginAs(service, "b", long), { _tag: "Busy", until })
      yield* same("its own begin", yield* beginAs(service, "a", long), { _tag: "Busy", until })
      yield* same("get", yield* stored(service), before)
    }
  ),
  law("R39 another generation than the one named is not redeemed, and is given back", function*(world) {
    const { service } = world
    yield* fill(world)
    const moved = { _tag: "Moved", record: record(1, "first") }
    for (const generation of [0, 2, 1_000_000]) {
      yield* same(`begin of ${generation}`, yield* beginAs(service, "a", long, generation), moved)
    }
    yield* beginAs(service, "a", long)
    const redeeming = yield* stored(service)
    yield* same("begin of 2", yield* beginAs(service, "b", long, 2), { _tag: "Moved", record: redeeming })
    yield* same("get", yield* stored(service), redeeming)
  }),
  law("R39 a session that is gone is not redeemed", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* service.remove("key")
    yield* same("begin", yield* beginAs(service, "a", long), { _tag: "Moved", record: undefined })
    yield* same("get", yield* service.get("key"), Option.none())
  }),
  law("R39 a dead session is not redeemed", function*({ service }) {
    const dead = yield* service.replace("key", SessionRecord.dead(record(0, "x"), "RotationOutcomeUnknown"))
    yield* same("begin", yield* beginAs(service, "a", long), { _tag: "Moved", record: dead })
    yield* same("get", yield* stored(service), dead)
  }),
  law("R39 a session that is not there yet is redeemed for as generation 0", function*({ service }) {
    const begun = yield* beginAs(service, "a", long, 0)
    const found = yield* stored(service)
    yield* same("begin", begun, { _tag: "Begun", record: found })
    yield* same("what is there meanwhile", [found?.generation, found?.token], [0, undefined])
    yield* same("another's begin", (yield* beginAs(service, "b", long, 0))._tag, "Busy")
    yield* same("begin of generation 1", (yield* beginAs(service, "b", long, 1))._tag, "Moved")
    yield* same("commit", yield* service.commit("key", claim("a", 0), record(1, "new")), { _tag: "Committed" })
    yield* same("get", yield* stored(service), record(1, "new"))
  }),
  law("R39 S61 of a hundred that begin at once, one begins", function*(world) {
    const { service } = world
    yield* fill(world)
    const outcomes = yield* atOnce(100, (index) => beginAs(service, `${index}`, long))
    yield* same("outcomes", tally(outcomes.map(({ _tag }) => _tag).sort()), { Begun: 1, Busy: 99 })
  }),
  law("R39 S61 of a hundred that begin a session at once, one begins", function*({ service }) {
    const outcomes = yield* atOnce(100, (index) => beginAs(service, `${index}`, long, 0))
    yield* same("outcomes", tally(outcomes.map(({ _tag }) => _tag).sort()), { Begun: 1, Busy: 99 })
  })
]

const takingOver: ReadonlyArray<StoreLaw> = [
  law("R12 R39 when the hold is over another takes over, and is told that the answer is unknown", function*(world) {
    const { hold, pass, service } = world
    yield* fill(world)
    yield* beginAs(service, "a", hold)
    yield* pass(1.2)
    const begun = yield* beginAs(service, "b", long)
    yield* same("begin", begun._tag, "Begun")
    const state = (yield* stored(service))?.state
    yield* same("who redeems, and the doubt", state && { ...state, until: 0 }, {
      _tag: "Redeeming",
      attempt: "b",
      until: 0,
      unresolved: true
    })
    yield* same("what begin gave back", begun._tag === "Begun" ? begun.record.state : undefined, state)
  }),
  law("R12 R39 S61 of many that take over at once, one does", function*(world) {
    const { hold, pass, service } = world
    yield* fill(world)
    yield* beginAs(service, "a", hold)
    yield* pass(1.2)
    const outcomes = yield* atOnce(50, (index) => beginAs(service, `${index}`, long))
    yield* same("outcomes", tally(outcomes.map(({ _tag }) => _tag).sort()), { Begun: 1, Busy: 49 })
  }),
  law("R12 R39 a session that was never begun to the end is taken over too", function*({ hold, pass, service }) {
    yield* beginAs(service, "a", hold, 0)
    yield* pass(1.2)
    const begun = yield* beginAs(service, "b", long, 0)
    yield* same("begin", begun._tag === "Begun" && begun.record.state._tag === "Redeeming" && begun.record.state, {
      _tag: "Redeeming",
      attempt: "b",
      until: begun._tag === "Begun" && begun.record.state._tag === "Redeeming" ? begun.record.state.until : 0,
      unresolved: true
    })
    yield* same("the first one's commit", (yield* service.commit("key", claim("a", 0), record(1, "a")))._tag, "Lost")
    yield* same("the second one's", (yield* service.commit("key", claim("b", 0), record(1, "b")))._tag, "Committed")
  }),
  law("R10 R39 what comes late after a takeover is lost, and overwrites nothing", function*(world) {
    const { hold, pass, service } = world
    yield* fill(world)
    yield* beginAs(service, "a", hold)
    yield* pass(1.2)
    yield* beginAs(service, "b", long)
    const taken = yield* stored(service)
    yield* same("the late commit", yield* service.commit("key", claim("a"), record(2, "late")), {
      _tag: "Lost",
      record: taken
    })
    yield* service.release("key", claim("a"), { unresolved: false })
    yield* same("get", yield* stored(service), taken)
    yield* same("the commit in time", yield* service.commit("key", claim("b"), record(2, "b")), { _tag: "Committed" })
    yield* same("a commit later yet", yield* service.commit("key", claim("a"), record(2, "late")), {
      _tag: "Lost",
      record: record(2, "b")
    })
    yield* same("get", yield* stored(service), record(2, "b"))
  }),
  law("R39 a claim whose time is up, but that nobody took over, still holds", function*(world) {
    const { hold, pass, service } = world
    yield* fill(world)
    yield* beginAs(service, "a", hold)
    yield* pass(1.5)
    yield* same("commit", yield* service.commit("key", claim("a"), record(2, "second")), { _tag: "Committed" })
  }),
  law("S61 R39 who holds for a shorter time takes nothing over from who holds for longer", function*(world) {
    const { hold, service } = world
    yield* fill(world)
    yield* beginAs(service, "a", Duration.millis(longestHold))
    yield* same("begin", (yield* beginAs(service, "b", hold))._tag, "Busy")
    yield* same("commit", yield* service.commit("key", claim("a"), record(2, "a")), { _tag: "Committed" })
  }),
  law("R29 R39 a time further ahead than the hold is a clock that was put back, and blocks nobody", function*(world) {
    const { hold, service } = world
    yield* fill(world)
    yield* beginAs(service, "a", long)
    yield* same("begin", (yield* beginAs(service, "b", hold))._tag, "Begun")
    yield* same("the first one's commit", (yield* service.commit("key", claim("a"), record(2, "x")))._tag, "Lost")
  })
]

const committing: ReadonlyArray<StoreLaw> = [
  law("R39 commit writes the next record, if the claim still holds, and once", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* beginAs(service, "a", long)
    yield* same("commit", yield* service.commit("key", claim("a"), record(2, "second")), { _tag: "Committed" })
    yield* same("get", yield* stored(service), record(2, "second"))
    yield* same("commit again", yield* service.commit("key", claim("a"), record(2, "third")), {
      _tag: "Lost",
      record: record(2, "second")
    })
    yield* same("get", yield* stored(service), record(2, "second"))
  }),
  law("R39 without a claim nothing is committed", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* same("commit", yield* service.commit("key", claim("a"), record(2, "x")), {
      _tag: "Lost",
      record: record(1, "first")
    })
    yield* same("get", yield* stored(service), record(1, "first"))
  }),
  law("R39 with another's claim, or one of another generation, nothing is committed", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* beginAs(service, "a", long)
    const before = yield* stored(service)
    for (const wrong of [claim("b"), claim("A"), claim("a "), claim(""), claim("a", 0), claim("a", 2)]) {
      yield* same(`commit of ${JSON.stringify(wrong)}`, yield* service.commit("key", wrong, record(2, "x")), {
        _tag: "Lost",
        record: before
      })
    }
    yield* same("get", yield* stored(service), before)
  }),
  law("R39 of a hundred that commit one claim at once, one commits", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* beginAs(service, "a", long)
    const outcomes = yield* atOnce(100, (index) => service.commit("key", claim("a"), record(2, `${index}`)))
    yield* same("outcomes", tally(outcomes.map(({ _tag }) => _tag).sort()), { Committed: 1, Lost: 99 })
    const winner = outcomes.findIndex(({ _tag }) => _tag === "Committed")
    yield* same("get", yield* stored(service), record(2, `${winner}`))
  }),
  law("R39 a session that was signed out meanwhile does not come back", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* beginAs(service, "a", long)
    yield* service.remove("key")
    yield* same("commit", yield* service.commit("key", claim("a"), record(2, "x")), { _tag: "Lost", record: undefined })
    yield* same("get", yield* service.get("key"), Option.none())
  }),
  law("R39 of a commit and a new sign-in at once, the sign-in stays", function*(world) {
    const { service } = world
    for (let round = 0; round < 10; round++) {
      const key = `key ${round}`
      yield* service.replace(key, record(0, "first"))
      yield* beginAs(service, "a", long, 1, key)
      const [committed, replaced] = yield* Effect.all([
        service.commit(key, claim("a"), record(2, "renewed")),
        service.replace(key, record(0, "signed-in"))
      ], { concurrency: 2 })
      yield* same("replace", replaced, record(committed._tag === "Committed" ? 3 : 2, "signed-in"))
      yield* same("get", yield* stored(service, key), replaced)
    }
  }),
  law("R39 no update is lost: of many that renew again and again, each finds its own in the count", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* atOnce(8, (index) => renewedBy(service, `${index}`))
    yield* same("generation", (yield* stored(service))?.generation, 1 + 8 * 3)
  })
]

/** Renews three times, however often others are in the way. */
export const renewedBy = (
  store: TokenStoreService,
  name: string,
  left = 3
): Effect.Effect<void, unknown> =>
  left === 0 ? Effect.void : Effect.gen(function*() {
    const generation = (yield* stored(store))?.generation ?? 0
    const begun = yield* store.begin("key", claim(`${name}-${left}`, generation), long)
    if (begun._tag !== "Begun") return yield* Effect.zipRight(Effect.yieldNow(), renewedBy(store, name, left))
    const next = record(generation + 1, name)
    const committed = yield* store.commit("key", claim(`${name}-${left}`, generation), next)
    yield* same(`commit of generation ${generation}`, committed._tag, "Committed")
    return yield* renewedBy(store, name, left - 1)
  })

const releasing: ReadonlyArray<StoreLaw> = [
  law("R39 release gives the claim back, with what is known of the answer", function*(world) {
    const { service } = world
    yield* fill(world)
    for (const unresolved of [true, false, true]) {
      yield* same("begin", (yield* beginAs(service, "a", long))._tag, "Begun")
      yield* service.release("key", claim("a"), { unresolved })
      yield* same("get", yield* stored(service), { ...record(1, "first"), state: { _tag: "Idle", unresolved } })
    }
  }),
  law("R23 R39 a pause that was left is kept, and told to who begins, and a sign-in may have one", function*(world) {
    const { service } = world
    yield* fill(world)
    const pause = { since: 1_767_225_600_123, delay: 1_500, askedFor: 0, failures: 3 }
    const paused = { _tag: "Idle", unresolved: false, pause } as const
    yield* beginAs(service, "a", long)
    yield* service.release("key", claim("a"), { unresolved: false, pause })
    yield* same("get after release", yield* stored(service), { ...record(1, "first"), state: paused })
    const begun = yield* beginAs(service, "b", long)
    yield* same("the pause that begin tells of", begun._tag === "Begun" && SessionRecord.pause(begun.record), pause)
    yield* service.release("key", claim("b"), { unresolved: false })
    yield* same("get after another release", yield* stored(service), record(1, "first"))
    yield* beginAs(service, "b", long)
    yield* service.commit("key", claim("b"), { ...record(2, "second"), state: paused })
    yield* same("get after commit", yield* stored(service), { ...record(2, "second"), state: paused })
    yield* service.replace("key", { ...record(0, "third"), state: paused })
    yield* same("get after replace", yield* stored(service), { ...record(3, "third"), state: paused })
    yield* service.replace("key", record(0, "fourth"))
    yield* same("get after another sign-in", yield* stored(service), record(4, "fourth"))
  }),
  law("R39 a doubt that was left is told to who begins next", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* beginAs(service, "a", long)
    yield* service.release("key", claim("a"), { unresolved: true })
    const begun = yield* beginAs(service, "b", long)
    yield* same(
      "the doubt",
      begun._tag === "Begun" && begun.record.state._tag === "Redeeming" && begun.record.state.unresolved,
      true
    )
  }),
  law("R39 what was given back is no claim any more", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* beginAs(service, "a", long)
    yield* service.release("key", claim("a"), { unresolved: false })
    yield* same("commit", (yield* service.commit("key", claim("a"), record(2, "x")))._tag, "Lost")
    yield* service.release("key", claim("a"), { unresolved: true })
    yield* same("get", yield* stored(service), record(1, "first"))
  }),
  law("R39 a claim that does not hold gives nothing back", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* beginAs(service, "a", long)
    const before = yield* stored(service)
    for (const wrong of [claim("b"), claim("A"), claim("a", 0), claim("a", 2)]) {
      yield* service.release("key", wrong, { unresolved: false })
    }
    yield* service.release("other", claim("a"), { unresolved: false })
    yield* same("get", yield* stored(service), before)
    yield* same("get of another", yield* service.get("other"), Option.none())
  }),
  law("R39 nothing is left of a session that was not there", function*({ service }) {
    yield* beginAs(service, "a", long, 0)
    yield* service.release("key", claim("a", 0), { unresolved: true })
    yield* same("get", yield* service.get("key"), Option.none())
    yield* same("begin", (yield* beginAs(service, "b", long, 0))._tag, "Begun")
  })
]

const removing: ReadonlyArray<StoreLaw> = [
  law("R39 remove gives back what it removes, once, and touches no other session", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* service.replace("other", record(0, "other"))
    yield* same("remove", yield* service.remove("key"), Option.some(record(1, "first")))
    yield* same("remove again", yield* service.remove("key"), Option.none())
    yield* same("get of another", yield* stored(service, "other"), record(1, "other"))
  }),
  law("R39 of many that remove at once, one gets the record", function*(world) {
    const { service } = world
    yield* fill(world)
    const removed = yield* atOnce(50, () => service.remove("key"))
    yield* same("how many got it", removed.filter(Option.isSome).length, 1)
  }),
  law("R39 a session that is being renewed can be removed, with what it held", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* beginAs(service, "a", long)
    const before = yield* stored(service)
    yield* same("remove", yield* service.remove("key"), Option.fromNullable(before))
    yield* same("get", yield* service.get("key"), Option.none())
  })
]

const renaming: ReadonlyArray<StoreLaw> = [
  law("R39 rename moves a session with all it holds, and tells when there is none", function*({ service }) {
    yield* service.replace("key", fullRecord(0))
    yield* same("rename", yield* service.rename("key", "other", long), renamed)
    yield* same("get of the old key", yield* service.get("key"), Option.none())
    yield* same("get of the new key", yield* stored(service, "other"), fullRecord(1))
    yield* same("rename again", yield* service.rename("key", "other", long), missing)
    yield* same("get of the new key", yield* stored(service, "other"), fullRecord(1))
  }),
  law("R39 rename writes over whatever was there", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* service.replace("other", record(0, "other"))
    yield* service.replace("other", record(0, "another"))
    yield* same("rename", yield* service.rename("key", "other", long), renamed)
    yield* same("get of the old key", yield* service.get("key"), Option.none())
    yield* same("get of the new key", contentOf(yield* stored(service, "other")), contentOf(record(1, "first")))
  }),
  law("R39 rename writes over a session that is being redeemed: its result is lost", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* service.replace("other", record(0, "other"))
    yield* beginAs(service, "a", long, 1, "other")
    yield* same("rename", yield* service.rename("key", "other", long), renamed)
    yield* same("commit", (yield* service.commit("other", claim("a"), record(2, "x")))._tag, "Lost")
    yield* same("get", contentOf(yield* stored(service, "other")), contentOf(record(1, "first")))
  }),
  law("R39 a session renamed to its own key is as it was", function*(world) {
    const { service } = world
    yield* fill(world)
    yield* same("rename", yield* service.rename("key", "key", long), renamed)
    yield* same("get", yield* stored(service), record(1, "first"))
    yield* same("rename of nothing", yield* service.rename("none", "none", long), missing)
  }),
  law("S61 R39 a session that is being redeemed is not moved, and the result holds", function*(world) {
    const { hold, service } = world
    for (const [held, usual] of [[Duration.millis(longestHold), hold], [long, long]] as const) {
      yield* service.remove("key")
      yield* fill(world)
      yield* beginAs(service, "a", held)
      const before = yield* stored(service)
      const until = before?.state._tag === "Redeeming" ? before.state.until : undefined
      yield* same("rename", yield* service.rename("key", "other", usual), { _tag: "Busy", until })
      yield* same("get of the old key", yield* stored(service), before)
      yield* same("get of the new key", yield* service.get("other"), Option.none())
      const committed = yield* service.commit("key", claim("a"), record(2, "second"))
      yield* same("commit", committed, { _tag: "Committed" })
      yield* same("rename afterwards", yield* service.rename("key", "other", usual), renamed)
      const moved = yield* service.remove("other")
      yield* same("what is moved", contentOf(Option.getOrUndefined(moved)), contentOf(record(2, "second")))
    }
  }),
  law("S61 R39 of a rename and a redemption that begin at once, one does", function*({ hold, service }) {
    for (let round = 0; round < 10; round++) {
      const [from, to] = [`from ${round}`, `to ${round}`]
      yield* service.replace(from, record(0, "first"))
      const [outcome, begun] = yield* Effect.all([
        service.rename(from, to, hold),
        Effect.zipRight(
          Effect.replicateEffect(Effect.yieldNow(), round % 3),
          beginAs(service, "a", Duration.millis(longestHold), 1, from)
        )
      ], { concurrency: 2 })
      const isBegun = begun._tag === "Begun"
      yield* same("rename", outcome._tag, isBegun ? "Busy" : "Renamed")
      const committed = yield* service.commit(from, claim("a"), record(2, "second"))
      yield* same("commit", committed._tag, isBegun ? "Committed" : "Lost")
      const there = yield* stored(service, isBegun ? from : to)
      yield* same("get", contentOf(there), contentOf(record(1, isBegun ? "second" : "first")))
    }
  }),
  law("R12 R39 a session whose redeemer's time is up is moved with the claim, and the doubt", function*(world) {
    const { hold, pass, service } = world
    for (const next of ["late", "taken over"] as const) {
      yield* service.remove("other")
      yield* service.replace("key", record(0, "first"))
      yield* beginAs(service, "a", hold)
      yield* pass(1.2)
      yield* same("rename", yield* service.rename("key", "other", hold), renamed)
      const lost = yield* service.commit("key", claim("a"), record(2, "x"))
      yield* same("commit by the old key", lost, { _tag: "Lost", record: undefined })
      yield* same("get of the old key", yield* service.get("key"), Option.none())
      if (next === "late") {
        const committed = yield* service.commit("other", claim("a"), record(2, "second"))
        yield* same("commit by the new key", committed, { _tag: "Committed" })
      } else {
        const begun = yield* beginAs(service, "b", long, 1, "other")
        yield* same("the doubt", begun._tag === "Begun" && SessionRecord.isUnresolved(begun.record), true)
      }
    }
  }),
  law("R39 a doubt and a pause that were left go along with a rename", function*(world) {
    const { service } = world
    yield* fill(world)
    const left = { unresolved: true, pause: { since: 1_767_225_600_123, delay: 1_500, askedFor: 0, failures: 3 } }
    yield* beginAs(service, "a", long)
    yield* service.release("key", claim("a"), left)
    yield* same("rename", yield* service.rename("key", "other", long), renamed)
    yield* same("get", contentOf(yield* stored(service, "other")), {
      ...contentOf(record(1, "first")),
      state: { _tag: "Idle", ...left }
    })
  }),
  law("R29 R39 a time further ahead than any hold is a clock that was put back, and keeps nobody", function*(world) {
    const { hold, service } = world
    yield* fill(world)
    yield* beginAs(service, "a", long)
    yield* same("rename", yield* service.rename("key", "other", hold), renamed)
    yield* same("get of the old key", yield* service.get("key"), Option.none())
  }),
  law("R39 a dead session is moved", function*({ service }) {
    const dead = yield* service.replace("key", SessionRecord.dead(record(0, "x"), "InvalidGrant"))
    yield* same("rename", yield* service.rename("key", "other", long), renamed)
    yield* same("get of the old key", yield* service.get("key"), Option.none())
    yield* same("get of the new key", contentOf(yield* stored(service, "other")), contentOf(dead))
  }),
  law("R39 of many that rename one session at once, one does, and it is there once", function*(world) {
    const { service } = world
    yield* fill(world)
    const outcomes = yield* atOnce(20, (index) => service.rename("key", `other ${index}`, long))
    const did = outcomes.map(({ _tag }) => _tag === "Renamed")
    yield* same("how many did", did.filter((did) => did).length, 1)
    const found = yield* atOnce(20, (index) => service.get(`other ${index}`))
    yield* same("where it is", found.map(Option.isSome), did)
  }),
  law("R39 two sessions renamed to each other's key at once are not mixed", function*({ service }) {
    for (let round = 0; round < 10; round++) {
      yield* service.replace("one", record(0, "one"))
      yield* service.replace("two", record(0, "two"))
      const there = service.rename("one", "two", long)
      const back = service.rename("two", "one", long)
      yield* Effect.all([there, back], { concurrency: 2 })
      const left = [yield* service.remove("one"), yield* service.remove("two")].filter(Option.isSome).length
      yield* holds("one session is left, or both", left === 1 || left === 2, left)
    }
  })
]

export const laws: ReadonlyArray<StoreLaw> = [
  ...reading,
  ...beginning,
  ...takingOver,
  ...committing,
  ...releasing,
  ...removing,
  ...renaming
]
