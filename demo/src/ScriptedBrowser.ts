/**
 * A user with a browser, as a script: keeps cookies, follows redirects, and fills in the forms.
 */
import * as Browser from "@effect-oauth2/platform-node/Browser"
import * as Cookies from "@effect/platform/Cookies"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"

export class SignInFailed extends Data.TaggedError("SignInFailed")<{ readonly problem: string }> {
  override get message(): string {
    return `The sign-in failed: ${this.problem}`
  }
}

export interface User {
  readonly name: string
  readonly password: string
}

/** The browser of a user who signs in and agrees as soon as a program sends them anywhere. */
export const layer = (user: User): Layer.Layer<Browser.Browser, never, HttpClient.HttpClient> =>
  Layer.effect(
    Browser.Browser,
    Effect.map(HttpClient.HttpClient, (client) =>
      Browser.make((url) =>
        visit(url, user).pipe(
          Effect.flatMap((callback) => HttpClient.withTracerDisabledWhen(client, () => true).get(callback)),
          Effect.provideService(HttpClient.HttpClient, client),
          Effect.orDie
        )
      ))
  )

/** Signs in at this server, and stops where it sends the user away from itself: at the program's callback. */
export const visit = (url: URL, user: User): Effect.Effect<URL, SignInFailed, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const cookies = yield* Ref.make(Cookies.empty)
    const client = (yield* HttpClient.HttpClient).pipe(
      HttpClient.withCookiesRef(cookies),
      HttpClient.withTracerDisabledWhen(() => true)
    )
    let request = HttpClientRequest.get(url)
    for (let step = 0; step < 12; step++) {
      const here = new URL(request.url)
      const response = yield* client.execute(request)
      const page = yield* response.text
      const location = response.headers["location"]
      if (location === undefined) {
        request = yield* submit(here, page, user)
        continue
      }
      const next = new URL(location, here)
      if (next.origin !== url.origin) return next
      request = HttpClientRequest.get(next)
    }
    return yield* new SignInFailed({ problem: "the server never sent the browser back" })
  }).pipe(
    Effect.catchTags({
      RequestError: ({ description }) => new SignInFailed({ problem: description ?? "no connection" }),
      ResponseError: ({ description }) => new SignInFailed({ problem: description ?? "no answer" })
    })
  )

/** What pressing the page's button sends: the form with the user's name and password in it, where it asks for them. */
const submit = (here: URL, page: string, user: User) => {
  const action = /<form method="post" action="([^"]+)"/.exec(page)?.[1]
  if (action === undefined) return new SignInFailed({ problem: "the server showed a page without a form" })
  const asked = [...page.matchAll(/<input name="(name|password)"/g)].map(([, field]) => field as keyof User)
  return Effect.succeed(
    HttpClientRequest.post(new URL(action, here)).pipe(
      HttpClientRequest.bodyUrlParams(asked.map((field) => [field, user[field]] as const))
    )
  )
}
