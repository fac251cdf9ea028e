/** Tells what happens to the session while it happens: in this tab, and, by what they tell, in the others. */
import * as OAuth2Client from "@effect-oauth2/core/OAuth2Client"
import type * as SessionEvent from "@effect-oauth2/core/SessionEvent"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Log from "./Log.js"
import { Session } from "./Session.js"
import * as Stores from "./Stores.js"
import * as Tabs from "./Tabs.js"

/** How long another tab's word may take to arrive after what it tells of. */
const patience = "400 millis"

export const tell = Effect.gen(function*() {
  const client = yield* OAuth2Client.OAuth2Client
  const session = yield* Session
  const tabs = yield* Tabs.Tabs
  // Elsewhere each tab has a session of its own
  const isShared = Stores.of(location.href) === "indexeddb"
  const tellTabs = (news: Tabs.News["news"]) => isShared ? tabs.tell(news) : Effect.void
  /** Who got which generation, as the tabs told. */
  const told = new Map<number, Tabs.News>()

  const adopted = (generation: number) =>
    Effect.gen(function*() {
      if (!told.has(generation)) yield* Effect.sleep(patience)
      const by = told.get(generation)
      yield* session.look({ fetchedBy: by?.tab, trouble: undefined })
      const who = by === undefined ? "Another tab" : Tabs.nameOf(by.tab)
      yield* by?.news._tag === "SignedIn"
        ? Log.say("good", `${who} signed in anew. This tab goes on with that session.`, by.tab)
        : Log.say("good", `${who} renewed the session. This tab adopted generation ${generation}.`, by?.tab)
    })

  const hear = (event: SessionEvent.SessionEvent) => {
    switch (event._tag) {
      case "Authorized":
        told.clear()
        return Effect.all([
          session.look({ fetchedBy: tabs.me, trouble: undefined }),
          tellTabs({ _tag: "SignedIn", generation: event.generation }),
          Log.say("good", `Signed in. The session is at generation ${event.generation}.`, tabs.me)
        ])
      case "Refreshed":
        return Effect.all([
          tellTabs({ _tag: "Renewed", generation: event.generation }),
          count(session, "renewals"),
          session.look({ fetchedBy: tabs.me, trouble: undefined }),
          Log.say("good", `This tab renewed the session: generation ${event.generation}.`, tabs.me)
        ])
      case "Adopted":
        return Effect.zipRight(count(session, "adoptions"), adopted(event.generation))
      case "RenewalFailed":
        return Effect.zipRight(
          session.look({ trouble: event.error }),
          Log.say(
            "trouble",
            event.servedStale
              ? "The session could not be renewed just now. The token at hand still serves."
              : "The session could not be renewed just now, and the token has run out. The session is kept."
          )
        )
      case "Dead":
        return Effect.zipRight(
          session.end,
          Log.say("trouble", "The server has ended this session, so you are signed out. Sign in again to go on.")
        )
      case "SaveFailed":
        return Log.say(
          "trouble",
          "The new token could not be stored. It is held in memory, and stored as soon as it can."
        )
      case "Saved":
        return Log.say("good", "The new token is stored at last.")
      case "SignedOut":
        return session.end
      case "Removed":
        return Effect.zipRight(session.end, Log.say("plain", "Signed out in another tab."))
      case "Renamed":
      case "ScopeDiffers":
      case "ObserverFailed":
        return Effect.void
    }
  }

  const overhear = (news: Tabs.News) =>
    Effect.suspend(() => {
      if (news.news._tag === "Server" || !isShared) return Effect.void
      // A new session counts its generations anew
      if (news.news._tag === "SignedIn") told.clear()
      told.set(news.news.generation, news)
      // A tab in which nobody was signed in has no session to hear of
      return news.news._tag === "SignedIn" ? session.look({ fetchedBy: news.tab }) : Effect.void
    })

  yield* Effect.forkScoped(Stream.runForEach(client.events, hear))
  yield* Effect.forkScoped(Stream.runForEach(tabs.news, overhear))
})

const count = ({ state }: typeof Session.Service, what: "renewals" | "adoptions") =>
  SubscriptionRef.update(state, (before) => ({ ...before, [what]: before[what] + 1 }))
