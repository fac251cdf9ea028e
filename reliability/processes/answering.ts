/** The child's side: answers questions until it is told to end. */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"

type Handlers<Questions, Answers, R> = {
  readonly [K in keyof Questions & keyof Answers]: (question: Questions[K]) => Effect.Effect<Answers[K], unknown, R>
}

interface Question {
  readonly id: number
  readonly ask: string
  readonly question: unknown
}

export const settings = <A>(): A => JSON.parse(process.argv[2] ?? "{}") as A

export const tell = (message: unknown) => Effect.sync(() => void process.send?.(message))

/** Answers until the scope ends. Says `ready` when it begins to. */
export const answer = <Questions, Answers, R>(handlers: Handlers<Questions, Answers, R>, ready: object = {}) =>
  Effect.gen(function*() {
    const runtime = yield* Effect.runtime<R>()
    // What is asked is one of the handlers' own questions: the rig's types see to that
    const byName = handlers as Record<string, (question: unknown) => Effect.Effect<unknown, unknown, R>>
    const onMessage = ({ ask, id, question }: Question) => {
      const handler = byName[ask]
      if (handler === undefined) return void process.send?.({ id, problem: `nobody answers ${ask}` })
      Runtime.runFork(runtime)(Effect.match(Effect.sandbox(handler(question)), {
        onFailure: (cause) => void process.send?.({ id, problem: String(cause) }),
        onSuccess: (value) => void process.send?.({ id, answer: value })
      }))
    }
    // Whoever asks is gone, and with it the reason to be here
    const onDisconnect = () => void process.kill(process.pid, "SIGTERM")
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on("message", onMessage).on("disconnect", onDisconnect)),
      () =>
        Effect.sync(() => {
          process.off("message", onMessage).off("disconnect", onDisconnect)
          if (process.connected) process.disconnect()
        })
    )
    yield* tell({ ready })
  })
