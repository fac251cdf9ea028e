import * as Flights from "@effect-oauth2/core/Flights"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Option, Scope, TestClock } from "effect"

/** Flights whose end is the test's. */
const open = Effect.gen(function*() {
  const scope = yield* Scope.make()
  const flights = yield* Scope.extend(Flights.make(Duration.seconds(10)), scope)
  const close = Effect.fork(Scope.close(scope, Exit.void))
  return { flights, close }
})

const isDone = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) => Effect.map(fiber.poll, Option.isSome)

describe("Flights", () => {
  it.effect("R05 who waits is told how the work ended, whatever that was", () =>
    Effect.gen(function*() {
      const { flights } = yield* open
      assert.strictEqual(yield* Deferred.await(flights.launch(Effect.succeed(1))), 1)
      assert.strictEqual(yield* Effect.flip(Deferred.await(flights.launch(Effect.fail("no")))), "no")
      const died = yield* Effect.exit(Deferred.await(flights.launch(Effect.die("defect"))))
      assert.deepStrictEqual(died, Exit.die("defect"))
    }))

  it.effect("R05 R06 an interrupted waiter ends at once, and the work goes on", () =>
    Effect.gen(function*() {
      const { flights } = yield* open
      const flight = flights.launch(Effect.as(Effect.sleep("1 second"), "landed"))
      const waiter = yield* Effect.fork(Deferred.await(flight))
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interrupt(waiter)
      yield* TestClock.adjust("500 millis")
      assert.strictEqual(yield* Deferred.await(flight), "landed")
    }))

  it.effect("R18 work has its deadlines, also where whoever made the layer could not be interrupted", () =>
    Effect.gen(function*() {
      const { flights } = yield* Effect.uninterruptible(open)
      const flight = flights.launch(Effect.timeoutOption(Effect.never, "1 second"))
      yield* TestClock.adjust("1 second")
      assert.isTrue(Option.isNone(yield* Deferred.await(flight)))
    }))

  it.effect("R18 the end waits for what is in the air, and for what follows it", () =>
    Effect.gen(function*() {
      const { close, flights } = yield* open
      let followed = false
      const after = Effect.delay(Effect.sync(() => (followed = true)), "1 second")
      const flight = flights.launch(
        Effect.sleep("3 seconds").pipe(Effect.zipRight(Effect.sync(() => flights.follow(after))), Effect.as("landed"))
      )
      const closing = yield* close
      yield* TestClock.adjust("3500 millis")
      assert.strictEqual(yield* Deferred.await(flight), "landed")
      assert.isFalse(yield* isDone(closing))
      yield* TestClock.adjust("500 millis")
      assert.isTrue(yield* isDone(closing))
      assert.isTrue(followed)
    }))

  it.effect("R18 once the end has begun nothing is launched: it is refused, and never run", () =>
    Effect.gen(function*() {
      const { close, flights } = yield* open
      assert.isFalse(flights.isClosing())
      yield* Fiber.join(yield* close)
      assert.isTrue(flights.isClosing())
      let ran = false
      const error = yield* Effect.flip(Deferred.await(flights.launch(Effect.sync(() => (ran = true)))))
      assert.deepInclude(error, { _tag: "RefreshFailed", reason: "Closing" })
      assert.isFalse(ran)
    }))

  it.effect("R18 what does not land in time is interrupted, may clean up, and who waits is told of the closing", () =>
    Effect.gen(function*() {
      const { close, flights } = yield* open
      let cleaned = false
      const work = Effect.onInterrupt(Effect.never, () => Effect.delay(Effect.sync(() => (cleaned = true)), "1 second"))
      const flight = flights.launch(work)
      const closing = yield* close
      yield* TestClock.adjust("9999 millis")
      assert.isFalse(cleaned)
      yield* TestClock.adjust("1 millis")
      assert.isFalse(yield* isDone(closing))
      yield* TestClock.adjust("1 second")
      assert.isTrue(cleaned)
      assert.isTrue(yield* isDone(closing))
      const error = yield* Effect.flip(Deferred.await(flight))
      assert.deepInclude(error, { _tag: "RefreshFailed", reason: "Closing" })
    }))

  it.effect("R18 nothing in the air is nothing to wait for", () =>
    Effect.gen(function*() {
      const { close, flights } = yield* open
      yield* Deferred.await(flights.launch(Effect.void))
      assert.strictEqual((yield* Fiber.await(yield* close))._tag, "Success")
    }))
})
