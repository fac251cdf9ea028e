/** A button for each thing that can go wrong. What happens at the servers is ordered from the page's own origin. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as Element from "./Element.js"
import * as Log from "./Log.js"
import { Network, turn } from "./Network.js"
import { Settings } from "./Settings.js"
import * as Tabs from "./Tabs.js"

const order = (name: "withdraw" | "revoke" | "stop" | "start") =>
  Effect.flatMap(HttpClient.HttpClient, (http) => http.post(new URL(`/orders/${name}`, location.origin))).pipe(
    Effect.as(true),
    Effect.catchAll(() => Effect.as(Log.say("trouble", "The demo itself has ended. Start it again."), false))
  )

const ordered = (name: Parameters<typeof order>[0], words: string) =>
  Effect.flatMap(order(name), (isDone) => isDone ? Log.say("plain", words) : Effect.void)

export const buttons = Effect.gen(function*() {
  const tabs = yield* Tabs.Tabs
  const { isUp } = yield* Network
  const { serverIsRunning } = yield* Settings
  const isRunning = yield* Ref.make(serverIsRunning)

  const showServer = (now: boolean) =>
    Effect.zipRight(
      Element.show("server", now ? "Kill the server" : "Start it again"),
      pressed("server", !now)
    )
  const setServer = (now: boolean) => Effect.zipRight(Ref.set(isRunning, now), showServer(now))

  const turnServer = Effect.gen(function*() {
    const now = !(yield* Ref.get(isRunning))
    if (!(yield* order(now ? "start" : "stop"))) return
    yield* setServer(now)
    yield* tabs.tell({ _tag: "Server", isRunning: now })
    yield* Log.say(
      "plain",
      now ? "The authorization server runs again." : "The authorization server is dead. The API still works."
    )
  })

  yield* showServer(serverIsRunning)
  yield* Element.onClick(
    "expire",
    ordered("withdraw", "The access token works no more. Nobody knows yet: the next call will find out.")
  )
  yield* Element.onClick("network", turn)
  yield* Element.onClick("server", turnServer)
  yield* Element.onClick(
    "revoke",
    ordered("revoke", "The server takes back all that it granted. The next renewal will be refused.")
  )

  yield* Effect.forkScoped(Stream.runForEach(isUp.changes, (isUp) =>
    Effect.zipRight(
      Element.show("network", isUp ? "Drop the network" : "Bring it back"),
      pressed("network", !isUp)
    )))
  yield* Effect.forkScoped(
    Stream.runForEach(tabs.news, ({ news }) => news._tag === "Server" ? setServer(news.isRunning) : Effect.void)
  )
  for (const [name, words] of Object.entries(networkWords)) yield* onWindow(name, Log.say("plain", words))
})

const networkWords = { offline: "This tab has no network.", online: "The network is back." }

const pressed = (name: string, isPressed: boolean) =>
  Effect.sync(() => Element.find(name).setAttribute("data-on", `${isPressed}`))

const onWindow = <R>(name: string, effect: Effect.Effect<void, never, R>) =>
  Effect.forkScoped(Stream.runForEach(Stream.fromEventListener(globalThis.window, name), () => effect))
