/**
 * What a live session costs in memory, beside other clients.
 */
import type { Heap } from "./heap.js"
import type { Section } from "./report.js"

export const heapSection = (heaps: {
  readonly ours: Heap
  readonly badgateway: Heap
  readonly google: Heap
}): Section => ({
  title: `Memory of a live session with two opaque tokens of 54 characters, of ${
    heaps.ours.sessions.toLocaleString("en-US")
  }`,
  figures: [
    {
      name: "heap-bytes-per-session",
      title: "a session, stored and held",
      value: heaps.ours.bytesPerSession,
      unit: "B",
      most: 1_000
    },
    {
      name: "badgateway-heap-bytes-per-session",
      title: "@badgateway/oauth2-client, an OAuth2Fetch",
      value: heaps.badgateway.bytesPerSession,
      unit: "B"
    },
    {
      name: "google-heap-bytes-per-session",
      title: "google-auth-library, an OAuth2Client",
      value: heaps.google.bytesPerSession,
      unit: "B"
    }
  ]
})
