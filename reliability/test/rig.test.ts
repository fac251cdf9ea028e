/** The rig in its smallest profile: real processes, real stores, real kills. `npm run reliability` does more of it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { profiles, type Result } from "../src/Rig.js"
import { run } from "../src/run.js"

const seed = 20_261_124

describe("the rig", () => {
  it.live(
    `R02 R03 R10 R11 R13 R15 R16 R18 R20 R23 R29 processes that share a store renew once; who is killed, frozen or ended, \
who loses the database, and whose clock is set, loses no session; and ${profiles.quick.writes.least} and more that are killed while they write leave no torn record`,
    () =>
      Effect.gen(function*() {
        const results = yield* run({
          profile: profiles.quick,
          seed,
          progress: () => Effect.void,
          onResult: () => Effect.void
        })
        const missed = results.filter(({ ok }) => !ok)
        assert.deepStrictEqual(missed, [] as Array<Result>)
        assert.includeMembers(
          results.map(({ id }) => id),
          ["R02", "R03", "R07", "R10", "R11", "R12", "R13", "R15", "R16", "R18", "R20", "R23", "R29"]
        )
      }),
    // On a machine with nothing else to do it takes less than one minute
    600_000
  )
})
