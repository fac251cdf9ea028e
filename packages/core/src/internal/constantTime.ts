/** Whether two texts are equal, in a time that tells nothing of where they differ. Their lengths are no secret. */
export const equals = (a: string, b: string): boolean => {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
