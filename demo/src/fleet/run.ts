/** The fleet's own process: it ends when whoever started it lets go. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fleet from "./Fleet.js"
import * as Options from "./Options.js"
import * as View from "./View.js"

const letGo = Effect.async<never>((resume) => {
  process.once("disconnect", () => resume(Effect.interrupt))
  if (!process.connected) resume(Effect.interrupt)
})

const main = Effect.gen(function*() {
  const options = yield* Effect.tapError(
    Options.parse(process.argv.slice(2)),
    () => Effect.sync(() => console.log(Options.help))
  )
  if (options.help) {
    console.log(Options.help)
    return true
  }
  return yield* Fleet.run(options, yield* View.make(process.stdout, options))
}).pipe(
  Effect.scoped,
  Effect.catchAll(({ message }) =>
    Effect.sync(() => {
      process.stderr.write(`\n  ${message}\n\n`)
      return false
    })
  ),
  Effect.raceFirst(letGo)
)

NodeRuntime.runMain(main, {
  disableErrorReporting: true,
  // Told outright, since others would have a say in the code of an exit that comes by itself
  teardown: (exit) => {
    if (Exit.isSuccess(exit)) process.exit(exit.value ? 0 : 1)
    if (!Cause.isInterruptedOnly(exit.cause)) process.stderr.write(`\n  ${Cause.pretty(exit.cause)}\n`)
    process.exit(1)
  }
})
