/**
 * A process that renews sessions in a folder.
 *
 *   fileRenewer.ts <folder> <name> <rounds>         renews "shared" so many times, and prints each generation it wrote
 *   fileRenewer.ts <folder> <name> endlessly        renews "shared" and a session of its own without end
 *   fileRenewer.ts <folder> <name> hold <millis>    begins to renew "shared" for so long, and then does nothing
 */
import * as SessionRecord from "@effect-oauth2/core/SessionRecord"
import type { Claim } from "@effect-oauth2/core/TokenStore"
import * as FileTokenStore from "@effect-oauth2/platform-node/FileTokenStore"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

const [directory = "", name = "", what = "", holdMillis = "1000"] = process.argv.slice(2)

const print = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

/** A token that tells whether it is whole: 16 KiB that say the same over and over. */
const tokenOf = (generation: number) => Redacted.make(`${generation}.`.repeat(8_192).slice(0, 16_384))

const next = (generation: number): SessionRecord.SessionRecord =>
  SessionRecord.authorized(generation, {
    accessToken: tokenOf(generation),
    tokenType: "Bearer",
    issuedAt: generation,
    refreshToken: tokenOf(generation)
  })

const program = Effect.gen(function*() {
  const store = yield* FileTokenStore.make({ directory })
  let attempts = 0

  /** The generation that was written, if it was this process that wrote it. */
  const renew = (key: string, hold: Duration.DurationInput) =>
    Effect.gen(function*() {
      const generation = Option.match(yield* store.get(key), { onNone: () => 0, onSome: (found) => found.generation })
      const claim: Claim = { generation, attempt: `${name}-${attempts++}` }
      const begun = yield* store.begin(key, claim, Duration.decode(hold))
      if (begun._tag !== "Begun") return undefined
      const committed = yield* store.commit(key, claim, next(generation + 1))
      return committed._tag === "Committed" ? generation + 1 : undefined
    })

  if (what === "hold") {
    const generation = Option.getOrThrow(yield* store.get("shared")).generation
    yield* store.begin("shared", { generation, attempt: name }, Duration.millis(Number(holdMillis)))
    yield* print("holds")
    return yield* Effect.sleep("1 hour")
  }
  if (what === "endlessly") {
    yield* renew(`of ${name}`, "50 millis")
    yield* print("at work")
    return yield* Effect.all(
      ["shared", `of ${name}`].map((key) => Effect.forever(renew(key, "50 millis"))),
      { concurrency: "unbounded" }
    )
  }
  for (let written = 0; written < Number(what);) {
    const generation = yield* renew("shared", "1 minute")
    if (generation === undefined) continue
    written++
    yield* print(String(generation))
  }
})

Effect.runFork(program)
