import { encodeBase64Url as encode } from "effect/Encoding"

/** Makes the text of a code or token: a prefix, a number, 128 bits that look random. */
export type TokenText = (prefix: string) => string

/** The same seed, the same texts: for tests, and for nothing that is real. */
export const make = (seed: string): TokenText => {
  const next = generator(hash(seed))
  const numbers = new Map<string, number>()
  return (prefix) => {
    const number = (numbers.get(prefix) ?? 0) + 1
    numbers.set(prefix, number)
    return `${prefix}-${number}-${encode(new Uint8Array(Uint32Array.from({ length: 4 }, next).buffer))}`
  }
}

/** FNV-1a. */
const hash = (text: string): number => {
  let state = 0x811c9dc5
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193)
  return state
}

/** SplitMix32. */
const generator = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x9e3779b9) | 0
    let word = state ^ (state >>> 16)
    word = Math.imul(word, 0x21f0aaad)
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97)
    return (word ^ (word >>> 15)) >>> 0
  }
}
