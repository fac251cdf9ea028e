/** What of the laws concerns which store. */
export type Suite = "IndexedDB" | "localStorage" | "sessionStorage" | "sign-ins" | "Web Locks"

export const flags = {
  IndexedDB: { changes: true },
  localStorage: { changes: true },
  sessionStorage: { isShared: false }
}
