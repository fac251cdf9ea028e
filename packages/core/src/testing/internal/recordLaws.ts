/** The laws of what is stored, and under which keys: it comes back as it was, or not at all and typed. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { ReauthorizationReason } from "../../OAuth2Error.js"
import * as SessionRecord from "../../SessionRecord.js"
import { holds, law, refused, same } from "./law.js"
import { claim, fullRecord, oddKeys, record, sealedRecord, token } from "./lawValues.js"
import { fill, long, renamed, stored, type StoreLaw } from "./tokenStoreLaws.js"

const minimal: SessionRecord.SessionRecord = { version: 1, generation: 1, state: SessionRecord.idle }

export const laws: ReadonlyArray<StoreLaw> = [
  law("R39 every member of a record comes back as it was", function*({ service }) {
    yield* service.replace("key", fullRecord(0))
    yield* same("get", yield* stored(service), fullRecord(1))
    const begun = yield* service.begin("key", claim("a"), long)
    yield* same("begin", begun._tag === "Begun" && { ...begun.record, state: 0 }, { ...fullRecord(1), state: 0 })
    yield* service.commit("key", claim("a"), fullRecord(2))
    yield* same("get after commit", yield* stored(service), fullRecord(2))
    yield* same("remove", yield* service.remove("key"), Option.some(fullRecord(2)))
  }),
  law("R39 a sealed record and its time come back as they were", function*({ service }) {
    yield* service.replace("key", sealedRecord(0))
    yield* same("get", yield* stored(service), sealedRecord(1))
    yield* service.begin("key", claim("a"), long)
    yield* service.commit("key", claim("a"), sealedRecord(2, 0.5))
    yield* same("get after commit", yield* stored(service), sealedRecord(2, 0.5))
  }),
  law("R39 what a record does not have, it does not come to have", function*({ service }) {
    yield* service.replace("key", fullRecord(0))
    yield* same("replace", yield* service.replace("key", minimal), { ...minimal, generation: 2 })
    yield* same("get", yield* stored(service), { ...minimal, generation: 2 })
    yield* service.begin("key", claim("a", 2), long)
    yield* service.commit("key", claim("a", 2), { ...minimal, generation: 3 })
    yield* same("get after commit", yield* stored(service), { ...minimal, generation: 3 })
  }),
  law("R39 a dead record keeps its reason and what may still be valid", function*({ service }) {
    for (const reason of ReauthorizationReason.literals) {
      const dead = SessionRecord.dead(record(1, "first"), reason)
      yield* service.replace(reason, record(0, "first"))
      yield* service.begin(reason, claim("a"), long)
      yield* same("commit", yield* service.commit(reason, claim("a"), dead), { _tag: "Committed" })
      yield* same("get", yield* stored(service, reason), dead)
    }
  }),
  law("R39 tokens of 64 KiB come back as they were", function*({ service }) {
    const text = (start: string) => Redacted.make(start.padEnd(65_536, "-._~+/="))
    const large = (generation: number): SessionRecord.SessionRecord => ({
      ...SessionRecord.authorized(generation, {
        ...token("large"),
        accessToken: text("access"),
        refreshToken: text("refresh"),
        idToken: text("id")
      }),
      alternate: text("alternate")
    })
    yield* service.replace("key", large(0))
    yield* same("get", yield* stored(service), large(1))
    yield* service.begin("key", claim("a"), long)
    yield* service.commit("key", claim("a"), large(2))
    yield* same("get after commit", yield* stored(service), large(2))
  }),
  law("R39 generations and times come back as they were, however large", function*({ service }) {
    const far = 8_640_000_000_000_000
    const late: SessionRecord.SessionRecord = {
      ...SessionRecord.authorized(0, { ...token("late", far), expiresAt: -far }),
      state: { _tag: "Idle", unresolved: true }
    }
    yield* same("replace", yield* service.replace("key", late), { ...late, generation: 1 })
    yield* service.begin("key", claim("a"), long)
    yield* service.commit("key", claim("a"), { ...late, generation: 2_000_000_000 })
    yield* same("get", yield* stored(service), { ...late, generation: 2_000_000_000 })
    yield* same("begin", (yield* service.begin("key", claim("b", 2_000_000_000), long))._tag, "Begun")
  }),
  law("R39 keys that look alike are different ones, whatever is in them", function*({ service }) {
    for (const [index, key] of oddKeys.entries()) yield* service.replace(key, record(0, `${index}`))
    for (const [index, key] of oddKeys.entries()) {
      yield* same(`get of ${brief(key)}`, yield* stored(service, key), record(1, `${index}`))
    }
  }),
  law(
    "R39 whatever is in a key, it can be redeemed, committed, renamed and removed, and no other is",
    function*(world) {
      const { service } = world
      yield* fill(world)
      for (const key of oddKeys.filter((key) => key !== "key")) {
        const what = brief(key)
        yield* service.begin(key, claim("a", 0), long)
        yield* same(`commit of ${what}`, yield* service.commit(key, claim("a", 0), record(1, "odd")), {
          _tag: "Committed"
        })
        yield* same(`rename of ${what}`, yield* service.rename(key, `${key}~`, long), renamed)
        yield* same(`rename back to ${what}`, yield* service.rename(`${key}~`, key, long), renamed)
        yield* same(`remove of ${what}`, yield* service.remove(key), Option.some(record(1, "odd")))
      }
      yield* same("get of the one beside", yield* stored(service), record(1, "first"))
    }
  ),
  law("R39 attempts are told apart to the letter, whatever is in them", function*(world) {
    const { service } = world
    yield* fill(world)
    for (const attempt of ["' OR '1'='1", "é", "\\", "%", "", "x".repeat(1_000)]) {
      yield* service.begin("key", claim(attempt), long)
      yield* service.release("key", claim(`${attempt} `), { unresolved: false })
      yield* same(
        "commit of another",
        (yield* service.commit("key", claim(`${attempt} `), record(2, "x")))._tag,
        "Lost"
      )
      yield* service.release("key", claim(attempt), { unresolved: false })
      yield* same("get", yield* stored(service), record(1, "first"))
    }
  })
]

export const corrupt: ReadonlyArray<StoreLaw> = [
  law("R39 a record that cannot be read is a typed error, and is left as it is", function*(world) {
    const { corrupt, service } = world
    yield* fill(world)
    yield* corrupt("key")
    yield* refused("get", service.get("key"), "Corrupt")
    yield* refused("begin", service.begin("key", claim("a"), long), "Corrupt")
    yield* refused("begin of generation 0", service.begin("key", claim("a", 0), long), "Corrupt")
    yield* refused("commit", service.commit("key", claim("a"), record(2, "x")), "Corrupt")
    yield* Effect.ignore(service.release("key", claim("a"), { unresolved: false }))
    yield* refused("get afterwards", service.get("key"), "Corrupt")
  }),
  law("R39 a record that cannot be read troubles no other session", function*(world) {
    const { corrupt, service } = world
    yield* fill(world)
    yield* service.replace("other", record(0, "other"))
    yield* corrupt("key")
    yield* same("get of another", yield* stored(service, "other"), record(1, "other"))
    yield* same("begin of another", (yield* service.begin("other", claim("a"), long))._tag, "Begun")
  }),
  law("R39 a record that cannot be read can be signed in over, and signed out", function*(world) {
    const { corrupt, service } = world
    yield* fill(world)
    yield* corrupt("key")
    const replaced = yield* service.replace("key", record(0, "second"))
    yield* same("get", yield* stored(service), { ...record(0, "second"), generation: replaced.generation })
    yield* corrupt("key")
    yield* same("remove", yield* service.remove("key"), Option.none())
    yield* same("get afterwards", yield* service.get("key"), Option.none())
  })
]

export const newer: ReadonlyArray<StoreLaw> = [
  law(
    "R39 R40 a record of a newer version is a typed error for every operation, and is never deleted",
    function*(world) {
      const { newer, service } = world
      yield* fill(world)
      yield* service.replace("other", record(0, "other"))
      yield* newer("key")
      const operations = {
        get: service.get("key"),
        begin: service.begin("key", claim("a"), long),
        "begin of generation 0": service.begin("key", claim("a", 0), long),
        commit: service.commit("key", claim("a"), record(2, "x")),
        replace: service.replace("key", record(0, "x")),
        remove: service.remove("key"),
        "rename away": service.rename("key", "another", long),
        "rename over it": service.rename("other", "key", long)
      }
      for (const [name, operation] of Object.entries(operations)) yield* refused(name, operation, "NewerVersion")
      yield* Effect.ignore(service.release("key", claim("a"), { unresolved: false }))
      yield* refused("get afterwards", service.get("key"), "NewerVersion")
      yield* same("get of the other", yield* stored(service, "other"), record(1, "other"))
      yield* holds("nothing came of rename", Option.isNone(yield* service.get("another")))
    }
  )
]

const brief = (key: string): string => JSON.stringify(key.length > 40 ? `${key.slice(0, 20)}…${key.slice(-5)}` : key)
