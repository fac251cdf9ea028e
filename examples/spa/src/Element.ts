/** The page's elements, by the names that they have in index.html. */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"

export const find = (name: string): HTMLElement => {
  const element = document.querySelector<HTMLElement>(`[data-test="${name}"]`)
  if (element === null) throw new Error(`index.html has no ${name}`)
  return element
}

export const show = (name: string, text: string): Effect.Effect<void> =>
  Effect.sync(() => {
    const element = find(name)
    // A screen reader would read it again
    if (element.textContent !== text) element.textContent = text
  })

export const setHidden = (name: string, isHidden: boolean): Effect.Effect<void> =>
  Effect.sync(() => {
    find(name).hidden = isHidden
  })

/**
 * Runs the effect in the click itself, since a window may be opened only there. The button is busy until it is done.
 */
export const onClick = <R>(
  name: string,
  effect: Effect.Effect<unknown, never, R>
): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.gen(function*() {
    const button = find(name)
    const run = Runtime.runFork(yield* Effect.runtime<R>())
    const busy = (isBusy: boolean) => Effect.sync(() => button.setAttribute("aria-busy", `${isBusy}`))
    const click = () => {
      if (button.getAttribute("aria-busy") === "true") return
      run(Effect.acquireUseRelease(busy(true), () => effect, () => busy(false)))
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => button.addEventListener("click", click)),
      () => Effect.sync(() => button.removeEventListener("click", click))
    )
  })

/** A place for a tab's colour. */
export const swatch = (colour: string): HTMLElement => {
  const element = document.createElement("span")
  element.className = "swatch"
  element.dataset["colour"] = colour
  return element
}
