/**
 * Sessions and sign-ins in one SQL database, as one layer for the whole program.
 *
 * @since 0.1.0
 */
import type { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import type { PendingAuthorizations } from "@effect-oauth2/core/PendingAuthorizations"
import type { TokenStore } from "@effect-oauth2/core/TokenStore"
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Layer from "effect/Layer"
import * as SqlPendingAuthorizations from "./SqlPendingAuthorizations.js"
import * as SqlTokenStore from "./SqlTokenStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends SqlTokenStore.Options {}

/**
 * Both in the database, in tables that `SqlMigrations` makes. On PostgreSQL, `PostgresChanges.layer` tells of what other
 * machines did as well.
 *
 * Fails with `ConfigurationError` when the database is neither PostgreSQL nor SQLite, or the prefix cannot be used.
 *
 * @example
 * import { SqlClient } from "@effect/sql"
 * import { SqlCustody, SqlMigrations } from "@effect-oauth2/sql"
 * import { Layer } from "effect"
 *
 * declare const DatabaseLive: Layer.Layer<SqlClient.SqlClient>
 *
 * export const CustodyLive = SqlCustody.layer().pipe(
 *   Layer.provide(SqlMigrations.layer()),
 *   Layer.provide(DatabaseLive)
 * )
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<TokenStore | PendingAuthorizations, ConfigurationError, SqlClient> =>
  Layer.merge(SqlTokenStore.layer(options), SqlPendingAuthorizations.layer(options))
