/** What the tabs of an origin tell each other of a store, over a BroadcastChannel. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { News } from "./storedTexts.js"

export interface Channel {
  readonly tell: (news: News) => void
  /** The keys, whoever told of them, from the subscription on. */
  readonly changes: Stream.Stream<string>
}

const open = (name: string): Effect.Effect<BroadcastChannel, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new BroadcastChannel(name)),
    (channel) => Effect.sync(() => channel.close())
  )

/** Who tells does not hear itself; another channel of the same page does. */
export const make = (name: string): Effect.Effect<Channel, never, Scope.Scope> =>
  Effect.map(open(name), (channel) => ({
    tell: (news) => channel.postMessage(news),
    changes: Stream.asyncPush<string>((emit) =>
      Effect.map(open(name), (channel) => {
        channel.onmessage = ({ data }: MessageEvent<unknown>) => {
          if (Predicate.hasProperty(data, "key") && typeof data.key === "string") emit.single(data.key)
        }
      }), { bufferSize: 1_024, strategy: "sliding" })
  }))
