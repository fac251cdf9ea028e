/**
 * The servers of the demo as a scoped resource: a child process, ended by its id when the scope ends.
 */
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { FromServers, Ready, Report, ToServers } from "./servers/Messages.js"

/** The servers did not start, or ended before they were told to. */
export class ServersFailed extends Data.TaggedError("ServersFailed")<{ readonly problem: string }> {
  override get message(): string {
    return `The demo's servers failed: ${this.problem}`
  }
}

export interface Servers {
  readonly ready: Ready
  /** The child's process id. */
  readonly pid: number
  /** From the next token request on, token requests are turned away for so many milliseconds. */
  readonly refuse: (millis: number) => Effect.Effect<void, ServersFailed>
  /** Makes the newest access token useless before its time. */
  readonly withdraw: Effect.Effect<void, ServersFailed>
  readonly report: Effect.Effect<Report, ServersFailed>
}

const directory = fileURLToPath(new URL("..", import.meta.url))
const entry = fileURLToPath(new URL("servers/main.ts", import.meta.url))

export const make = (options: { readonly tokenSeconds: number }): Effect.Effect<Servers, ServersFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(Effect.sync(() => start(options.tokenSeconds)), end)
    let answer = yield* Deferred.make<FromServers, ServersFailed>()
    const fail = (problem: string) => Deferred.unsafeDone(answer, Effect.fail(new ServersFailed({ problem })))
    const started = answer
    child.on("message", (message: FromServers) => Deferred.unsafeDone(answer, Effect.succeed(message)))
    child.once("error", (error) => fail(error.message))
    child.once("exit", (code, signal) => fail(`they ended early (${signal ?? code})`))

    const oneAtATime = yield* Effect.makeSemaphore(1)
    const ask = (message: ToServers): Effect.Effect<FromServers, ServersFailed> =>
      Effect.gen(function*() {
        answer = yield* Deferred.make<FromServers, ServersFailed>()
        child.send(message)
        return yield* Deferred.await(answer)
      }).pipe(within("10 seconds"), oneAtATime.withPermits(1))

    const ready = yield* within("30 seconds")(Deferred.await(started))
    if (ready.type !== "ready" || child.pid === undefined) return yield* new ServersFailed({ problem: "no start" })
    return {
      ready,
      pid: child.pid,
      refuse: (millis) => Effect.asVoid(ask({ type: "refuse", millis })),
      withdraw: Effect.asVoid(ask({ type: "withdraw" })),
      report: Effect.flatMap(
        ask({ type: "report" }),
        (answer) => answer.type === "report" ? Effect.succeed(answer) : new ServersFailed({ problem: "no report" })
      )
    }
  })

const within = (duration: Duration.DurationInput) => <A>(effect: Effect.Effect<A, ServersFailed>) =>
  Effect.timeoutFail(effect, {
    duration,
    onTimeout: () => new ServersFailed({ problem: "no answer in time" })
  })

const start = (tokenSeconds: number): ChildProcess =>
  fork(entry, [String(tokenSeconds)], { cwd: directory, execArgv: ["--import", "tsx"] })

/** Ends the process that was started, by its id, and waits until it is gone. */
const end = (child: ChildProcess): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resume(Effect.void)
    const pid = child.pid
    const impatient = setTimeout(() => process.kill(pid, "SIGKILL"), 2_000)
    child.removeAllListeners("exit").once("exit", () => {
      clearTimeout(impatient)
      resume(Effect.void)
    })
    process.kill(pid, "SIGTERM")
  })
