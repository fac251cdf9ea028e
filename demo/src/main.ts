/**
 * `npm run demo`: ends with 0 when nothing was lost, with 1 when something was, with 130 after Ctrl-C.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Demo from "./Demo.js"
import * as Options from "./Options.js"
import * as Screen from "./Screen.js"

const main = Effect.gen(function*() {
  const screen = yield* Screen.make(process.stdout)
  const options = yield* Effect.tapError(Options.parse(process.argv.slice(2)), () => screen.text(Options.help))
  if (options.help) {
    yield* screen.text(Options.help)
    return true
  }
  return yield* Demo.run(options, screen)
}).pipe(
  Effect.scoped,
  Effect.catchAll(({ message }) =>
    Effect.sync(() => {
      process.stderr.write(`\n  ${message}\n\n`)
      return false
    })
  ),
  Effect.provide(NodeContext.layer)
)

NodeRuntime.runMain(main, {
  disableErrorReporting: true,
  teardown: (exit, onExit) => {
    if (Exit.isSuccess(exit)) return onExit(exit.value ? 0 : 1)
    if (Cause.isInterruptedOnly(exit.cause)) {
      process.stderr.write("\n  Stopped. The servers have ended.\n")
      return onExit(130)
    }
    process.stderr.write(`\n  ${Cause.pretty(exit.cause)}\n`)
    onExit(1)
  }
})
