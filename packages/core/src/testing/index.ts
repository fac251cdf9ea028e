/**
 * Where the endpoints of the authorization server in memory are.
 *
 * @since 0.1.0
 */
export * as Endpoints from "./Endpoints.js"

/**
 * A family: all the tokens that come of one authorization, each refresh token in the place of the one before it.
 *
 * @since 0.1.0
 */
export * as Family from "./Family.js"

/**
 * Faults: what can go wrong between a client and the authorization server in memory, as values.
 *
 * @since 0.1.0
 */
export * as Fault from "./Fault.js"

/**
 * What the authorization server in memory has seen: every request with what became of it, and counts.
 *
 * @since 0.1.0
 */
export * as RequestLog from "./RequestLog.js"

/**
 * How the authorization server in memory is set up, and what of it can be changed while it runs.
 *
 * @since 0.1.0
 */
export * as ServerOptions from "./ServerOptions.js"

/**
 * What the authorization server in memory is asked and what it answers, as plain values apart from any transport.
 *
 * @since 0.1.0
 */
export * as ServerReply from "./ServerReply.js"

/**
 * What every store and every lease has to do, as laws that any adapter can be held against.
 *
 * A law is a value: a title, and an effect that fails with what was expected and what was seen. It knows no test runner.
 *
 * @since 0.1.0
 */
export * as StoreLaws from "./StoreLaws.js"

/**
 * An authorization server and a resource server in memory: strict as real ones should be, without a socket, by the
 * clock that the test moves, with faults on demand and a log of all that they saw.
 *
 * @since 0.1.0
 */
export * as TestAuthorizationServer from "./TestAuthorizationServer.js"
