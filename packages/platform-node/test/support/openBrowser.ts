/** Opens the URL in its last argument with the layer named in the one before: a process of its own, with its own PATH. */
import * as Browser from "@effect-oauth2/platform-node/Browser"
import * as Effect from "effect/Effect"

const [name, url] = process.argv.slice(2)
const print = (url: URL) => Effect.sync(() => void process.stdout.write(`${url.href}\n`))
const layer = name === "layer" ? Browser.layer : Browser.layerPrintAndOpen(print)

Effect.runFork(
  Browser.openBrowser(new URL(url ?? "")).pipe(
    Effect.zipRight(Effect.sync(() => process.stdout.write("done\n"))),
    Effect.provide(layer)
  )
)
