/** The page that the user sees at the end: static, with nothing in it that came with the request. */
import { createHash } from "node:crypto"

/**
 * What the user sees at the end, in plain text: it is escaped.
 *
 * @since 0.1.0
 * @category models
 */
export interface Page {
  readonly title: string
  readonly text: string
  /** The language of the two (BCP 47). Default: `en`. */
  readonly lang?: string | undefined
}

/** A reply's status, headers and body. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const found = ({ lang = "en", text, title }: Page, mark: "done" | "failed"): Reply =>
  reply(
    200,
    `<!doctype html>
<html lang="${escape(lang)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}</title>
<style>${style}</style>
<script>${script}</script>
</head>
<body>
<main class="${mark}">
<svg viewBox="0 0 24 24" width="48" height="48" aria-hidden="true"><circle cx="12" cy="12" r="12"/><path d="${
      marks[mark]
    }"/></svg>
<h1 dir="auto">${escape(title)}</h1>
<p dir="auto">${escape(text)}</p>
</main>
</body>
</html>
`
  )

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const marks = { done: "M7 12.5l3.5 3.5L17 9", failed: "M8 8l8 8M16 8l-8 8" }

const style = `
:root{color-scheme:light dark;--back:#f6f7f9;--card:#fff;--line:#e3e6ea;--text:#1c2024;--soft:#5b6470;--done:#1f883d;--failed:#c9372c}
@media(prefers-color-scheme:dark){:root{--back:#0f1113;--card:#181b1f;--line:#2b3036;--text:#eceef0;--soft:#9ba4ae;--done:#3fb950;--failed:#f2645a}}
*{box-sizing:border-box;margin:0}
body{min-height:100vh;display:grid;place-items:center;padding:24px;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:26rem;padding:40px 32px;text-align:center;background:var(--card);border:1px solid var(--line);border-radius:16px;overflow-wrap:anywhere}
svg{fill:none;stroke:var(--card);stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
circle{stroke:none}
.done circle{fill:var(--done)}
.failed circle{fill:var(--failed)}
h1{margin:20px 0 8px;font-size:1.375rem;line-height:1.3}
p{color:var(--soft);white-space:pre-line}
`

/** Takes the code out of the address bar and of the history. */
const script = "history.replaceState(null,\"\",location.pathname)"

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

const policy = [
  "default-src 'none'",
  `style-src ${hash(style)}`,
  `script-src ${hash(script)}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

const reply = (status: number, body: string): Reply => ({
  status,
  body,
  headers: {
    "content-type": "text/html; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    "content-security-policy": policy,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    connection: "close"
  }
})

/** For everything that is not the callback: it learns nothing. */
export const notFound: Reply = reply(404, "")
