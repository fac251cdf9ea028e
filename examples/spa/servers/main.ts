/**
 * `npm run demo:browser`: the servers and the page, until Ctrl-C. With `--print` no browser is opened.
 */
import * as Browser from "@effect-oauth2/platform-node/Browser"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import picocolors from "picocolors"
import * as House from "./house.js"
import * as Page from "./page.js"

/** How long an access token works. */
const tokenSeconds = 10

const paint = picocolors.createColors(process.stdout.isTTY === true && picocolors.isColorSupported)

const hasScreen = ["darwin", "win32"].includes(process.platform) ||
  (process.env["DISPLAY"] ?? process.env["WAYLAND_DISPLAY"] ?? "") !== ""

const browser = process.argv.includes("--print") || !hasScreen
  ? Browser.layerPrint(() => Effect.void)
  : Browser.layer

const main = Effect.gen(function*() {
  if (!Page.isBuilt()) yield* Console.log(paint.dim("\n  Building the page, which takes a moment …"))
  const files = yield* Page.files
  const { api, authorizationServer, origin } = yield* House.make({ files, tokenSeconds })
  const { issuer, user } = authorizationServer
  yield* Console.log(`
  ${paint.bold("A page, and what it needs, on three origins of this machine:")}

    authorization server   ${issuer}   ${paint.dim(`oidc-provider; a token works for ${tokenSeconds} seconds`)}
    API                    ${api.origin}
    page                   ${paint.cyan(origin)}

  Open ${paint.cyan(origin)}, and sign in as ${paint.bold(user.name)} with the password ${paint.bold(user.password)}.
  ${paint.dim("Open it in a second tab too. Ctrl-C ends all of it.")}
`)
  yield* Effect.ignore(Browser.openBrowser(new URL(origin)))
  return yield* Effect.never
}).pipe(Effect.scoped, Effect.provide(browser))

NodeRuntime.runMain(main, {
  disableErrorReporting: true,
  teardown: (exit, onExit) => {
    if (Exit.isFailure(exit) && !Cause.isInterruptedOnly(exit.cause)) {
      process.stderr.write(`\n  ${Cause.pretty(exit.cause)}\n`)
      return onExit(1)
    }
    process.stdout.write("\n  Stopped. The servers have ended.\n")
    onExit(0)
  }
})
