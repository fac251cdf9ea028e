/** Where the session lives: chosen in the page, and kept in the query of its address. */

export const names = ["indexeddb", "session", "split", "memory"] as const

export type Name = typeof names[number]

/** What each choice means, for whoever chooses. */
export const descriptions: Readonly<Record<Name, string>> = {
  indexeddb: "All tabs share one session, encrypted at rest. One tab renews it, and the others adopt what it got.",
  session: "Each tab has a session of its own, which outlives a reload.",
  split: "The refresh token outlives a reload; the access token is in this page's memory alone.",
  memory: "Nothing is stored. A reload signs you out."
}

const isName = (text: string | null): text is Name => (names as ReadonlyArray<string | null>).includes(text)

/** The one that an address names. */
export const of = (url: string): Name => {
  const name = new URL(url).searchParams.get("store")
  return isName(name) ? name : "indexeddb"
}

/** The same address, with the choice in it. */
export const keepIn = (url: string, name: Name): string => {
  const kept = new URL(url)
  kept.searchParams.set("store", name)
  return kept.href
}
