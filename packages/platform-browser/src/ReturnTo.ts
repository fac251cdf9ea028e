/**
 * Where a page may go after a sign-in: to a path of its own origin and nowhere else, whoever wrote it.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { SignInError } from "./SignInError.js"

/**
 * Reads a path with its query and fragment. It has to begin with one slash and to lead, as the browser reads it, to this
 * origin. Fails with `SignInError`, reason `ReturnToRefused`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const parse = (
  text: string,
  origin: string = globalThis.location.origin
): Either.Either<string, SignInError> => {
  const refused = Either.left(new SignInError({ reason: "ReturnToRefused" }))
  if (!/^\/(?![/\\])/.test(text) || !URL.canParse(text, origin)) return refused
  const { hash, origin: target, pathname, search } = new URL(text, origin)
  // A path such as /.//example.com would be another origin, read once more
  return target === origin && !pathname.startsWith("//") ? Either.right(pathname + search + hash) : refused
}

/**
 * Where the page is now.
 *
 * @since 0.1.0
 * @category constructors
 */
export const here = (): string => {
  const { hash, pathname, search } = globalThis.location
  return pathname + search + hash
}
