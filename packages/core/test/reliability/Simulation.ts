/**
 * Runs an effect in one go, in virtual time, in an order that a seed decides: which of the fibers that could go on does
 * so, and after which of its operations a fiber lets others run. When nobody can go on, the clock moves to the next
 * sleeper. The same seed gives the same run, to the last operation.
 */
import { Cause, Clock, Duration, Effect, Exit, Random, Runtime } from "effect"
import type { Fiber, Scheduler } from "effect"
import { generator } from "../../../../support/random.js"

/** What a program may do to its own world. */
export interface World {
  /** A number from 0 to 1, out of the seed. */
  readonly random: () => number
  /** Sets the wall clock forward or back, in milliseconds. No time passes. */
  readonly setClock: (by: number) => void
  /** How many fibers sleep. */
  readonly sleeping: () => number
}

export interface Options {
  /**
   * How likely a fiber is to let others run after an operation. Default: 0.05, which is also the most: to yield takes
   * some twenty operations of its own, and when each leads to more than one other there is no end.
   */
  readonly yields?: number | undefined
  /** Whether somebody waits for a real promise, such as a digest by WebCrypto. The clock stands still meanwhile. */
  readonly isWaiting?: (() => boolean) | undefined
}

/**
 * Runs the program to its end. Throws what it failed with, or that it can never end, with the seed.
 *
 * The order of things depends on the seed alone; but between them the runtime gets its turn, so that it can free memory
 * and settle promises.
 */
export const run = async <A, E>(
  seed: number,
  program: (world: World) => Effect.Effect<A, E>,
  options: Options = {}
): Promise<A> => {
  const simulation = new Simulation(seed, options)
  const outcome = simulation.start(program)
  for (;;) {
    if (simulation.settle()) {
      if (outcome.exit !== undefined) return result(seed, outcome.exit)
      if (options.isWaiting?.() !== true) {
        if (!simulation.wakeNext()) throw new Error(`seed ${seed}: nobody can go on`)
        continue
      }
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const result = <A, E>(seed: number, exit: Exit.Exit<A, E>): A => {
  if (Exit.isSuccess(exit)) return exit.value
  const error = new Error(`seed ${seed}: ${Cause.pretty(exit.cause)}`)
  error.cause = Cause.squash(exit.cause)
  throw error
}

interface Sleeper {
  readonly at: number
  wake: (() => void) | undefined
}

const mostSteps = 20_000_000
const stepsBetweenBreaks = 5_000

class Simulation implements Scheduler.Scheduler, Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  readonly #seed: number
  readonly #random: () => number
  readonly #yields: number
  readonly #ready: Array<Scheduler.Task> = []
  /** The first to wake is the last. */
  readonly #sleepers: Array<Sleeper> = []
  #steps = 0
  #passed = 0
  #offset = 0

  constructor(seed: number, { yields = 0.05 }: Options) {
    this.#seed = seed
    this.#random = generator(seed)
    this.#yields = yields
  }

  start<A, E>(program: (world: World) => Effect.Effect<A, E>): { exit: Exit.Exit<A, E> | undefined } {
    const outcome: { exit: Exit.Exit<A, E> | undefined } = { exit: undefined }
    const world: World = {
      random: this.#random,
      setClock: (by) => {
        this.#offset += by
      },
      sleeping: () => this.#sleepers.filter(({ wake }) => wake !== undefined).length
    }
    const effect = Effect.suspend(() => program(world)).pipe(
      Effect.withClock(this),
      Effect.withRandom(Random.make(this.#seed))
    )
    Runtime.runFork(Runtime.defaultRuntime)(effect, { scheduler: this }).addObserver((exit) => {
      outcome.exit = exit
    })
    return outcome
  }

  // ---- scheduler

  shouldYield(_fiber: Fiber.RuntimeFiber<unknown, unknown>): number | false {
    return this.#random() < this.#yields ? 0 : false
  }

  scheduleTask(task: Scheduler.Task): void {
    this.#ready.push(task)
  }

  /** Lets fibers run until none can go on: `true`, or until it is time for a break: `false`. */
  settle(): boolean {
    const ready = this.#ready
    while (ready.length > 0) {
      const chosen = Math.floor(this.#random() * ready.length)
      const task = ready[chosen]!
      ready[chosen] = ready[ready.length - 1]!
      ready.pop()
      task()
      if (++this.#steps > mostSteps) throw new Error(`seed ${this.#seed}: this goes round in circles`)
      if (this.#steps % stepsBetweenBreaks === 0) return false
    }
    return true
  }

  // ---- clock

  unsafeCurrentTimeMillis(): number {
    return this.#passed + this.#offset
  }
  unsafeCurrentTimeNanos(): bigint {
    return BigInt(Math.floor(this.#passed + this.#offset)) * 1_000_000n
  }
  readonly currentTimeMillis: Effect.Effect<number> = Effect.sync(() => this.unsafeCurrentTimeMillis())
  readonly currentTimeNanos: Effect.Effect<bigint> = Effect.sync(() => this.unsafeCurrentTimeNanos())

  scheduler(): Effect.Effect<Clock.ClockScheduler> {
    return Effect.dieMessage("not simulated")
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      const sleeper: Sleeper = { at: this.#passed + Duration.toMillis(duration), wake: () => resume(Effect.void) }
      if (Number.isFinite(sleeper.at)) this.#insert(sleeper)
      return Effect.sync(() => {
        sleeper.wake = undefined
      })
    })
  }

  #insert(sleeper: Sleeper): void {
    let [low, high] = [0, this.#sleepers.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#sleepers[middle]!.at > sleeper.at) low = middle + 1
      else high = middle
    }
    this.#sleepers.splice(low, 0, sleeper)
  }

  /** Moves the clock to the next sleeper and wakes it; `false` when nobody sleeps. */
  wakeNext(): boolean {
    for (;;) {
      const sleeper = this.#sleepers.pop()
      if (sleeper === undefined) return false
      if (sleeper.wake === undefined) continue
      this.#passed = Math.max(this.#passed, sleeper.at)
      sleeper.wake()
      return true
    }
  }
}
