/**
 * Where sessions and sign-ins are kept, as one layer for the whole program.
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import * as PendingAuthorizations from "./PendingAuthorizations.js"
import * as TokenStore from "./TokenStore.js"

/**
 * Both in the memory of this process: for jobs, tests, and programs whose sessions may end with them.
 *
 * Name this value once and provide it to every client: built in two places it is two stores, and two refreshes.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<TokenStore.TokenStore | PendingAuthorizations.PendingAuthorizations> = Layer
  .merge(TokenStore.layerMemory, PendingAuthorizations.layerMemory)
