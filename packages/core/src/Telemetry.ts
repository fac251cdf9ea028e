/**
 * What can be watched: the names of the spans and the metrics. None carries a secret, a session key or a query.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import type * as Tracer from "effect/Tracer"
import type { EndpointName } from "./OAuth2Error.js"

/**
 * What came of an attempt to renew a session. See `RefreshPolicy.Outcome` for the failures.
 *
 * @since 0.1.0
 * @category models
 */
export type RefreshOutcome = "refreshed" | "adopted" | "retryable" | "ambiguous" | "configuration" | "invalidGrant"

const refreshes = MetricKey.counter("oauth2_refreshes_total", {
  description: "Attempts to renew a session, by outcome",
  incremental: true
})

/** With the tag in its key: one that `Metric.tagged` adds is looked up anew at each update. */
const withOutcome = (outcome: RefreshOutcome): Metric.Metric.Counter<number> =>
  Metric.fromMetricKey(MetricKey.tagged(refreshes, "outcome", outcome))

/**
 * Attempts to renew a session, one counter for each outcome.
 *
 * @since 0.1.0
 * @category metrics
 */
export const refreshesByOutcome: Readonly<Record<RefreshOutcome, Metric.Metric.Counter<number>>> = {
  refreshed: withOutcome("refreshed"),
  adopted: withOutcome("adopted"),
  retryable: withOutcome("retryable"),
  ambiguous: withOutcome("ambiguous"),
  configuration: withOutcome("configuration"),
  invalidGrant: withOutcome("invalidGrant")
}

/**
 * Counts one attempt to renew a session.
 *
 * @since 0.1.0
 * @category metrics
 */
export const counted = (outcome: RefreshOutcome): Effect.Effect<void> => Metric.increment(refreshesByOutcome[outcome])

/**
 * How long callers waited for a token, in milliseconds. A fresh token is not waited for.
 *
 * @since 0.1.0
 * @category metrics
 */
export const waits = Metric.histogram(
  "oauth2_token_wait_millis",
  MetricBoundaries.fromIterable([5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]),
  "How long callers waited for a token, in milliseconds"
)

const sessionsKey = MetricKey.gauge("oauth2_sessions", { description: "Sessions held in memory" })

const failingKey = MetricKey.gauge("oauth2_sessions_failing", {
  description: "Sessions whose last attempt to renew failed"
})

/**
 * Sessions held in memory.
 *
 * @since 0.1.0
 * @category metrics
 */
export const sessions: Metric.Metric.Gauge<number> = Metric.fromMetricKey(sessionsKey)

/**
 * Sessions whose last attempt to renew failed, and that are not renewed since.
 *
 * @since 0.1.0
 * @category metrics
 */
export const failing: Metric.Metric.Gauge<number> = Metric.fromMetricKey(failingKey)

/**
 * The two gauges as one client sets them, tagged with its id.
 *
 * @since 0.1.0
 * @category metrics
 */
export const gaugesOf = (
  clientId: string
): { readonly sessions: Metric.Metric.Gauge<number>; readonly failing: Metric.Metric.Gauge<number> } => ({
  sessions: Metric.fromMetricKey(MetricKey.tagged(sessionsKey, "client_id", clientId)),
  failing: Metric.fromMetricKey(MetricKey.tagged(failingKey, "client_id", clientId))
})

/**
 * The span of one protocol step. A failure is named by its tag, never by its text.
 *
 * @since 0.1.0
 * @category spans
 */
export const step = (
  name: `oauth2.${string}`,
  options?: Omit<Tracer.SpanOptions, "captureStackTrace">
): <A, E extends Tagged & { readonly error?: Tagged }, R>(
  effect: Effect.Effect<A, E, R>
) => Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
(effect) =>
  effect.pipe(
    Effect.tapError((error) => Effect.annotateCurrentSpan("error.type", (error.error ?? error)._tag)),
    Effect.withSpan(name, { ...options, captureStackTrace: false })
  )

interface Tagged {
  readonly _tag: string
}

/**
 * The span of one request to an endpoint, by its name and host. Path and query stay out.
 *
 * @since 0.1.0
 * @category spans
 */
export const endpointRequest = (name: EndpointName, endpoint: URL, attributes: Record<string, string>) =>
  step(`oauth2.${name}_request`, {
    kind: "client",
    attributes: { "http.request.method": "POST", "server.address": endpoint.hostname, ...attributes }
  })
