/**
 * Where a page keeps its sessions and its sign-ins under way, as one layer. Name it once and provide that one value.
 *
 * | layer | who shares a session | what outlives a reload | a script in the page |
 * | --- | --- | --- | --- |
 * | `layerMemory` | nobody | nothing | has to be there while the token is used |
 * | `layerSessionStorage` | nobody | the session | can read the tokens |
 * | `layerSplit` | nobody | the refresh token | can read the refresh token |
 * | `layerIndexedDb` | all tabs | the session, also a restart | can use the key, and so read the tokens |
 *
 * @since 0.1.0
 */
import type { ConfigurationError } from "@effect-oauth2/core/OAuth2Error"
import type { PendingAuthorizations } from "@effect-oauth2/core/PendingAuthorizations"
import type { RefreshLease } from "@effect-oauth2/core/RefreshLease"
import * as TokenStore from "@effect-oauth2/core/TokenStore"
import * as Layer from "effect/Layer"
import * as IndexedDbTokenStore from "./IndexedDbTokenStore.js"
import * as SessionStoragePendingAuthorizations from "./SessionStoragePendingAuthorizations.js"
import * as SessionStorageTokenStore from "./SessionStorageTokenStore.js"
import * as SplitTokenStore from "./SplitTokenStore.js"
import * as WebLocksLease from "./WebLocksLease.js"

/**
 * Sessions in this page's memory: a reload signs out.
 *
 * Fails with `ConfigurationError`, field `sessionStorage`, which sign-ins under way need.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<TokenStore.TokenStore | PendingAuthorizations, ConfigurationError> = Layer.merge(
  TokenStore.layerMemory,
  SessionStoragePendingAuthorizations.layer
)

/**
 * Sessions of this tab, over its reloads. Fails with `ConfigurationError`, field `sessionStorage`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSessionStorage: Layer.Layer<TokenStore.TokenStore | PendingAuthorizations, ConfigurationError> = Layer
  .merge(SessionStorageTokenStore.layer, SessionStoragePendingAuthorizations.layer)

/**
 * Sessions of this tab, with access tokens in memory alone. Fails with `ConfigurationError`, field `sessionStorage`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSplit: Layer.Layer<TokenStore.TokenStore | PendingAuthorizations, ConfigurationError> = Layer.merge(
  Layer.provide(SplitTokenStore.layer, SessionStorageTokenStore.layer),
  SessionStoragePendingAuthorizations.layer
)

/**
 * Sessions of all tabs, encrypted at rest, each renewed by one tab at a time.
 *
 * Fails with `ConfigurationError`, field `sessionStorage` or `indexedDB`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerIndexedDb = (
  options?: IndexedDbTokenStore.Options
): Layer.Layer<TokenStore.TokenStore | PendingAuthorizations | RefreshLease, ConfigurationError> =>
  Layer.mergeAll(
    IndexedDbTokenStore.layer(options),
    SessionStoragePendingAuthorizations.layer,
    WebLocksLease.layer
  )
