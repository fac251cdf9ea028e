// What the sources of the packages may not use, and what they use instead. `scripts/check-rules.mjs` holds a line of
// bad code for each of these and fails when the linter lets it pass.

const clock = "Time is effect/Clock (law 12): Clock.currentTimeMillis, DateTime.now."
const timers = "Waiting is effect's (law 12): Effect.sleep, Effect.timeout, Schedule."
const random = "Randomness is the OAuth2Crypto service (law 12); jitter is Schedule.jittered."
const logging = "Nothing writes to the console (laws 11 and 12): emit a typed event, or Effect.log without secrets."
const environment = "No environment variable changes behaviour (law 9): take an option, or a Config in layerConfig."
const cached =
  "It remembers interruption and failure (law 3): use the TokenManager's flight, or a Deferred that a daemon completes."
const cache = "effect/Cache remembers interruption and failure (law 3): keep the value in a Ref or in a TokenStore."
const service = "A service is an exported interface with a Context.Tag class and explicit layers, not Effect.Service."
const redirects = "It keeps the authorization header over origins (S03, S04): GuardedHttp refuses redirects."
const retry = "It repeats requests that carry codes and refresh tokens (S31): RefreshPolicy says what may be retried."
const platformFree = "Core runs unchanged in every runtime: this belongs in platform-node or platform-browser."
const deep = "Import the module itself, as a namespace: import * as Effect from \"effect/Effect\"."

const named = (message, names) => names.map((name) => ({ name, message }))

const timerGlobals = named(timers, [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "clearImmediate",
  "requestAnimationFrame",
  "requestIdleCallback"
])
const consoleGlobal = named(logging, ["console"])
const randomGlobal = named(random, ["crypto"])
const nodeGlobals = named(platformFree, ["Buffer", "global", "__dirname", "__filename", "require"])
const pageGlobals = named(platformFree, [
  "window",
  "document",
  "navigator",
  "location",
  "history",
  "localStorage",
  "sessionStorage",
  "indexedDB",
  "BroadcastChannel"
])
const process_ = named(environment, ["process"])

const properties = [
  { object: "Date", property: "now", message: clock },
  { object: "performance", property: "now", message: clock },
  { object: "Math", property: "random", message: random },
  { object: "Effect", property: "random", message: random },
  { object: "Effect", property: "randomWith", message: random },
  { object: "Effect", property: "Service", message: service },
  { object: "HttpClient", property: "followRedirects", message: redirects },
  { object: "HttpClient", property: "retryTransient", message: retry },
  { object: "process", property: "env", message: environment }
]

const syntax = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clock },
  { selector: "CallExpression[callee.name='Date']", message: clock },
  { selector: "MemberExpression[object.name='Effect'][property.name=/^cached/]", message: cached }
]

const modules = {
  paths: [
    ...named(deep, ["effect", "@effect/platform", "@effect/platform-node", "@effect-oauth2/core"]),
    ...named(cache, ["effect/Cache", "effect/ScopedCache"]),
    ...named(random, ["effect/Random"]),
    ...named(timers, ["node:timers", "node:timers/promises", "timers", "timers/promises"])
  ]
}
const nodeModules = { group: ["node:*"], message: platformFree }

/** The rules for the sources of one package; `globals` and `patterns` are what that package has to do without. */
const rulesOf = (globals, patterns) => ({
  "no-restricted-globals": ["error", {
    globals: [...timerGlobals, ...consoleGlobal, ...randomGlobal, ...globals],
    checkGlobalObject: true
  }],
  "no-restricted-properties": ["error", ...properties],
  "no-restricted-syntax": ["error", ...syntax],
  "@typescript-eslint/no-restricted-imports": ["error", { ...modules, patterns }]
})

export const coreRules = rulesOf([...process_, ...nodeGlobals, ...pageGlobals], [nodeModules])
export const browserRules = rulesOf([...process_, ...nodeGlobals], [nodeModules])
export const nodeRules = rulesOf(pageGlobals, [])

/** What stands in for `coreRules` where WebCrypto becomes a service. */
export const coreCryptoRules = {
  "no-restricted-globals": ["error", {
    globals: [...timerGlobals, ...consoleGlobal, ...process_, ...nodeGlobals, ...pageGlobals],
    checkGlobalObject: true
  }]
}

/** What a test may not do. */
export const testRules = {
  "no-restricted-properties": [
    "error",
    ...["it", "test", "describe"].flatMap((object) =>
      ["skip", "only", "todo", "skipIf", "runIf"].map((property) => ({
        object,
        property,
        message: "Every test runs, on every machine: mend it or remove it."
      }))
    ),
    ...["mock", "doMock", "stubGlobal", "useFakeTimers"].map((property) => ({
      object: "vi",
      property,
      message: "A fake is a layer, and time is TestClock."
    }))
  ],
  "no-restricted-syntax": ["error", {
    selector: "MemberExpression[property.name=/^(skip|only|todo)$/][object.type='MemberExpression']" +
      "[object.object.name=/^(it|test|describe)$/]",
    message: "Every test runs, on every machine: mend it or remove it."
  }]
}
