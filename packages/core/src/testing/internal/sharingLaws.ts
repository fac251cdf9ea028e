/** The laws of several handles on one storage: each is another process. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { atOnce, law, same, tally } from "./law.js"
import { claim, fullRecord, record } from "./lawValues.js"
import { contentOf, fill, long, renamed, renewedBy, stored, type StoreLaw } from "./tokenStoreLaws.js"

export const laws: ReadonlyArray<StoreLaw> = [
  law("R39 what one handle wrote, another sees at once", function*(world) {
    const { service } = world
    const other = yield* world.another
    yield* fill(world)
    yield* same("get after replace", yield* stored(other), record(1, "first"))
    yield* service.begin("key", claim("a"), long)
    yield* same("begin after begin", (yield* other.begin("key", claim("b"), long))._tag, "Busy")
    yield* service.commit("key", claim("a"), record(2, "second"))
    yield* same("get after commit", yield* stored(other), record(2, "second"))
    yield* other.rename("key", "other", long)
    yield* same("get after rename", [yield* stored(service), contentOf(yield* stored(service, "other"))], [
      undefined,
      contentOf(record(2, "second"))
    ])
    yield* other.remove("other")
    yield* same("get after remove", yield* service.get("other"), Option.none())
  }),
  law("S61 R39 what one handle redeems, another does not move", function*(world) {
    const other = yield* world.another
    yield* fill(world)
    yield* world.service.begin("key", claim("a"), long)
    yield* same("rename", (yield* other.rename("key", "other", long))._tag, "Busy")
    const committed = yield* world.service.commit("key", claim("a"), record(2, "second"))
    yield* same("commit", committed, { _tag: "Committed" })
    yield* same("rename afterwards", yield* other.rename("key", "other", long), renamed)
    yield* same("get", contentOf(yield* stored(world.service, "other")), contentOf(record(2, "second")))
  }),
  law("R39 what a handle wrote is there when it is closed and the storage opened again", function*({ another }) {
    yield* Effect.scoped(Effect.flatMap(another, (store) => store.replace("key", fullRecord(0))))
    yield* Effect.scoped(Effect.flatMap(another, (store) => store.begin("key", claim("a"), long)))
    yield* Effect.scoped(Effect.flatMap(another, (store) => store.commit("key", claim("a"), fullRecord(2))))
    yield* same("get", yield* Effect.scoped(Effect.flatMap(another, (store) => stored(store))), fullRecord(2))
  }),
  law("R39 S61 of many handles that begin at once, one begins", function*(world) {
    yield* fill(world)
    const handles = [world.service, ...yield* Effect.replicateEffect(world.another, 3)]
    for (let generation = 1; generation <= 5; generation++) {
      const outcomes = yield* atOnce(
        40,
        (index) => handles[index % handles.length]!.begin("key", claim(`${index}`, generation), long)
      )
      yield* same("outcomes", tally(outcomes.map(({ _tag }) => _tag).sort()), { Begun: 1, Busy: 39 })
      const winner = `${outcomes.findIndex(({ _tag }) => _tag === "Begun")}`
      yield* world.service.commit("key", claim(winner, generation), record(generation + 1, winner))
    }
  }),
  law("R39 no update is lost between handles", function*(world) {
    yield* fill(world)
    const handles = [world.service, ...yield* Effect.replicateEffect(world.another, 3)]
    yield* atOnce(8, (index) => renewedBy(handles[index % handles.length]!, `${index}`))
    yield* same("generation", (yield* stored(world.service))?.generation, 1 + 8 * 3)
  }),
  law("R10 R12 R39 one handle takes over what another held, whose late result overwrites nothing", function*(world) {
    const { hold, pass, service } = world
    const other = yield* world.another
    yield* fill(world)
    yield* service.begin("key", claim("a"), hold)
    yield* pass(1.2)
    const begun = yield* other.begin("key", claim("b"), long)
    yield* same(
      "begin",
      begun._tag === "Begun" && begun.record.state._tag === "Redeeming" && begun.record.state.unresolved,
      true
    )
    yield* same("the late commit", (yield* service.commit("key", claim("a"), record(2, "late")))._tag, "Lost")
    yield* service.release("key", claim("a"), { unresolved: false })
    yield* same("the commit in time", yield* other.commit("key", claim("b"), record(2, "b")), { _tag: "Committed" })
    yield* same("get", yield* stored(service), record(2, "b"))
  }),
  law("R39 handles that sign in at once under one key each get a generation of their own", function*(world) {
    const handles = [world.service, ...yield* Effect.replicateEffect(world.another, 3)]
    const written = yield* atOnce(20, (index) => handles[index % handles.length]!.replace("key", record(0, `${index}`)))
    const generations = written.map(({ generation }) => generation).sort((a, b) => a - b)
    yield* same("generations", generations, Array.from({ length: 20 }, (_, index) => index + 1))
    yield* same("get", yield* stored(world.service), written.find(({ generation }) => generation === 20))
  })
]
