/** What is seen of the session: its state in words, its generation, the time that is left, and who renewed it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Element from "./Element.js"
import { Session, type State } from "./Session.js"
import { Settings } from "./Settings.js"
import * as Stores from "./Stores.js"
import * as Tabs from "./Tabs.js"

export const show = Effect.gen(function*() {
  const { state } = yield* Session
  const { user } = yield* Settings
  const { me } = yield* Tabs.Tabs

  yield* Effect.sync(() => {
    document.title = `${Tabs.nameOf(me)} · effect-oauth2`
    Element.find("me").replaceChildren(Element.swatch(me.colour), Tabs.nameOf(me))
  })
  yield* Element.show("user-name", user.name)
  yield* Element.show("user-password", user.password)
  yield* storeChoice

  const render = Effect.flatMap(
    Effect.all([SubscriptionRef.get(state), Clock.currentTimeMillis]),
    ([now, millis]) => rendered(now, me, millis)
  )
  yield* Effect.forkScoped(Stream.runForEach(state.changes, () => render))
  yield* Effect.forkScoped(Effect.repeat(render, Schedule.spaced("100 millis")))
})

const rendered = (state: State, me: Tabs.Tab, now: number): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { isSignedIn = false, fetchedBy, token } = state
    const left = Math.max((token?.expiresAt ?? 0) - now, 0)
    const life = token === undefined ? 1 : token.expiresAt - token.issuedAt
    const { detail, text, tone } = described(state, left)
    yield* Element.show("state", text)
    yield* Element.show("detail", detail)
    yield* Element.show("generation", token === undefined ? "–" : String(token.generation))
    yield* Element.show("time-left", token === undefined ? "–" : seconds(left))
    yield* Element.show("fetched-by", fetchedBy === undefined ? "–" : nameFor(fetchedBy, me))
    yield* Element.show(
      "glance",
      token === undefined ? text : `${text} · generation ${token.generation} · ${seconds(left)}`
    )
    yield* Element.show("renewals", String(state.renewals))
    yield* Element.show("adoptions", String(state.adoptions))
    yield* Element.setHidden("signed-in", !isSignedIn)
    yield* Element.setHidden("signed-out", state.isSignedIn !== false)
    yield* Effect.sync(() => {
      document.body.dataset["tone"] = tone
      Element.find("bar").style.setProperty("--left", String(left / life))
      Element.find("fetched-by").dataset["colour"] = fetchedBy?.colour ?? "none"
    })
  })

const seconds = (millis: number): string => `${(millis / 1_000).toFixed(1)} s`

const nameFor = (tab: Tabs.Tab, me: Tabs.Tab): string => tab.id === me.id ? "this tab" : Tabs.nameOf(tab)

const described = ({ isSignedIn, trouble }: State, left: number): Record<"text" | "detail" | "tone", string> => {
  if (isSignedIn === undefined) return { text: "One moment", detail: "Looking for a session.", tone: "plain" }
  if (!isSignedIn) return { text: "Signed out", detail: "Sign in, and see how long it lasts.", tone: "plain" }
  if (trouble === undefined) {
    return {
      text: "Signed in",
      detail: left > 0
        ? "The token serves."
        : "The token has run out, as tokens do. The next call renews it first.",
      tone: "good"
    }
  }
  return {
    text: "Signed in",
    detail: left > 0
      ? "It cannot be renewed just now. The token still serves."
      : "It cannot be renewed just now. The session is kept, and goes on when the server does.",
    tone: "trouble"
  }
}

/** Another choice is another page: a session stays where it is. */
const storeChoice = Effect.sync(() => {
  const store = Stores.of(location.href)
  const select = Element.find("store") as HTMLSelectElement
  select.value = store
  Element.find("store-description").textContent = Stores.descriptions[store]
  select.addEventListener(
    "change",
    () => location.assign(Stores.keepIn(`${location.origin}/`, select.value as Stores.Name))
  )
})
