/** Text as any database can hold it: without NUL, without halves of characters, and still each its own. */
export const encode = (text: string): string =>
  text.replace(/[\\\0\p{Cs}]/gu, (unit) => `\\${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

export const decode = (stored: string): string =>
  stored.replace(/\\([0-9a-f]{4})/g, (_, unit: string) => String.fromCharCode(parseInt(unit, 16)))
