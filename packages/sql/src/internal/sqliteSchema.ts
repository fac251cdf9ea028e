import type { Tables } from "./tables.js"

/** Text is compared byte by byte in SQLite, unless told otherwise. */
export const schema = ({ sessions, signIns }: Tables): ReadonlyArray<string> => [
  `CREATE TABLE ${sessions} (
    name TEXT COLLATE BINARY PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempt TEXT,
    until INTEGER,
    unresolved INTEGER NOT NULL,
    detail TEXT NOT NULL,
    renewed_at INTEGER NOT NULL,
    payload TEXT NOT NULL
  )`,
  `CREATE INDEX ${sessions}_idle ON ${sessions} (renewed_at) WHERE state <> 'Dead'`,
  `CREATE TABLE ${signIns} (
    name TEXT COLLATE BINARY PRIMARY KEY NOT NULL,
    version INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    consumed INTEGER NOT NULL,
    payload TEXT NOT NULL
  )`,
  `CREATE INDEX ${signIns}_expiry ON ${signIns} (expires_at)`
]
