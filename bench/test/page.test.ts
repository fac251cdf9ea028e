/**
 * What a page pays for that it does not use. What it weighs in all is printed by `npm run size`.
 */
import { assert, describe, it } from "vitest"
import { type Bundle, entry, ourModules, ourSources } from "../size/bundle.js"

/** Only a program that names one of these has it. */
const namedOnly = /^core\/(?:ProviderProfile|Profiles|Legacy\w*)$/

/**
 * What the hooks are to a client that has none: the tag, its default, and a list of names that esbuild leaves there, since
 * it takes a spread for a side effect.
 */
const emptyPlace = new Set(["Interceptor", "none", "reservedParameters"])

const optionalModules = (bundle: Bundle) =>
  ourModules(bundle).map(([module]) => module).filter((module) => namedOnly.test(module))

/** What is left of a module in a bundle, by name, less the numbers by which a bundler tells names apart. */
const declarations = ({ code }: Bundle, module: string): ReadonlyArray<string> =>
  code.split(/^\/\/ (?=packages\/)/m)
    .filter((section) => section.startsWith(`packages/${module.replace("/", "/src/")}.ts\n`))
    .flatMap((section) =>
      [...section.matchAll(/^(?:var|let|const|class|function) (\w+?)\d*\b/gm)].map(([, name]) => name!)
    )

describe("who uses no hook, no profile and nothing that the standards advise against", () => {
  for (const name of ["code-pkce-refresh", "barrel"]) {
    it(`has none of it on the page, and of the hooks their empty place alone: ${name}`, async () => {
      const bundle = await ourSources(entry(name))
      const modules = ourModules(bundle).map(([module]) => module)
      assert.include(modules, "core/TokenManager")
      // What is done about others comes with the stores that others share
      assert.notInclude(modules, "core/SharedKeeper")
      assert.deepStrictEqual(optionalModules(bundle), [])
      const declared = declarations(bundle, "core/ComplianceHooks")
      assert.include(declared, "Interceptor")
      assert.deepStrictEqual(declared.filter((name) => !emptyPlace.has(name)), [])
    })
  }

  it("differs from who does, whose page has what it names", async () => {
    const bundle = await ourSources(entry("provider-profile"))
    assert.sameMembers([...optionalModules(bundle)], ["core/LegacyPkce", "core/Profiles", "core/ProviderProfile"])
    assert.includeMembers([...declarations(bundle, "core/ComplianceHooks")], ["layer", "guarded", "onTokenResponses"])
  })
})
