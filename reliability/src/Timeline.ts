/** A fleet's run as a picture: a row for each process, time to the right, and who renewed what. */
import type { Happening } from "./Fleet.js"

export interface Timeline {
  /** Epoch milliseconds. */
  readonly from: number
  readonly to: number
  readonly processes: number
  readonly sessions: number
  readonly lost: number
  readonly happenings: ReadonlyArray<Happening>
}

const width = 1_200
const left = 128
const right = 32
const top = 104
const rowHeight = 72
const barHeight = 40

const style = `
  svg { --page: #ffffff; --ink: #1f2328; --quiet: #656d76; --grid: #d8dee4; --bar: #eff3f7; --edge: #d0d7de;
    --refresh: #1a7f37; --adopt: #54aeff; --kill: #cf222e; --take: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    svg { --page: #0d1117; --ink: #e6edf3; --quiet: #8d96a0; --grid: #21262d; --bar: #161d27; --edge: #30363d;
      --refresh: #3fb950; --adopt: #316dca; --kill: #ff7b72; --take: #ffa657; }
  }
  text { font: 13px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--ink); }
  .title { font-size: 19px; font-weight: 600; }
  .quiet { fill: var(--quiet); }
  .axis { font-size: 12px; fill: var(--quiet); text-anchor: middle; font-variant-numeric: tabular-nums; }
  .name { font-weight: 600; }
  .small { font-size: 12px; }
  .page { fill: var(--page); }
  .grid { stroke: var(--grid); stroke-width: 1; }
  .gone { stroke: var(--kill); stroke-width: 1.5; stroke-dasharray: 2 5; opacity: .7; }
  .bar { fill: var(--bar); stroke: var(--edge); }
  .refresh { stroke: var(--refresh); stroke-width: 7; stroke-linecap: round; fill: none; }
  .adopt { stroke: var(--adopt); stroke-width: 1.5; fill: none; }
  .kill { stroke: var(--kill); stroke-width: 3.5; stroke-linecap: round; fill: none; }
  .hand { stroke: var(--take); stroke-width: 1.75; stroke-dasharray: 5 4; fill: none; }
  .take { fill: var(--take); stroke: var(--page); stroke-width: 2; }
  .took { font-size: 12px; font-weight: 600; text-anchor: middle; fill: var(--take); stroke: var(--page); stroke-width: 4;
    paint-order: stroke; stroke-linejoin: round; }
`

interface Scale {
  readonly x: (at: number) => number
  /** The middle of a process's row. */
  readonly y: (process: number) => number
}

