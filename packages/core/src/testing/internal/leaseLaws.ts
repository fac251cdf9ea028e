/** The laws of a lease: one holder at a time, and nobody waits for ever. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { LeaseTimeout, RefreshLeaseService } from "../../RefreshLease.js"
import { atOnce, holds, law, type LawOf, reasons, refused, same, type World } from "./law.js"

type LeaseLaw = LawOf<RefreshLeaseService>
type LeaseWorld = World<RefreshLeaseService>

const long = { ttl: "10 minutes", wait: "10 minutes" } as const

/** A holder that is in until it is let go. */
const holder = (
  lease: RefreshLeaseService,
  ttl: Duration.DurationInput,
  key = "key"
) =>
  Effect.gen(function*() {
    const isIn = yield* Deferred.make<void>()
    const mayGo = yield* Deferred.make<void>()
    const lost = yield* Deferred.make<void>()
    const fiber = yield* Effect.forkScoped(
      lease.withLease(key, { ttl, wait: long.wait }, (isTaken) =>
        Effect.gen(function*() {
          yield* Deferred.succeed(isIn, undefined)
          yield* Effect.forkScoped(Effect.catchAll(isTaken, () => Deferred.succeed(lost, undefined)))
          yield* Deferred.await(mayGo)
          return "held to the end"
        }).pipe(Effect.scoped))
    )
    return {
      isIn: Deferred.await(isIn),
      letGo: Effect.zipRight(Deferred.succeed(mayGo, undefined), Fiber.join(fiber)),
      isTold: Deferred.await(lost),
      isLost: Deferred.isDone(lost),
      fiber
    }
  })

/** The lease can be had at once. */
const isFree = (lease: RefreshLeaseService, key = "key") =>
  Effect.flatMap(
    reasons(lease.withLease(key, { ttl: long.ttl, wait: 0 }, () => Effect.void)),
    (outcome) => same("whether the lease can be had", outcome, "done")
  )

const isHeld = (lease: RefreshLeaseService, key = "key") =>
  refused(
    "a lease that another holds",
    lease.withLease(key, { ttl: long.ttl, wait: 0 }, () => Effect.void),
    "LeaseTimeout"
  )

const exclusion = (open: (index: number) => RefreshLeaseService) =>
  Effect.gen(function*() {
    let inside = 0
    let most = 0
    const results = yield* atOnce(20, (index) =>
      open(index).withLease("key", long, () =>
        Effect.gen(function*() {
          most = Math.max(most, ++inside)
          for (let step = 0; step < 5; step++) yield* Effect.yieldNow()
          inside--
          return index
        })))
    yield* same("most at a time", most, 1)
    yield* same("what came of each", results, Array.from({ length: 20 }, (_, index) => index))
  })

/** What is begun does not wait for the law's own time to pass. */
const begun = <A, E>(effect: Effect.Effect<A, E>) => Effect.tap(Effect.forkScoped(effect), () => Effect.yieldNow())

const untilDone = <A, E>({ pass }: LeaseWorld, fiber: Fiber.RuntimeFiber<A, E>, holdsAtMost: number) =>
  Effect.gen(function*() {
    for (let waited = 0; waited < holdsAtMost * 5; waited++) {
      const exit = yield* fiber.poll
      if (exit._tag === "Some") return exit.value
      yield* pass(0.2)
    }
    yield* holds(`done within ${holdsAtMost} holds`, false)
    return yield* fiber.await
  })

