/** The rig in its smallest profile: real processes, real stores, real kills. `npm run reliability` does more of it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { profiles, type Result } from "../src/Rig.js"
import { run } from "../src/run.js"

const seed = 20_261_124

describe("the rig", () => {
  it.live(
    "R02 R03 R10 R15 R18 R23 processes that share a store renew once, and who is killed, frozen or ended loses no session",
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
        assert.includeMembers(results.map(({ id }) => id), ["R02", "R03", "R10", "R15", "R18", "R23"])
      })
  )
})
