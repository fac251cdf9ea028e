/** Opens the URL in its argument with each layer that opens browsers: a process of its own, with its own PATH. */
import * as Browser from "@effect-oauth2/platform-node/Browser"
import * as Effect from "effect/Effect"

const url = new URL(process.argv[2] ?? "")

const write = (text: string) => Effect.sync(() => void process.stdout.write(`${text}\n`))

const open = Effect.zipRight(Browser.openBrowser(url), write("done"))

Effect.runFork(
  Effect.zipRight(
    Effect.provide(open, Browser.layer),
    Effect.provide(open, Browser.layerPrintAndOpen((url) => write(`printed ${url.href}`)))
  )
)
