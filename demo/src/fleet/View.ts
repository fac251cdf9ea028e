/**
 * What the fleet shows: on a terminal a picture that is drawn over and over in its place, elsewhere plain lines.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import picocolors from "picocolors"
import type { Fleet } from "../../../reliability/src/Fleet.js"
import type { Board, SessionState, Worker } from "./Board.js"
import { number } from "./Board.js"
import type { Options } from "./Options.js"

export interface View {
  readonly text: (text: string) => Effect.Effect<void>
  /** Shows the board from now on. */
  readonly watch: (board: Board, fleet: Fleet) => Effect.Effect<void>
  /** Leaves what is shown as it is. */
  readonly end: Effect.Effect<void>
}

type Output = Pick<NodeJS.WriteStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number }

type Paint = ReturnType<typeof picocolors.createColors>

const frameMillis = 200
const lineSeconds = 5
const newsShown = 6

export const make = (output: Output, options: Options): Effect.Effect<View, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const isLive = output.isTTY === true
    const paint = picocolors.createColors(isLive && picocolors.isColorSupported)
    const print = (text: string) => Effect.sync(() => void output.write(`${text}\n`))
    let last: Effect.Effect<void> = Effect.void
    let isOver = false

    const live = (board: Board, fleet: Fleet) => {
      let height = 0
      const draw = Effect.sync(() => {
        const lines = frame(board, fleet, options, paint, output.columns ?? 80)
        const back = height === 0 ? "" : `\u001b[${height}A`
        output.write(back + lines.map((line) => `\r\u001b[2K${line}\n`).join(""))
        height = lines.length
      })
      const hidden = Effect.acquireRelease(
        Effect.sync(() => void output.write("\u001b[?25l")),
        () => Effect.sync(() => void output.write("\u001b[?25h"))
      )
      last = draw
      return Effect.zipRight(hidden, repeat(draw, frameMillis))
    }

    const plain = (board: Board, fleet: Fleet) => {
      let told = 0
      const news = Effect.suspend(() => {
        const lines = board.news.slice(told).map(({ at, text }) => `${time(board, at)}   ${text}`)
        told = board.news.length
        return lines.length === 0 ? Effect.void : print(lines.join("\n"))
      })
      const counters = Effect.suspend(() => print(`${time(board, Date.now())}   ${counted(board, fleet)}`))
      last = Effect.zipRight(news, counters)
      return Effect.all([repeat(news, frameMillis), repeat(counters, lineSeconds * 1_000)], {
        concurrency: "unbounded",
        discard: true
      })
    }

    /** Until it is over. */
    const repeat = (work: Effect.Effect<void>, millis: number) =>
      Effect.repeat(Effect.zipRight(work, Effect.sleep(millis)), { while: () => !isOver })

    return {
      text: print,
      watch: (board, fleet) =>
        Effect.asVoid(Effect.forkIn(Effect.scoped((isLive ? live : plain)(board, fleet)), scope)),
      end: Effect.suspend(() => {
        isOver = true
        return last
      })
    }
  })

const time = ({ began }: Board, at: number): string => `${((at - began()) / 1_000).toFixed(1)} s`.padStart(8)

const counted = (board: Board, fleet: Fleet): string => {
  const { adoptions, kills, logins, lost, refreshes, takeovers } = board.counts()
  return [
    number(logins, "login"),
    number(fleet.calls(), "use"),
    number(refreshes, "refresh", "es"),
    `${adoptions.toLocaleString("en-US")} adopted`,
    number(kills, "kill"),
    `${takeovers} taken over`,
    `${lost} lost`
  ].join("   ")
}

// ---- the picture

type Block = SessionState | "refreshing"

/** Told apart without colours, too. */
const blocks: Readonly<Record<Block, { readonly glyph: string; readonly colour: keyof Paint; readonly text: string }>> =
  {
    fresh: { glyph: "█", colour: "green", text: "fresh" },
    adopted: { glyph: "▓", colour: "cyan", text: "adopted by another, too" },
    refreshing: { glyph: "▒", colour: "yellow", text: "being refreshed" },
    expired: { glyph: "░", colour: "dim", text: "expired, not in use" },
    lost: { glyph: "✕", colour: "red", text: "lost" }
  }

const frame = (board: Board, fleet: Fleet, options: Options, paint: Paint, columns: number): ReadonlyArray<string> => {
  const now = Date.now()
  const width = Math.max(20, columns - 4)
  const waiting = fleet.waiting(50)
  const states = board.sessions(now).map((state, session): Block =>
    state !== "lost" && waiting.has(session) ? "refreshing" : state
  )
  const news = board.news.slice(-newsShown)
  const elapsed = Math.round((now - board.began()) / 1_000)
  return [
    "",
    paint.bold(
      `  ${fit(`${elapsed} s: ${options.sessions} sessions, ${options.workers} processes, one PostgreSQL`, width)}`
    ),
    "",
    ...board.workers().map((worker) => workerLine(worker, now, paint, width)),
    "",
    ...strip(states, paint, Math.min(50, width)),
    "",
    ...legend(paint, width),
    "",
    paint.bold(`  ${fit(counted(board, fleet), width)}`),
    "",
    ...Array.from({ length: newsShown }, (_, index) => {
      const item = news[index]
      return item === undefined ? "" : paint.dim(fit(`${time(board, item.at)}   ${item.text}`, width))
    })
  ]
}

const workerLine = (worker: Worker, now: number, paint: Paint, width: number): string => {
  const { adopted, isUp, name, refreshed, since, takenOver } = worker
  const isNew = now - since < 1_000
  const state = isUp ? (isNew ? "started" : "works") : isNew ? "killed" : "starts anew"
  const colour = isUp ? paint.green : isNew ? paint.red : paint.yellow
  const text = `${name}  ${isUp ? "●" : "✕"} ${state.padEnd(12)}${String(refreshed).padStart(6)} refreshed ` +
    `${String(adopted).padStart(6)} adopted ${String(takenOver).padStart(4)} taken over`
  return `  ${colour(fit(text, width))}`
}

const strip = (states: ReadonlyArray<Block>, paint: Paint, width: number): ReadonlyArray<string> =>
  Array.from(
    { length: Math.ceil(states.length / width) },
    (_, row) =>
      `  ${
        states.slice(row * width, (row + 1) * width).map((state) => painted(state, blocks[state].glyph, paint)).join("")
      }`
  )

const painted = (state: Block, text: string, paint: Paint): string => {
  const colour = paint[blocks[state].colour]
  return typeof colour === "function" ? colour(text) : text
}

const legend = (paint: Paint, width: number): ReadonlyArray<string> => {
  const items = Object.entries(blocks).map(([state, { glyph, text }]) => ({
    length: text.length + 5,
    drawn: `${painted(state as Block, glyph, paint)} ${text}   `
  }))
  const lines: Array<{ length: number; drawn: string }> = []
  for (const { drawn, length } of items) {
    const line = lines.at(-1)
    if (line === undefined || line.length + length > width) lines.push({ length, drawn: `  ${drawn}` })
    else lines[lines.length - 1] = { length: line.length + length, drawn: line.drawn + drawn }
  }
  return lines.map(({ drawn }) => drawn.trimEnd())
}

/** A line that a terminal would break is drawn over in the wrong place. */
const fit = (text: string, width: number): string => text.length > width ? `${text.slice(0, width - 1)}…` : text