export const svg = (timeline: Timeline): string => {
  const { from, happenings, processes, to } = timeline
  const height = top + processes * rowHeight + 92
  const scale: Scale = {
    x: (at) => left + ((Math.min(Math.max(at, from), to) - from) / (to - from)) * (width - left - right),
    y: (process) => top + process * rowHeight + rowHeight / 2
  }
  const numbers = Array.from({ length: processes }, (_, process) => process)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t d">`,
    `<title id="t">${heading(timeline)}</title>`,
    `<desc id="d">${summary(timeline)}</desc>`,
    `<style>${style}</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    `<text class="title" x="24" y="40">${heading(timeline)}</text>`,
    `<text class="quiet" x="24" y="64">${summary(timeline)}</text>`,
    ...axis(timeline, scale, top + processes * rowHeight),
    ...numbers.flatMap((process) => row(process, timeline, scale)),
    ...happenings.flatMap((happening) => takeover(happening, scale)),
    ...legend(height - 26),
    "</svg>",
    ""
  ].join("\n")
}

const heading = ({ lost, processes, sessions }: Timeline): string =>
  `${sessions} sessions, ${processes} processes, one PostgreSQL: ` +
  (lost === 0 ? "whoever is killed, the sessions go on" : `${lost} sessions lost`)

const of = (what: Happening["what"]) => (happening: Happening): boolean => happening.what === what

const summary = ({ happenings, lost }: Timeline): string => {
  const count = (what: Happening["what"]) => happenings.filter(of(what)).length
  const takenOver = happenings.filter(({ takenOver }) => takenOver !== undefined).length
  return `${number(count("refreshed"), "refresh", "es")}; ${number(count("killed"), "kill")}, ` +
    `which left ${number(takenOver, "refresh", "es")} half done for others to finish; ` +
    `${number(lost, "session")} lost`
}

const number = (count: number, what: string, plural = "s"): string => `${count} ${what}${count === 1 ? "" : plural}`

const axis = ({ from, to }: Timeline, { x }: Scale, bottom: number): ReadonlyArray<string> => {
  const seconds = Array.from({ length: Math.floor((to - from) / 1_000) + 1 }, (_, second) => second)
  return seconds.flatMap((second) => {
    const at = round(x(from + second * 1_000))
    return [
      `<path class="grid" d="M${at} ${top - 6}V${bottom + 4}"/>`,
      `<text class="axis" x="${at}" y="${bottom + 22}">${second === 0 ? "0 s" : second}</text>`
    ]
  })
}

const row = (process: number, { from, happenings, to }: Timeline, { x, y }: Scale): ReadonlyArray<string> => {
  const own = happenings.filter((happening) => happening.process === process)
  const middle = y(process)
  const marks = (what: Happening["what"], mark: (x: string) => string) =>
    own.filter((happening) => happening.what === what && happening.at >= from)
      .map(({ at }) => mark(round(x(at)))).join("")
  const lives = livesOf(own, to).filter(({ until }) => until > from)
  const bars = lives.map(({ since, until }) =>
    `<rect class="bar" x="${round(x(since))}" y="${middle - barHeight / 2}" width="${round(x(until) - x(since))}" ` +
    `height="${barHeight}" rx="6"/>`
  )
  const refreshed = own.filter(of("refreshed")).length
  return [
    `<path class="gone" d="M${left} ${middle}H${width - right}"/>`,
    ...bars,
    `<text class="name" x="24" y="${middle - 3}">process ${process + 1}</text>`,
    `<text class="quiet small" x="24" y="${middle + 14}">${refreshed} refreshes</text>`,
    `<path class="adopt" d="${marks("adopted", (x) => `M${x} ${middle + 8}v8`)}"/>`,
    `<path class="refresh" d="${marks("refreshed", (x) => `M${x} ${middle - 6}h0`)}"/>`,
    `<path class="kill" d="${marks("killed", (x) => `M${x} ${middle}${cross}`)}"/>`
  ]
}

const cross = "m-7 -7l14 14m0 -14l-14 14"

interface Life {
  readonly since: number
  readonly until: number
}

const livesOf = (own: ReadonlyArray<Happening>, to: number): ReadonlyArray<Life> =>
  own.filter(of("started")).map(({ at }) => ({
    since: at,
    until: own.find((happening) => happening.what === "killed" && happening.at > at)?.at ?? to
  }))

/** From the process that was killed to the one that went on, and how long that took. */
const takeover = ({ at, process, takenOver }: Happening, { x, y }: Scale): ReadonlyArray<string> => {
  if (takenOver === undefined) return []
  const [x1, y1, x2, y2] = [x(takenOver.at), y(takenOver.process), x(at), y(process) - 6]
  const bend = (x2 - x1) / 2
  return [
    `<path class="hand" d="M${round(x1 + 9)} ${y1}C${round(x1 + bend)} ${y1} ${round(x2 - bend)} ${y2} ` +
    `${round(x2 - 7)} ${y2}"/>`,
    `<path class="take" d="M${round(x2)} ${y2 - 8}l8 8l-8 8l-8 -8z"/>`,
    `<text class="took" x="${round(x2)}" y="${y2 - 11}">${((at - takenOver.at) / 1_000).toFixed(1)} s</text>`
  ]
}

const legend = (y: number): ReadonlyArray<string> => {
  const items: ReadonlyArray<readonly [mark: (x: number) => string, text: string, width: number]> = [
    [(x) => `<path class="refresh" d="M${x} ${y - 4}h0"/>`, "refreshed a session", 176],
    [(x) => `<path class="adopt" d="M${x} ${y - 8}v8"/>`, "heard of a refresh and went on with it", 290],
    [(x) => `<path class="kill" d="M${x} ${y - 4}${cross}"/>`, "killed (SIGKILL)", 164],
    [
      (x) => `<path class="take" d="M${x} ${y - 12}l8 8l-8 8l-8 -8z"/>`,
      "finished what one that was killed had begun",
      0
    ]
  ]
  let x = left
  return items.map(([mark, text, width]) => {
    const drawn = `${mark(x + 8)}<text x="${x + 24}" y="${y}">${text}</text>`
    x += width
    return drawn
  })
}

const round = (value: number): string => value.toFixed(1).replace(/\.0$/, "")
