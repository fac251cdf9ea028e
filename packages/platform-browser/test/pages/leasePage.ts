/** A page that takes leases, and can hold a lock of any name or take its browser's locks away. */
import * as WebLocksLease from "@effect-oauth2/platform-browser/WebLocksLease"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

const page = {
  /** Holds the lock until the page is gone, or somebody steals it. */
  hold: (name: string) =>
    new Promise<void>((resolve) => {
      const held = navigator.locks.request(name, () => {
        resolve()
        return new Promise<void>(() => {})
      })
      held.catch(() => {})
    }),
  /** What came of a lease, and after how long, in milliseconds. */
  lease: async (key: string, ttl: number, wait: number) => {
    const began = performance.now()
    const lease = await Effect.runPromise(WebLocksLease.make)
    const outcome = await Effect.runPromise(
      lease.withLease(
        key,
        { ttl: Duration.millis(ttl), wait: Duration.millis(wait) },
        () => Effect.succeed("held")
      ).pipe(Effect.catchTag("LeaseTimeout", ({ _tag }) => Effect.succeed(_tag)))
    )
    return { outcome, millis: performance.now() - began }
  }
}

Object.assign(globalThis, { page })
export type Page = typeof page
