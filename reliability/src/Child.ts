/** A process of the rig's: asked by message, killed and frozen by signal, and gone when the scope ends. */
import { Deferred, Effect, Queue } from "effect"
import type { Scope } from "effect"
import { fork } from "node:child_process"
import type {
  ReaderAnswers,
  ReaderQuestions,
  ReaderSettings,
  ServerAnswers,
  ServerQuestions,
  ServerSettings,
  Told,
  WorkerAnswers,
  WorkerQuestions,
  WorkerSettings,
  WriterSettings
} from "../processes/messages.js"
import { pathOf, type Program } from "./bundle.js"

export interface Child<Questions, Answers> {
  readonly pid: number
  readonly ask: <K extends keyof Questions & keyof Answers & string>(
    ask: K,
    question: Questions[K]
  ) => Effect.Effect<Answers[K]>
  /** What it tells without being asked. */
  readonly told: Queue.Dequeue<Told>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** By which signal or with which code it ended. */
  readonly ended: Effect.Effect<NodeJS.Signals | number>
}

export interface Server extends Child<ServerQuestions, ServerAnswers> {
  readonly url: string
}

export type Worker = Child<WorkerQuestions, WorkerAnswers>

interface Answer {
  readonly id: number
  readonly answer?: unknown
  readonly problem?: string
}

const start = <Questions, Answers>(
  name: Program,
  settings: object
): Effect.Effect<Child<Questions, Answers> & { readonly ready: { readonly port?: number } }, never, Scope.Scope> =>
  Effect.gen(function*() {
    const told = yield* Queue.unbounded<Told>()
    const ready = yield* Deferred.make<{ readonly port?: number }>()
    const ended = yield* Deferred.make<NodeJS.Signals | number>()
    const waiting = new Map<number, Deferred.Deferred<unknown>>()
    let count = 0
    const output: Array<string> = []
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => fork(pathOf(name), [JSON.stringify(settings)], { stdio: ["ignore", "pipe", "pipe", "ipc"] })),
      (child) =>
        Effect.suspend(() => {
          if (child.exitCode !== null || child.signalCode !== null) return Effect.void
          // One that is frozen is killed all the same
          child.kill("SIGKILL")
          return Effect.asVoid(Deferred.await(ended))
        })
    )
    child.stdout?.on("data", (text: Buffer) => output.push(text.toString()))
    child.stderr?.on("data", (text: Buffer) => output.push(text.toString()))
    child.on("exit", (code, signal) => {
      Deferred.unsafeDone(ended, Effect.succeed(signal ?? code ?? -1))
      const problem = new Error(`The ${name} has ended (${signal ?? String(code)}): ${output.join("").slice(-2_000)}`)
      Deferred.unsafeDone(ready, Effect.die(problem))
      for (const deferred of waiting.values()) Deferred.unsafeDone(deferred, Effect.die(problem))
    })
    child.on("message", (message: Answer | Told | { readonly ready: { readonly port?: number } }) => {
      if ("ready" in message) return Deferred.unsafeDone(ready, Effect.succeed(message.ready))
      if (!("id" in message)) return void told.unsafeOffer(message)
      const deferred = waiting.get(message.id)
      waiting.delete(message.id)
      if (deferred === undefined) return
      Deferred.unsafeDone(
        deferred,
        message.problem === undefined ? Effect.succeed(message.answer) : Effect.die(new Error(message.problem))
      )
    })
    return {
      ready: yield* Deferred.await(ready),
      pid: child.pid ?? -1,
      told,
      ended: Deferred.await(ended),
      signal: (signal) => Effect.sync(() => void child.kill(signal)),
      ask: (ask, question) =>
        Effect.flatMap(Deferred.make<unknown>(), (answered) => {
          const id = count++
          waiting.set(id, answered)
          child.send({ id, ask, question }, (problem) => {
            if (problem !== null) Deferred.unsafeDone(answered, Effect.die(problem))
          })
          // The child answers what it was asked, by the same types
          return Deferred.await(answered) as Effect.Effect<never>
        })
    }
  })

export const server = (settings: ServerSettings): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.map(start<ServerQuestions, ServerAnswers>("server", settings), (child) => ({
    ...child,
    url: `http://127.0.0.1:${child.ready.port}`
  }))

export const worker = (settings: WorkerSettings): Effect.Effect<Worker, never, Scope.Scope> =>
  start<WorkerQuestions, WorkerAnswers>("worker", settings)

export const writer = (
  settings: WriterSettings
): Effect.Effect<Child<Record<never, never>, Record<never, never>>, never, Scope.Scope> => start("writer", settings)

export const reader = (
  settings: ReaderSettings
): Effect.Effect<Child<ReaderQuestions, ReaderAnswers>, never, Scope.Scope> => start("reader", settings)
