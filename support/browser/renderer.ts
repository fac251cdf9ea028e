/** The process that runs a tab, which can be stopped as a device stops it that goes to sleep: with all that is under way. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Browser, Page as Tab } from "playwright-core"

/** The one that works when the tab works, and others do not. */
const processOf = (browser: Browser, tab: Tab): Effect.Effect<number> =>
  Effect.promise(async () => {
    const session = await browser.newBrowserCDPSession()
    const times = async () => {
      const { processInfo } = await session.send("SystemInfo.getProcessInfo")
      return new Map(processInfo.flatMap(({ cpuTime, id, type }) => type === "renderer" ? [[id, cpuTime]] : []))
    }
    const before = await times()
    await tab.evaluate(() => {
      const until = performance.now() + 400
      while (performance.now() < until);
    })
    const worked = [...await times()].map(([id, time]) => ({ id, time: time - (before.get(id) ?? 0) }))
    await session.detach()
    return worked.reduce((one, other) => other.time > one.time ? other : one).id
  })

/** Something that can be stopped, and goes on where it was. */
export interface Stoppable {
  readonly stop: Effect.Effect<void>
  readonly goOn: Effect.Effect<void>
}

export const of = (browser: Browser, tab: Tab): Effect.Effect<Stoppable, never, Scope.Scope> =>
  Effect.flatMap(processOf(browser, tab), (id) => {
    const send = (signal: "SIGSTOP" | "SIGCONT") => Effect.sync(() => void process.kill(id, signal))
    const goOn = send("SIGCONT")
    return Effect.as(Effect.addFinalizer(() => Effect.ignore(Effect.try(() => process.kill(id, "SIGCONT")))), {
      stop: send("SIGSTOP"),
      goOn
    })
  })
