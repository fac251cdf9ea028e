// Who may import whom. The floors of core are in scripts/floors.json, from the lowest to the highest: a room is a module,
// or a folder of modules, of packages/core/src. scripts/check-floors.mjs shows that each of these rules can fail.
const floors = require("./scripts/floors.json")

const core = "^packages/core/src/"
const internal = `${core}internal/`
const testing = `${core}testing/`
const legacy = [`${core}Legacy[^/]*\\.ts$`, `${core}.*/Legacy[^/]*\\.ts$`, `${core}legacy/`]
const barrel = `${core}index\\.ts$`

const placeOf = (rooms) => `${core}(?:${rooms.join("|")})(?:\\.ts$|/)`
const roomsFrom = (level) => floors.slice(level).flatMap(({ rooms }) => rooms)
const placesOf = (level) => level === 0 ? [internal, placeOf(floors[0].rooms)] : [placeOf(floors[level].rooms)]

const floorRules = floors.slice(0, -1).map(({ floor }, level) => ({
  name: `floor-${level}-${floor.replaceAll(" ", "-")}`,
  comment: `The floor of ${floor} imports from itself and from what is below it.`,
  severity: "error",
  from: { path: placesOf(level) },
  to: { path: placeOf(roomsFrom(level + 1)) }
}))

const named = [internal, testing, ...legacy, barrel, placeOf(roomsFrom(0))]

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...floorRules,
    {
      name: "name-its-floor-importer",
      comment: "This room stands on no floor: name its floor in scripts/floors.json.",
      severity: "error",
      from: { path: core, pathNot: named },
      to: {}
    },
    {
      name: "name-its-floor",
      comment: "The imported room stands on no floor: name its floor in scripts/floors.json.",
      severity: "error",
      from: {},
      to: { path: core, pathNot: named }
    },
    {
      name: "no-circles",
      comment: "Modules in a circle, be it one of types, are one module in disguise.",
      severity: "error",
      from: {},
      to: { circular: true }
    },
    {
      name: "nobody-imports-the-barrel",
      comment: "Import the module itself: the barrel is for programs.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { path: "^packages/[^/]+/src/index\\.ts$" }
    },
    {
      name: "testing-stays-apart",
      comment: "The test kit is an entry of its own: no source outside it imports it.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/", pathNot: testing },
      to: { path: testing }
    },
    {
      name: "legacy-stays-apart",
      comment: "What the standards advise against is imported by name only, by programs that ask for it.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/", pathNot: [...legacy, testing] },
      to: { path: legacy }
    },
    {
      name: "public-entries-only",
      comment: "Another package is used by its public entries.",
      severity: "error",
      from: { path: "^(?:packages/(?!core/)|examples/|demo/|bench/)" },
      to: { path: [internal, `${testing}(?!index\\.ts$)`] }
    },
    {
      name: "packages-by-name",
      comment: "Another package is imported by its name, not by a path into its folder.",
      severity: "error",
      from: { path: "^packages/([^/]+)/src/" },
      to: { path: "^packages/[^/]+/", pathNot: "^packages/$1/", dependencyTypesNot: ["aliased"] }
    },
    {
      name: "core-depends-on-no-package",
      comment: "Core knows of no other package of the house.",
      severity: "error",
      from: { path: core },
      to: { path: "^packages/(?!core/)" }
    },
    {
      name: "sources-without-tests",
      comment: "What is published does not import tests, examples, the demo, benchmarks or scripts.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { path: "^(?:packages/[^/]+/test|examples|demo|bench|scripts)/" }
    },
    {
      name: "runs-everywhere",
      comment: "Core and platform-browser run without Node.",
      severity: "error",
      from: { path: "^packages/(?:core|platform-browser)/src/" },
      to: { dependencyTypes: ["core"] }
    },
    {
      name: "declared-dependencies",
      comment: "What is published imports only what its package.json asks for.",
      severity: "error",
      from: { path: "^packages/[^/]+/src/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown", "npm-dev"], dependencyTypesNot: ["npm-peer", "npm"] }
    },
    {
      name: "resolvable",
      comment: "The imported module does not exist.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true }
    }
  ],
  options: {
    doNotFollow: { path: "(?:^|/)(?:node_modules|dist|build)/" },
    exclude: { path: "/(?:dist|build)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
      extensions: [".ts", ".mjs", ".js", ".d.ts"]
    }
  }
}
