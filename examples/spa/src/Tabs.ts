/**
 * The tabs of this page: each has a name that a person can tell from the others, and tells the others what it did. The
 * session needs none of this, and no token is ever told: it is for whoever watches.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

const colours = ["amber", "coral", "indigo", "jade", "plum", "sky"] as const
const animals = ["otter", "heron", "lynx", "wren", "hare", "badger", "newt", "stork", "marten", "plover"] as const

/** Two may have one name by chance, but not one id. */
export const Tab = Schema.Struct({ id: Schema.UUID, colour: Schema.Literal(...colours), animal: Schema.String })

export interface Tab extends Schema.Schema.Type<typeof Tab> {}

/** Such as “Amber otter”. */
export const nameOf = ({ animal, colour }: Tab): string => `${colour[0]!.toUpperCase()}${colour.slice(1)} ${animal}`

const News = Schema.Struct({
  tab: Tab,
  news: Schema.Union(
    Schema.TaggedStruct("SignedIn", { generation: Schema.Number }),
    Schema.TaggedStruct("Renewed", { generation: Schema.Number }),
    Schema.TaggedStruct("Server", { isRunning: Schema.Boolean })
  )
})

export interface News extends Schema.Schema.Type<typeof News> {}

export class Tabs extends Context.Tag("spa/Tabs")<Tabs, {
  readonly me: Tab
  readonly tell: (news: News["news"]) => Effect.Effect<void>
  /** What the other tabs tell, from the subscription on. */
  readonly news: Stream.Stream<News>
}>() {}

const channelName = "spa tabs"

const channel = Effect.acquireRelease(
  Effect.sync(() => new BroadcastChannel(channelName)),
  (channel) => Effect.sync(() => channel.close())
)

export const layer = Layer.scoped(
  Tabs,
  Effect.gen(function*() {
    const me: Tab = {
      id: crypto.randomUUID(),
      colour: yield* Random.choice(colours),
      animal: yield* Random.choice(animals)
    }
    const out = yield* channel
    const news = Stream.asyncPush<unknown>((emit) =>
      Effect.map(channel, (channel) => {
        channel.onmessage = ({ data }: MessageEvent<unknown>) => emit.single(data)
      })
    )
    return {
      me,
      tell: (news) => Effect.sync(() => out.postMessage({ tab: me, news })),
      news: news.pipe(
        Stream.filter(Schema.is(News)),
        Stream.filter(({ tab }) => tab.id !== me.id)
      )
    }
  })
)
