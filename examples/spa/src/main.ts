/**
 * The page: it answers a callback if it was opened with one, and then shows the session for as long as it is open.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Calls from "./Calls.js"
import * as Element from "./Element.js"
import * as Live from "./Live.js"
import * as Mishaps from "./Mishaps.js"
import { Session } from "./Session.js"
import * as SignIn from "./SignIn.js"
import * as SignOut from "./SignOut.js"
import * as Stores from "./Stores.js"
import * as Story from "./Story.js"
import * as View from "./View.js"

const page = Effect.gen(function*() {
  yield* Story.tell
  yield* Effect.yieldNow()
  if (!(yield* SignIn.arrive)) return
  yield* View.show
  yield* Effect.all([SignIn.buttons, SignOut.buttons, Calls.buttons, Mishaps.buttons], { discard: true })
  yield* Effect.flatMap(Session, ({ look }) => look())
  yield* Effect.sync(() => document.body.classList.add("ready"))
  return yield* Effect.never
})

const problemOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}

page.pipe(
  Effect.scoped,
  Effect.provide(Live.layer(Stores.of(location.href))),
  Effect.catchAllCause((cause) =>
    Effect.zipRight(Element.show("state", "This page cannot work here"), Element.show("detail", problemOf(cause)))
  ),
  Effect.runFork
)
