import * as Redacted from "effect/Redacted"
import type { PendingAuthorization } from "../../PendingAuthorization.js"
import * as SessionRecord from "../../SessionRecord.js"
import type { Token } from "../../Token.js"
import type { Claim } from "../../TokenStore.js"

/** What is told of a session is when it was renewed: `issuedAt`. */
export const token = (name: string, issuedAt = 1_767_225_600_000): Token => ({
  accessToken: Redacted.make(`access-${name}`),
  tokenType: "Bearer",
  issuedAt,
  refreshToken: Redacted.make(`refresh-${name}`)
})

export const record = (generation: number, name: string, issuedAt?: number): SessionRecord.SessionRecord =>
  SessionRecord.authorized(generation, token(name, issuedAt))

export const claim = (attempt: string, generation = 1): Claim => ({ generation, attempt })

/** A record with every member that there is, and members of the server's own that are apt to go wrong. */
export const fullRecord = (generation: number): SessionRecord.SessionRecord => ({
  version: 1,
  generation,
  signIn: { id: "sign-in/+='", at: 1_767_225_599_001 },
  token: {
    accessToken: Redacted.make("access-!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    tokenType: "bEaReR",
    issuedAt: 1_767_225_600_123,
    expiresAt: 1_767_229_200_456,
    refreshToken: Redacted.make("refresh';--"),
    scope: ["read", "https://api.test/write", "a\"b"],
    idToken: Redacted.make("header.payload.signature"),
    extra: Redacted.make<ReadonlyMap<string, unknown>>(
      new Map<string, unknown>([
        ["instance_url", "https://eu1.test/ünï/\u{1f511}"],
        ["__proto__", { polluted: true }],
        ["", null],
        ["nested", { a: [1, -0.5, 1e300, true, null, { "b.c": "\u0000\n\u2028" }] }],
        ["'; DROP TABLE sessions; --", "$1 ? :name %s \\"]
      ])
    )
  },
  refreshToken: Redacted.make("successor-of-a-refused-reply"),
  alternate: Redacted.make("alternate"),
  state: { _tag: "Idle", unresolved: true }
})

export const sealedRecord = (generation: number, renewedAt = 1_767_225_600_789): SessionRecord.SessionRecord => ({
  version: 1,
  generation,
  sealed: "A128GCM.c2VhbGVk/+=",
  renewedAt,
  state: SessionRecord.idle
})

export const pending = (
  state: string,
  expiresAt: number,
  over: Partial<PendingAuthorization> = {}
): PendingAuthorization => ({
  version: 1,
  sessionKey: "user \"1\" \u{1f511}",
  state,
  codeVerifier: Redacted.make("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
  clientId: "app",
  server: "https://as.test",
  redirectUri: "https://app.test/callback?a=%2F&b='",
  scope: ["read", "write"],
  resource: ["https://api.test"],
  expiresAt,
  ...over
})

/** Keys that are easily taken for each other, for a pattern, for a path, or for a part of a statement. */
export const oddKeys: ReadonlyArray<string> = [
  "",
  " ",
  "  ",
  "key",
  "Key",
  "KEY",
  "key ",
  " key",
  "key\t",
  "key\n",
  "key\u00a0",
  "k%y",
  "k_y",
  "%",
  "_",
  "*",
  "?",
  "k[e]y",
  "é",
  "e\u0301",
  "ß",
  "ss",
  "İ",
  "i",
  "\u{1f511}",
  "\u{1f510}",
  "密钥",
  "\u202ekey",
  "'",
  "''",
  "\"",
  "`",
  "\\",
  "\\\\",
  "\\u0000",
  "';--",
  "' OR '1'='1",
  "$1",
  ":key",
  "?1",
  "key;key",
  "../key",
  "..",
  ".",
  "/",
  "/etc/passwd",
  "C:\\key",
  "CON",
  "key.json",
  "a/b",
  "a%2Fb",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "undefined",
  "0",
  "00",
  "true",
  "[\"key\"]",
  "{}",
  "x".repeat(4_096),
  `${"x".repeat(4_095)}y`,
  `${"é".repeat(2_048)}a`,
  `${"é".repeat(2_048)}b`
]