export const laws: ReadonlyArray<LeaseLaw> = [
  law("R39 what runs under a lease succeeds, fails and dies as it would without", function*({ service }) {
    yield* same("success", yield* service.withLease("key", long, () => Effect.succeed(1)), 1)
    yield* refused("failure", service.withLease("key", long, () => Effect.fail({ reason: "Mine" })), "Mine")
    const exit = yield* Effect.exit(service.withLease("key", long, () => Effect.die("defect")))
    yield* holds("defect", Exit.isFailure(exit) && Cause.isDie(exit.cause), exit)
    yield* isFree(service)
  }),
  law("R39 of twenty that want a lease, each has it, one at a time", function*({ service }) {
    yield* exclusion(() => service)
  }),
  law("R39 who waits for a lease in vain is told so in time, and runs nothing", function*(world) {
    const { hold, service } = world
    const first = yield* holder(service, long.ttl)
    yield* first.isIn
    const since = yield* Clock.currentTimeMillis
    let ran = false
    const waiting = yield* begun(
      Effect.flip<void, LeaseTimeout, never>(
        service.withLease("key", { ttl: long.ttl, wait: hold }, () => Effect.sync(() => void (ran = true)))
      )
    )
    const exit = yield* untilDone(world, waiting, 5)
    const waited = (yield* Clock.currentTimeMillis) - since
    const error = Exit.isSuccess(exit) ? exit.value : undefined
    yield* same("the failure", [error?._tag, error?.waited], ["LeaseTimeout", Duration.toMillis(hold)])
    yield* holds("it waited for as long as it was to", waited >= Duration.toMillis(hold) * 0.9, waited)
    yield* same("whether it ran", ran, false)
    yield* same("whether the holder was disturbed", [yield* first.isLost, yield* first.letGo], [
      false,
      "held to the end"
    ])
  }),
  law("R39 who does not want to wait for a lease does not", function*({ service }) {
    const first = yield* holder(service, long.ttl)
    yield* first.isIn
    yield* isHeld(service)
    yield* first.letGo
    yield* isFree(service)
  }),
  law("R39 who waits for a lease has it soon after it is given back, long before its time", function*(world) {
    const { service } = world
    const first = yield* holder(service, long.ttl)
    yield* first.isIn
    const second = yield* holder(service, long.ttl)
    yield* world.pass(0.5)
    yield* first.letGo
    const exit = yield* untilDone(world, yield* begun(second.isIn), 5)
    yield* holds("the second is in", Exit.isSuccess(exit))
    yield* second.letGo
  }),
  law("R12 R39 a lease whose time is up can be taken, and its holder is told but not interrupted", function*(world) {
    const { hold, service } = world
    const first = yield* holder(service, hold)
    yield* first.isIn
    const second = yield* holder(service, long.ttl)
    const exit = yield* untilDone(world, yield* begun(second.isIn), 10)
    yield* holds("the second is in", Exit.isSuccess(exit))
    yield* untilDone(world, yield* begun(first.isTold), 10)
    yield* same("what came of the first", yield* first.letGo, "held to the end")
    yield* same("whether the second lost it", yield* second.isLost, false)
    yield* second.letGo
  }),
  law("R10 R39 who has lost a lease does not free the next holder's", function*(world) {
    const { hold, service } = world
    const first = yield* holder(service, hold)
    yield* first.isIn
    const second = yield* holder(service, long.ttl)
    yield* untilDone(world, yield* begun(second.isIn), 10)
    yield* first.letGo
    yield* isHeld(service)
    yield* second.letGo
    yield* isFree(service)
  }),
  law("R39 a lease is not lost while nobody takes it, and not when it was given back", function*(world) {
    const { pass, service } = world
    const first = yield* holder(service, long.ttl)
    yield* first.isIn
    yield* pass(1)
    yield* same("whether it is lost", yield* first.isLost, false)
    yield* first.letGo
    const second = yield* holder(service, long.ttl)
    yield* second.isIn
    yield* same("whether the first is told", yield* first.isLost, false)
    yield* second.letGo
  }),
  law("R39 a lease ends when what runs under it fails, dies or is interrupted", function*({ service }) {
    yield* Effect.exit(service.withLease("key", long, () => Effect.fail("failure")))
    yield* isFree(service)
    yield* Effect.exit(service.withLease("key", long, () => Effect.die("defect")))
    yield* isFree(service)
    const interrupted = yield* holder(service, long.ttl)
    yield* interrupted.isIn
    yield* Fiber.interrupt(interrupted.fiber)
    yield* isFree(service)
  }),
  law("R06 R39 who waits for a lease can be interrupted, and leaves it to its holder", function*({ pass, service }) {
    const first = yield* holder(service, long.ttl)
    yield* first.isIn
    const waiting = yield* holder(service, long.ttl)
    yield* pass(0.2)
    const exit = yield* Fiber.interrupt(waiting.fiber)
    yield* holds("the wait is interrupted", Exit.isInterrupted(exit))
    yield* isHeld(service)
    yield* same("whether the holder was disturbed", yield* first.letGo, "held to the end")
    yield* isFree(service)
  }),
  law("R39 leases of other keys are independent, however alike the keys", function*({ service }) {
    const first = yield* holder(service, long.ttl)
    yield* first.isIn
    for (const key of ["", "Key", "key ", "key/", "ke", "key\u0301", "../key", "x".repeat(4_096)]) {
      yield* isFree(service, key)
      const beside = yield* holder(service, long.ttl, key)
      yield* beside.isIn
      yield* isHeld(service, key)
      yield* beside.letGo
    }
    yield* isHeld(service)
    yield* first.letGo
  }),
  law("R39 a lease within a lease of another key is had, and both end", function*({ service }) {
    const inner = service.withLease("inner", long, () => Effect.succeed("both"))
    yield* same("result", yield* service.withLease("key", long, () => inner), "both")
    yield* isFree(service)
    yield* isFree(service, "inner")
  })
]

export const shared: ReadonlyArray<LeaseLaw> = [
  law("R39 of many handles that want a lease, one has it at a time", function*({ another, service }) {
    const handles = [service, ...yield* Effect.replicateEffect(another, 3)]
    yield* exclusion((index) => handles[index % handles.length]!)
  }),
  law(
    "R10 R12 R39 another handle takes a lease whose time is up, and keeps it when the first gives up its own",
    function*(world) {
      const other = yield* world.another
      const first = yield* holder(world.service, world.hold)
      yield* first.isIn
      yield* isHeld(other)
      const second = yield* holder(other, long.ttl)
      yield* untilDone(world, yield* begun(second.isIn), 10)
      yield* first.letGo
      yield* isHeld(world.service)
      yield* second.letGo
      yield* isFree(world.service)
    }
  )
]
