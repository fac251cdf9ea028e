/**
 * What other machines did to sessions, as PostgreSQL tells it: `LISTEN` and `NOTIFY`.
 *
 * One connection beside the pool listens for the whole layer. It has to be one to the database itself: a pooler that
 * hands out a connection for each transaction, such as PgBouncer, lets nothing through. When it breaks, it is made anew,
 * and until then nothing is told, which costs those who wait a look at the database every now and then, and nothing
 * else.
 *
 * @since 0.1.0
 */
export * as PostgresChanges from "./PostgresChanges.js"

/**
 * Sessions and sign-ins in one SQL database, as one layer for the whole program.
 *
 * @since 0.1.0
 */
export * as SqlCustody from "./SqlCustody.js"

/**
 * The tables of this package, made and kept up to date by the `Migrator` of `@effect/sql`, under a table of migrations of
 * their own. For `tablePrefix` `effect_oauth2_`, on PostgreSQL (version 11 or later):
 *
 * ```sql
 * CREATE TABLE effect_oauth2_sessions (
 *   id bytea PRIMARY KEY,              -- sha256 of the name: an index holds no name of several kilobytes
 *   name text COLLATE "C" NOT NULL,    -- the session's key, with \, NUL and lone surrogates as \005c, \0000, \d800
 *   version integer NOT NULL,          -- 1; rows of a later version are refused and left alone
 *   generation bigint NOT NULL,        -- grows by one with each renewal and sign-in
 *   state text NOT NULL,               -- Idle, Redeeming or Dead
 *   attempt text,                      -- who redeems
 *   until bigint,                      -- until when, in epoch milliseconds of the database's clock
 *   unresolved integer NOT NULL,       -- 1 when a refresh was never answered
 *   detail text NOT NULL,              -- what else there is to say of the state, JSON
 *   renewed_at bigint NOT NULL,        -- epoch milliseconds
 *   payload text NOT NULL              -- the tokens, JSON, in clear or sealed
 * );
 * CREATE INDEX effect_oauth2_sessions_idle ON effect_oauth2_sessions (renewed_at) WHERE state <> 'Dead';
 *
 * CREATE TABLE effect_oauth2_sign_ins (
 *   id bytea PRIMARY KEY,
 *   name text COLLATE "C" NOT NULL,    -- the state
 *   version integer NOT NULL,
 *   expires_at bigint NOT NULL,        -- epoch milliseconds
 *   consumed integer NOT NULL,
 *   payload text NOT NULL              -- the pending authorization, JSON; {} once it is used up
 * );
 * CREATE INDEX effect_oauth2_sign_ins_expiry ON effect_oauth2_sign_ins (expires_at);
 * ```
 *
 * and a trigger, `effect_oauth2_tell`, that notifies the channel `effect_oauth2_sessions` of the name of each session
 * whose generation or payload changed, or which is gone: see `PostgresChanges`. On SQLite (3.35 or later) there is no
 * `id`, `name` is the primary key, and there is no trigger.
 *
 * @since 0.1.0
 */
export * as SqlMigrations from "./SqlMigrations.js"

/**
 * Sign-ins under way in an SQL database: begun on one machine, completed on another, and each used up once.
 *
 * The tables are made by `SqlMigrations`. What has expired is deleted ten minutes later, as others come.
 *
 * @since 0.1.0
 */
export * as SqlPendingAuthorizations from "./SqlPendingAuthorizations.js"

/**
 * Sessions in an SQL database, for all who share it: SQLite for the processes of one machine, PostgreSQL for many.
 *
 * Every change is one statement, atomic at READ COMMITTED: no transaction is open and no connection is held while a
 * token request is under way, so a pool of one is enough. Times are told by the database's clock. The tables are made by
 * `SqlMigrations`. What is stored is in clear: keep the database as you keep passwords.
 *
 * @since 0.1.0
 */
export * as SqlTokenStore from "./SqlTokenStore.js"
