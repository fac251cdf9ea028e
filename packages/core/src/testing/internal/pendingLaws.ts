/** The laws of sign-ins under way. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { PendingAuthorizationsService } from "../../PendingAuthorizations.js"
import { atOnce, law, type LawOf, reasons, refused, same, tally } from "./law.js"
import { oddKeys, pending } from "./lawValues.js"

type PendingLaw = LawOf<PendingAuthorizationsService>

const soon = 600_000

const lasting = (state: string, life = soon) => Effect.map(Clock.currentTimeMillis, (now) => pending(state, now + life))

export const laws: ReadonlyArray<PendingLaw> = [
  law("R39 S14 under a state that nobody began there is nothing", function*({ service }) {
    yield* same("get", yield* service.get("state"), undefined)
    yield* same("isConsumed", yield* service.isConsumed("state"), false)
  }),
  law("R39 S14 what is put is found by its state, any number of times, with all its members", function*({ service }) {
    const full = yield* lasting("state")
    yield* service.put(full)
    yield* same("get", yield* service.get("state"), full)
    yield* same("get again", yield* service.get("state"), full)
    yield* same("isConsumed", yield* service.isConsumed("state"), false)
    const { resource: _, scope: __, ...bare } = yield* lasting("bare")
    yield* service.put(bare)
    yield* same("get of one without scope", yield* service.get("bare"), bare)
    const empty = { ...bare, state: "empty", scope: [], resource: [], sessionKey: "" }
    yield* service.put(empty)
    yield* same("get of one with an empty scope", yield* service.get("empty"), empty)
  }),
  law("R39 S14 a sign-in is used up once, and for good", function*({ service }) {
    const one = yield* lasting("state")
    yield* service.put(one)
    yield* service.consume(one)
    yield* refused("consume again", service.consume(one), "TransactionConsumed")
    yield* same("get", yield* service.get("state"), undefined)
    yield* same("isConsumed", yield* service.isConsumed("state"), true)
    yield* refused("consume later", service.consume(one), "TransactionConsumed")
  }),
  law("R39 S14 B408 a sign-in that the user agent carried is used up once all the same", function*({ service }) {
    const one = yield* lasting("state")
    yield* service.consume(one)
    yield* same("isConsumed", yield* service.isConsumed("state"), true)
    yield* same("get", yield* service.get("state"), undefined)
    yield* refused("consume again", service.consume(one), "TransactionConsumed")
  }),
  law("R39 S14 of fifty callbacks at once, one uses the sign-in up", function*({ service }) {
    const one = yield* lasting("state")
    yield* service.put(one)
    const outcomes = yield* atOnce(50, () => reasons(service.consume(one)))
    yield* same("outcomes", tally(outcomes.sort()), { TransactionConsumed: 49, done: 1 })
  }),
  law("R39 S14 of fifty callbacks at once with one carried sign-in, one uses it up", function*({ service }) {
    const one = yield* lasting("state")
    const outcomes = yield* atOnce(50, () => reasons(service.consume(one)))
    yield* same("outcomes", tally(outcomes.sort()), { TransactionConsumed: 49, done: 1 })
  }),
  law("R39 S14 who is late is told so, and uses nothing up", function*({ hold: _, pass, service }) {
    const late = yield* lasting("late", 1)
    yield* service.put(late)
    yield* pass(1)
    yield* refused("consume", service.consume(late), "TransactionExpired")
    yield* same("isConsumed", yield* service.isConsumed("late"), false)
    yield* refused(
      "consume of one that was carried",
      service.consume({ ...late, state: "carried" }),
      "TransactionExpired"
    )
    yield* same("isConsumed", yield* service.isConsumed("carried"), false)
  }),
  law("R39 S14 what was used up stays so after its time", function*({ pass, service }) {
    const now = yield* Clock.currentTimeMillis
    const one = pending("state", now + 60_000)
    yield* service.put(one)
    yield* service.consume(one)
    yield* pass(1)
    yield* refused("consume of it, expired", service.consume({ ...one, expiresAt: now }), "TransactionExpired")
    yield* same("isConsumed", yield* service.isConsumed("state"), true)
    yield* same("get", yield* service.get("state"), undefined)
  }),
  law("R39 S14 sign-ins under way do not meddle with each other, whatever is in their states", function*({ service }) {
    const all = yield* Effect.forEach(oddKeys, (key) => lasting(key))
    yield* Effect.forEach(all, (one) => service.put(one))
    for (const [index, one] of all.entries()) {
      yield* same(`get of ${JSON.stringify(one.state.slice(0, 20))}`, yield* service.get(one.state), one)
      if (index % 2 === 0) yield* service.consume(one)
    }
    for (const [index, one] of all.entries()) {
      const what = JSON.stringify(one.state.slice(0, 20))
      yield* same(`isConsumed of ${what}`, yield* service.isConsumed(one.state), index % 2 === 0)
    }
  })
]

export const shared: ReadonlyArray<PendingLaw> = [
  law("R39 S14 B408 a sign-in begun on one handle is found and used up on another", function*({ another, service }) {
    const other = yield* another
    const one = yield* lasting("state")
    yield* service.put(one)
    yield* same("get", yield* other.get("state"), one)
    yield* other.consume(one)
    yield* refused("consume on the first", service.consume(one), "TransactionConsumed")
    yield* same("isConsumed on the first", yield* service.isConsumed("state"), true)
    yield* same("get on the first", yield* service.get("state"), undefined)
  }),
  law("R39 S14 of callbacks on many handles at once, one uses the sign-in up", function*({ another, service }) {
    const handles = [service, ...yield* Effect.replicateEffect(another, 3)]
    for (let round = 0; round < 5; round++) {
      const one = yield* lasting(`state ${round}`)
      if (round % 2 === 0) yield* service.put(one)
      const outcomes = yield* atOnce(20, (index) => reasons(handles[index % handles.length]!.consume(one)))
      yield* same("outcomes", tally(outcomes.sort()), { TransactionConsumed: 19, done: 1 })
    }
  }),
  law("R39 S14 what was put is there when the handle is closed and the storage opened again", function*({ another }) {
    const one = yield* lasting("state")
    yield* Effect.scoped(Effect.flatMap(another, (store) => store.put(one)))
    yield* same("get", yield* Effect.scoped(Effect.flatMap(another, (store) => store.get("state"))), one)
    yield* Effect.scoped(Effect.flatMap(another, (store) => store.consume(one)))
    yield* same("isConsumed", yield* Effect.scoped(Effect.flatMap(another, (store) => store.isConsumed("state"))), true)
  })
]

export const corrupt: ReadonlyArray<PendingLaw> = [
  law("R39 a sign-in that cannot be read is a typed error, and is left as it is", function*({ corrupt, service }) {
    yield* service.put(yield* lasting("state"))
    yield* service.put(yield* lasting("other"))
    yield* corrupt("state")
    yield* refused("get", service.get("state"), "Corrupt")
    yield* refused("get again", service.get("state"), "Corrupt")
    yield* same("get of another", (yield* service.get("other"))?.state, "other")
  })
]

export const newer: ReadonlyArray<PendingLaw> = [
  law("R39 R40 a sign-in of a newer version is a typed error, and is never deleted", function*({ newer, service }) {
    yield* service.put(yield* lasting("state"))
    yield* newer("state")
    yield* refused("get", service.get("state"), "NewerVersion")
    yield* refused("get again", service.get("state"), "NewerVersion")
  })
]
