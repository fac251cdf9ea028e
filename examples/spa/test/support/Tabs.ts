/** Tabs of one visitor, driven by the page's buttons. */
import * as Effect from "effect/Effect"
import type { Driver } from "../../../../support/browser/tabs.js"
import type * as Stores from "../../src/Stores.js"
import type * as Visitor from "./Visitor.js"

export const make = (visitor: Visitor.Visitor, store: Stores.Name): Driver<Visitor.Tab> => ({
  open: visitor.open(`/?store=${store}`),
  signIn: (tab) => tab.signIn,
  call
})

/** What the button makes at once. */
const many = 20

const call = (tab: Visitor.Tab, times: number) =>
  Effect.gen(function*() {
    if (times % many !== 0) throw new Error(`The page makes ${many} calls at once, and not ${times}`)
    const before = yield* counts(tab)
    yield* Effect.replicateEffect(tab.click("call-many"), times / many)
    const after = yield* Effect.repeat(Effect.delay(counts(tab), 50), {
      until: ({ answered, failed }) => answered + failed === before.answered + before.failed + times
    })
    const failures = after.failed - before.failed
    const why = failures === 0 ? "" : yield* tab.text("log")
    return { answered: after.answered - before.answered, failed: Array.from({ length: failures }, () => why) }
  })

const counts = (tab: Visitor.Tab) =>
  Effect.map(Effect.all([tab.number("answered"), tab.number("failed")]), ([answered, failed]) => ({ answered, failed }))
