/** Builds the page once, for all files of tests. */
import * as Effect from "effect/Effect"
import { files } from "../../servers/page.js"

export const setup = (): Promise<void> => Effect.runPromise(Effect.asVoid(files))
