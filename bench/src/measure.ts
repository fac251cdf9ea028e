/**
 * Subjects measured side by side: in every round each of them runs one block, so that what the machine does at the time
 * meets all alike. What is compared is compared within the round; of the rounds the median counts.
 */
import * as Effect from "effect/Effect"
import { setImmediate } from "node:timers/promises"

export interface Subject {
  /** What is done once. */
  readonly run: () => Promise<unknown>
  /** How often `run` does it: a macrotask comes after so many, which lets finalizers run. */
  readonly size: number
  /** Whether a block spends its time waiting for other threads, so that nothing but the clock can tell how long. */
  readonly waits?: boolean
}

/** The time of one, in microseconds, in each round. */
export type Samples<Name extends string> = Readonly<Record<Name, ReadonlyArray<number>>>

export interface Length {
  readonly warmUpMillis: number
  readonly millis: number
}

export const sideBySide = async <Name extends string>(
  subjects: Readonly<Record<Name, Subject>>,
  { millis, warmUpMillis }: Length
): Promise<Samples<Name>> => {
  const names = Object.keys(subjects) as Array<Name>
  const samples = Object.fromEntries(names.map((name) => [name, [] as Array<number>])) as Record<Name, Array<number>>
  const round = async (first: number, keep: boolean) => {
    for (let index = 0; index < names.length; index++) {
      const name = names[(first + index) % names.length]!
      const { run, size, waits = false } = subjects[name]
      await setImmediate()
      const micros = await timed(run, waits)
      if (keep) samples[name].push(micros / size)
    }
  }
  await during(warmUpMillis, (index) => round(index, false))
  await during(millis, (index) => round(index, true))
  return samples
}

/**
 * By the clock or by the processor time of this process, whichever is less: on a busy machine the clock goes on while
 * others run, on an idle one the processors are more than one.
 */
const timed = async (run: () => Promise<unknown>, waits: boolean): Promise<number> => {
  const usage = process.cpuUsage()
  const started = performance.now()
  await run()
  const elapsed = (performance.now() - started) * 1_000
  const { system, user } = process.cpuUsage(usage)
  return waits ? elapsed : Math.min(elapsed, user + system)
}

/** A block of an effect, `size` times in one fiber, and what is provided to it once. */
export const block = <A, E, R>(
  size: number,
  body: () => Effect.Effect<A, E, R>,
  within: (block: Effect.Effect<void, E, R>) => Effect.Effect<void, E>
): Subject => {
  const repeated = within(Effect.suspend(() => {
    let index = 0
    return Effect.whileLoop({
      while: () => index < size,
      body,
      step: () => {
        index++
      }
    })
  }))
  return { size, run: () => Effect.runPromise(repeated) }
}

/** A block of a promise, one after the other. */
export const promises = (size: number, body: () => Promise<unknown>): Subject => ({
  size,
  run: async () => {
    for (let index = 0; index < size; index++) await body()
  }
})

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** The median over the rounds of how many times longer `a` took than `b`. */
export const ratio = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  median(a.map((value, index) => value / b[index]!))

/** The median over the rounds of how much longer `a` took than `b`. */
export const added = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  median(a.map((value, index) => value - b[index]!))

const during = async (millis: number, round: (index: number) => Promise<void>): Promise<void> => {
  const until = performance.now() + millis
  for (let index = 0; index < 5 || performance.now() < until; index++) await round(index)
}
