/**
 * Sessions and sign-ins in one private directory, as one layer for the whole program.
 *
 * @since 0.1.0
 */
import type { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import type { PendingAuthorizations } from "@effect-oauth2/core/PendingAuthorizations"
import type { TokenStore } from "@effect-oauth2/core/TokenStore"
import * as Layer from "effect/Layer"
import * as FilePendingAuthorizations from "./FilePendingAuthorizations.js"
import * as FileTokenStore from "./FileTokenStore.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options extends FileTokenStore.Options {}

/**
 * Both in files that no other user can read, for all processes of one machine.
 *
 * Fails with `ConfigurationError`, field `directory`, when the directory is not private or cannot be used: what to do is
 * in the message.
 *
 * @example
 * import { FileCustody } from "@effect-oauth2/platform-node"
 * import { homedir } from "node:os"
 * import { join } from "node:path"
 *
 * export const CustodyLive = FileCustody.layer({ directory: join(homedir(), ".tool") })
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<TokenStore | PendingAuthorizations, ConfigurationError> =>
  Layer.merge(FileTokenStore.layer(options), FilePendingAuthorizations.layer(options))
