/** What happened, in words, the newest first. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Element from "./Element.js"
import type { Tab } from "./Tabs.js"

export type Tone = "good" | "plain" | "trouble"

export class Log extends Context.Tag("spa/Log")<Log, {
  /** With the tab that did it, if one did. */
  readonly say: (tone: Tone, text: string, tab?: Tab) => Effect.Effect<void>
}>() {}

const most = 100

const entry = (millis: number, tone: Tone, text: string, tab: Tab | undefined): HTMLElement => {
  const item = document.createElement("li")
  item.dataset["tone"] = tone
  const time = document.createElement("time")
  time.textContent = new Date(millis).toLocaleTimeString([], { hour12: false })
  const words = document.createElement("span")
  words.textContent = text
  item.append(time, Element.swatch(tab?.colour ?? "none"), words)
  return item
}

export const layer = Layer.sync(Log, () => ({
  say: (tone, text, tab) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const list = Element.find("log")
      list.prepend(entry(now, tone, text, tab))
      while (list.childElementCount > most) list.lastElementChild?.remove()
    })
}))

export const say = (tone: Tone, text: string, tab?: Tab): Effect.Effect<void, never, Log> =>
  Effect.flatMap(Log, (log) => log.say(tone, text, tab))
