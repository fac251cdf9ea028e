/**
 * What this library adds to a page.
 *
 *   npm run size -- [--json FILE] [--check]
 */
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import { type Figure, report, type Section } from "../src/report.js"
import { type Bundle, entry, forBrowser, gzipped, ourModules, ourPart } from "./bundle.js"
import { floor } from "./floor.js"
import { faults } from "./page.js"

const { values: options } = parseArgs({
  options: {
    json: { type: "string" },
    check: { type: "boolean", default: false }
  }
})

const measured = async (name: string, title: string, most?: number) => {
  const bundle = await forBrowser(entry(name))
  const floorSize = gzipped(await floor(entry(name)))
  const size = gzipped(bundle.code)
  const figures: ReadonlyArray<Figure> = [
    {
      name: `${name}-above-floor-gzip`,
      title: `${title}: added by this library`,
      value: size - floorSize,
      unit: "B",
      ...(most === undefined ? undefined : { most })
    },
    { name: `${name}-gzip`, title: "  the whole page, Effect included", value: size, unit: "B" },
    { name: `${name}-floor-gzip`, title: "  the floor: what it has of Effect", value: floorSize, unit: "B" }
  ]
  return { bundle, figures }
}

/** Another client as a whole, which stands on nothing else. */
const other = async (name: string): Promise<Figure> => ({
  name: `${name}-gzip`,
  title: `the whole of ${name}`,
  value: gzipped((await forBrowser(entry(name))).code),
  unit: "B"
})

const modules = (bundle: Bundle): ReadonlyArray<string> =>
  ourModules(bundle).map(([module, bytes]) => `${bytes.toLocaleString("en-US").padStart(8)} B  ${module}`)

const main = async (): Promise<void> => {
  const page = await measured("code-pkce-refresh", "a page with code, PKCE and refresh", 12_000)
  const tabs = await measured(
    "redirect-refresh-locks",
    "sign-in by redirect, refresh, and one session for all tabs",
    14_000
  )
  const others = await Promise.all(["oidc-client-ts", "auth0-spa-js", "msal-browser"].map(other))
  const barrel = await measured("barrel", "the same page by the barrel")
  const worker = await measured("client-credentials", "a worker with client credentials")
  const errors = await measured("errors", "the errors alone")
  const sections: ReadonlyArray<Section> = [
    {
      title: "Size, minified for the browser and gzipped (-9)",
      figures: [page, barrel, worker, errors].flatMap(({ figures }) => figures),
      notes: ["The floor is the same entry with our modules emptied, and with what they use of Effect."]
    },
    {
      title: "Beside other clients, measured the same way",
      figures: [...tabs.figures, ...others],
      notes: ["The others bring all of their parts and stand on no Effect, which a page has anyway or not."]
    },
    { title: "Our modules on the page, minified, before gzip", figures: [], notes: modules(page.bundle) },
    { title: "And on the page of many tabs", figures: [], notes: modules(tabs.bundle) }
  ]
  report(sections, {
    check: options.check,
    json: options.json && resolve(process.env["INIT_CWD"] ?? process.cwd(), options.json)
  })
  for (const [name, { bundle }] of [["code-pkce-refresh", page], ["redirect-refresh-locks", tabs]] as const) {
    for (const fault of faults(bundle, (await ourPart(entry(name))).code)) {
      console.error(`The page ${name} holds ${fault}`)
      process.exitCode = 1
    }
  }
}

await main()
